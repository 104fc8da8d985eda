"""`acclimate advise`: whether training is worth it here, before anything is trained."""

import argparse
import asyncio
from typing import Any

from ..completion.base_model import installed_model
from ..completion.connection import runtime_python
from ..pipeline_process import new_run_id, resolved_job
from ..runtime.find import find_runtime
from .comparison import contenders_table
from .context import Context
from .pipeline import held_engine, opened_repository, run_child, tree_of
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
    result = asyncio.run(_advise(arguments, context))
    terminal, advice = context.terminal, result.get("advice")
    if contenders := result.get("contenders"):
        terminal.show(contenders_table(contenders, f"{result.get('repository')}, without training"))
    for note in result.get("notes") or ():
        terminal.show(f"Note: {note}")
    terminal.show(TOO_FEW if advice is None else advice["said"])
    terminal.finish(result)
    return DONE


async def _advise(arguments: argparse.Namespace, context: Context) -> dict[str, Any]:
    repository = opened_repository(arguments.repository)
    settings = context.settings(
        repository.work_tree, model__name=arguments.model, evaluation__minutes=arguments.evaluation_minutes
    )
    home = context.home.create()
    model = installed_model(home, settings.model.name)
    job = resolved_job(
        run=new_run_id(),
        home=home,
        repository=tree_of(repository),
        settings=settings,
        model=model.name,
        phases=("mine", "advise"),
    )
    python = find_runtime(home, runtime_python(settings)).python
    runs = home.for_repository(repository.common_directory).runs
    async with held_engine(home, settings, model) as lease:
        return await run_child(job, runs, python=python, engine=lease.address, terminal=context.terminal)
