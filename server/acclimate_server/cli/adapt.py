"""`acclimate adapt`: the whole path as one command, from a repository to its own completions."""

import argparse
import asyncio
import time
from typing import Any

from acclimate_indexer.models import LocalModel
from acclimate_indexer.repository import Repository

from ..pipeline_process import new_run_id, resolved_job
from ..runtime.find import Runtime
from ..settings import Settings
from .comparison import show_comparison
from .context import Context
from .dataset import split_table
from .demonstration import demonstrate, editor_words
from .pipeline import held_engine, opened_repository, run_child, tree_of
from .preflight import require_fit, say_preflight
from .readiness import ready_model, ready_runtime
from .reviews import speaking_words
from .verb import (
    DONE,
    Verbs,
    add_evaluation_options,
    add_model_option,
    add_repository,
    add_training_options,
    add_verb,
)


def register(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    parser = add_verb(
        verbs,
        shared,
        "adapt",
        run,
        summary="the whole path: mine, train, compare, and show a completion",
        description="Mines the repository, fine-tunes an adapter on it in the background, compares it with the "
        "base model on held-out code, takes it into use if it is better beyond doubt, and asks the "
        "language server for one completion with each. What is missing (torch, vLLM, a base model) "
        "is installed outside your work tree. A second run reuses all that is still valid. An "
        "adapter that is not better is a normal end: exit code 0.",
        examples="acclimate adapt\nacclimate adapt ~/code/shop --minutes 5 --evaluation-minutes 3\n"
        "acclimate adapt . --minutes 1 --max-pairs 60 --force      a quick look at the machinery, no real gain\n"
        "acclimate adapt . --json | tail -n 1",
    )
    add_repository(parser)
    add_training_options(parser)
    add_evaluation_options(parser)
    add_model_option(parser)
    parser.add_argument("--accept-licence", action="store_true", help="accept a model's licence that restricts its use")


def run(arguments: argparse.Namespace, context: Context) -> int:
    started = time.monotonic()
    repository = opened_repository(arguments.repository)
    settings = context.settings(
        repository.work_tree,
        model__name=arguments.model,
        model__accept_licence=True if arguments.accept_licence else None,
        training__minutes=arguments.minutes,
        training__max_pairs=arguments.max_pairs,
        evaluation__minutes=arguments.evaluation_minutes,
    )
    context.home.create()
    require_fit(say_preflight(context.home, context.terminal))
    runtime = ready_runtime(context.home, settings, context.terminal)
    model = ready_model(context.home, settings, runtime, context.terminal)
    prepared = time.monotonic() - started
    result = asyncio.run(_adapt(repository, settings, runtime, model, arguments.force, context))
    seconds = {
        "prepare": round(prepared, 1),
        **result.get("seconds", {}),
        "total": round(time.monotonic() - started, 1),
    }
    result |= {"seconds": seconds}
    if words := speaking_words(result):
        context.terminal.show(words)
    context.terminal.show(_seconds_words(seconds))
    context.terminal.show(editor_words(tree_of(repository)))
    context.terminal.finish(result)
    return DONE


async def _adapt(
    repository: Repository, settings: Settings, runtime: Runtime, model: LocalModel, force: bool, context: Context
) -> dict[str, Any]:
    home, terminal = context.home, context.terminal
    terminal.say(f"Base model: {model.name} ({model.variant}, {model.precision}), {model.licence}.")
    job = resolved_job(
        run=new_run_id(),
        home=home,
        repository=tree_of(repository),
        settings=settings,
        model=model.name,
        phases=("mine", "train", "evaluate"),
        force=force,
    )
    runs = home.for_repository(repository.common_directory).runs
    async with held_engine(home, settings, model) as lease:  # before the child: it loads while mining goes on
        result = await run_child(job, runs, python=runtime.python, engine=lease.address, terminal=terminal)
        terminal.show(split_table(result.get("pairs", {}), f"Pairs mined from {repository.name}"))
        show_comparison(result, terminal)
        result["examples"] = await demonstrate(result, tree_of(repository), model, context)
    return result


def _seconds_words(seconds: dict[str, float]) -> str:
    return "Seconds: " + ", ".join(f"{phase} {value:.0f}" for phase, value in seconds.items()) + "."
