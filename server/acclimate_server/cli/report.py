"""`acclimate report`: the page about one version, written and opened."""

import argparse
import os
import sys
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from acclimate_indexer.home import RepositoryHome
from acclimate_training.registry import Adapter, AdapterRegistry

from ..reports import kept_examples, meant_adapter, report_on
from .context import Context
from .pipeline import opened_repository
from .verb import DONE, Verbs, add_verb

Examples = Callable[[RepositoryHome, Adapter], Sequence[Mapping[str, Any]]]


def register(verbs: Verbs, shared: argparse.ArgumentParser, examples: Examples | None = None) -> None:
    """Adds the verb. `examples` gives the held-out places of an adapter with every contender's served answer.

    None takes what the evaluations have kept.
    """
    parser = add_verb(
        verbs,
        shared,
        "report",
        partial(run, examples=examples),
        summary="write and open the page about an adapter",
        description="Writes one HTML page about a version: the verdict and every check of the gate, all contenders "
        "with their intervals, places won and lost, the training, the data and the lineage. The page needs nothing "
        "but itself and sends nothing. It shows code of the repository only with --with-code.",
        examples="acclimate report\nacclimate report shop-20260401T101500-3f2a --with-code\n"
        "acclimate report --no-open --output report.html",
    )
    add_version(parser)
    parser.add_argument("--with-code", action="store_true", help="show code: what was asked, and the answers")
    parser.add_argument(
        "--open",
        action=argparse.BooleanOptionalAction,
        help="open it in the browser (default: where a person sits at the terminal)",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write it there instead of beside the adapters")


def add_version(parser: argparse.ArgumentParser) -> None:
    """VERSION and where it belongs."""
    parser.add_argument(
        "version", nargs="?", metavar="VERSION", help="an adapter (default: the one in use, else the newest)"
    )
    parser.add_argument(
        "--repository", "-C", type=Path, default=Path(), metavar="REPO", help="the repository (default: where you are)"
    )


def run(arguments: argparse.Namespace, context: Context, *, examples: Examples | None) -> int:
    home = context.home.for_repository(opened_repository(arguments.repository).common_directory)
    adapter = meant_adapter(AdapterRegistry(home), arguments.version)
    answered, note = kept_examples(context.home, home, adapter) if examples is None else (examples(home, adapter), "")
    if note:
        context.terminal.say(note)
    path = (arguments.output or home.report(adapter.version)).expanduser().absolute()
    report_on(adapter, home, path, answered, with_code=arguments.with_code)
    wanted = _someone_looks(context) if arguments.open is None else arguments.open
    opened = wanted and webbrowser.open(path.as_uri())
    context.terminal.show(str(path))
    if wanted and not opened:
        context.terminal.say("No browser could be opened here; open that file yourself.")
    context.terminal.finish({"report": str(path), "version": adapter.version, "opened": opened})
    return DONE


def _someone_looks(context: Context) -> bool:
    """Whether a person sits here, with a screen: over a plain remote shell a browser would open in the text."""
    if context.terminal.as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
