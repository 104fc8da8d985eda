"""`acclimate doctor`: what is missing on this machine, and with --fix mends it."""

import argparse
from dataclasses import asdict

from ..settings import as_markdown
from .context import Context
from .preflight import say_preflight
from .readiness import ready_model, ready_runtime
from .verb import DONE, Verbs, add_model_option, add_verb

FINDINGS = 1


def register(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    parser = add_verb(
        verbs,
        shared,
        "doctor",
        run,
        summary="check this machine, install what is missing",
        description="Looks at Python, memory, disk, processor, GPU, the runtime (torch, vLLM) and the base "
        "model, and says what each finding means. Changes nothing without --fix. Exit code 1 if "
        "something is missing.",
        examples="acclimate doctor\nacclimate doctor --fix\nacclimate doctor --settings      all settings, as a table",
    )
    parser.add_argument("--fix", action="store_true", help="install the runtime and fetch the base model")
    parser.add_argument(
        "--settings", action="store_true", help="print all settings as a Markdown table, and nothing else"
    )
    parser.add_argument("--accept-licence", action="store_true", help="accept a model's licence that restricts its use")
    add_model_option(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    if arguments.settings:
        context.terminal.show(as_markdown().rstrip())
        return DONE
    settings = context.settings(
        model__name=arguments.model, model__accept_licence=True if arguments.accept_licence else None
    )
    if arguments.fix:
        context.home.create()
        runtime = ready_runtime(context.home, settings, context.terminal)
        ready_model(context.home, settings, runtime, context.terminal)
    found = say_preflight(context.home, context.terminal, everything=True)
    missing = [check.sentence for check in found.checks if not check.ok]
    context.terminal.show("Everything is there." if not missing else f"{len(missing)} findings; see above.")
    context.terminal.finish(asdict(found) | {"missing": missing})
    return FINDINGS if missing else DONE
