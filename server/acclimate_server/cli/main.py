"""`acclimate`: the parser, and what every verb shares: settings, logging, exit codes, one sentence an error.

Exit codes: 0 done, 1 findings, 2 usage, 3 a foreseeable failure, 4 one that nobody foresaw, 130 cancelled with Ctrl-C.
"""

import argparse
import importlib.metadata
import logging
import os
import sys
from collections.abc import Sequence

from acclimate_indexer.errors import AcclimateError
from acclimate_training.report.markup import visible

from . import (
    adapt,
    adapters,
    advise,
    blind,
    complete,
    dataset,
    doctor,
    editor,
    engine,
    evaluate,
    forget,
    importing,
    mine,
    model,
    report,
    retrain,
    review,
    serve,
    status,
    train,
)
from .context import Context

log = logging.getLogger(__name__)

VERBS = (
    advise,
    adapt,
    mine,
    dataset,
    importing,
    train,
    evaluate,
    retrain,
    report,
    blind,
    complete,
    review,
    serve,
    editor,
    engine,
    adapters,
    model,
    status,
    doctor,
    forget,
)
UNFORESEEN = 4  # Python's own 1 would say that there are findings
CANCELLED = 130  # what a shell expects of a program that ended by Ctrl-C
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
LOG_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)

DESCRIPTION = """\
Makes a code model acclimatise to your repository: mines it, fine-tunes a LoRA adapter, proves on held-out code whether
the adapter helps, and serves completions to your editor. Everything runs on this machine unless you set engine.url.
"""

EPILOG = """\
examples:
  acclimate adapt                      the whole path for the repository you are in, about half an hour without a GPU
  acclimate adapt ~/code/shop --minutes 5
  acclimate complete app.py:12:5       what the editor would show at line 12, column 5
  acclimate review --staged            comments on what is about to be committed
  acclimate status                     the engine, the model, the adapter in use
  acclimate doctor                     what is missing on this machine, and how to mend it

exit codes:
  0 done, 1 findings (`doctor`, `review`), 2 usage, 3 a foreseeable failure, 4 one that nobody foresaw, 130 cancelled

`acclimate VERB --help` explains a verb.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb and gives its exit code. An error that we foresaw is one sentence on stderr."""
    parsed = _parser().parse_args(arguments)
    _log_to_stderr(parsed.verbose)
    try:
        return int(parsed.run(parsed, Context.of(parsed)))
    except AcclimateError as error:
        print(f"acclimate: {visible(str(error))}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("acclimate: cancelled.", file=sys.stderr)
        return CANCELLED
    except BrokenPipeError:
        _close_stdout()
        return 0
    except Exception:  # the process's boundary
        log.exception("A fault of acclimate's own")
        return UNFORESEEN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="acclimate", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"acclimate {importlib.metadata.version('acclimate')}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    shared = _shared_options()
    for verb in VERBS:
        verb.register(verbs, shared)
    return parser


def _shared_options() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    group = shared.add_argument_group("everywhere")
    group.add_argument(
        "--json", action="store_true", help="print the result as one JSON object, the last line of stdout"
    )
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set any setting for this call, e.g. training.seed=3 (`acclimate doctor --settings` lists them)",
    )
    group.add_argument("-v", "--verbose", action="count", default=0, help="log more to stderr; twice for everything")
    return shared


def _log_to_stderr(verbosity: int) -> None:
    level = LOG_LEVELS[min(verbosity, len(LOG_LEVELS) - 1)]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_VisibleFormatter(LOG_FORMAT))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    for name in ("acclimate_server", "acclimate_training", "acclimate_indexer"):
        logging.getLogger(name).setLevel(level)  # pygls below WARNING would log whole messages: source code


class _VisibleFormatter(logging.Formatter):
    """Log lines name files and quote programs: none of that may drive a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


def _close_stdout() -> None:
    """Whoever read our output has enough (`| head`); Python would complain when it flushes at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
