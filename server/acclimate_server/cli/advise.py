"""`acclimate advise`: whether training is worth it here, before anything is trained."""

import argparse
import asyncio

from .comparison import contenders_table
from .context import Context
from .pipeline import opened_repository, run_with_engine
from .verb import DONE, Verbs, add_evaluation_options, add_model_option, add_repository, add_verb

TOO_FEW = "Too few held-out places were answered to say anything. Give it more `--evaluation-minutes`."


def register(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    parser = add_verb(
        verbs,
        shared,
        "advise",
        run,
        summary="say whether training is worth it here",
        description="Completes 100 held-out places with the base model, with retrieval, and with the repository's "
        "conventions and a few examples in the prompt, and says what is left to gain by training. What was "
        "generated is kept for the comparison of a later training.",
        examples="acclimate advise\nacclimate advise ~/code/shop --evaluation-minutes 10",
    )
    add_repository(parser)
    add_evaluation_options(parser)
    add_model_option(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    repository = opened_repository(arguments.repository)
    settings = context.settings(
        repository.work_tree, model__name=arguments.model, evaluation__minutes=arguments.evaluation_minutes
    )
    result = asyncio.run(run_with_engine(repository, settings, context, phases=("mine", "advise")))
    terminal, advice = context.terminal, result.get("advice")
    if contenders := result.get("contenders"):
        terminal.show(contenders_table(contenders, f"{result.get('repository')}, without training"))
    for note in result.get("notes") or ():
        terminal.show(f"Note: {note}")
    terminal.show(TOO_FEW if advice is None else advice["said"])
    terminal.finish(result)
    return DONE
