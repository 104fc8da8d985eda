"""`acclimate retrain`: brings the adapter up to date with the repository, if need be; for a person and for a timer."""

import argparse
import asyncio
from typing import Any

from acclimate_indexer.repository import Repository

from ..keeping_up import Claim, current_drift
from ..settings import Settings
from .comparison import show_comparison
from .context import Context
from .dataset import split_table
from .pipeline import opened_repository, run_with_engine
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
        "retrain",
        run,
        summary="bring the adapter up to date with the repository",
        description="Mines, trains and compares again, as `acclimate adapt` does, with what is installed already. With "
        "--if-drifted only if enough is new since the adapter in use was made (training.drift_lines, "
        "training.drift_share, or a loss on newer code that has risen beyond doubt), and only if no training of this "
        "repository runs or waits already; otherwise it says so and ends with 0, so that a timer may call it daily. "
        "No adapter at all counts as drifted. Trainings of several repositories wait for one another.",
        examples="acclimate retrain\nacclimate retrain ~/code/shop --if-drifted\n"
        "acclimate retrain --if-drifted --minutes 20 --json | tail -n 1",
    )
    add_repository(parser)
    parser.add_argument("--if-drifted", action="store_true", help="only if enough is new, and none runs already")
    add_training_options(parser)
    add_evaluation_options(parser)
    add_model_option(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    repository = opened_repository(arguments.repository)
    settings = context.settings(
        repository.work_tree,
        model__name=arguments.model,
        training__minutes=arguments.minutes,
        training__max_pairs=arguments.max_pairs,
        evaluation__minutes=arguments.evaluation_minutes,
    )
    home = context.home.create().for_repository(repository.common_directory)
    drift = current_drift(repository, home, settings)
    if arguments.if_drifted and not drift.exceeds:
        return _nothing_done(drift.said, drift.to_json(), context)
    claim = Claim(home)  # also without --if-drifted, so that a timer's sees this one
    try:
        underway = claim.take()
        if arguments.if_drifted and underway:
            return _nothing_done(underway, drift.to_json(), context)
        context.terminal.say(drift.said)
        result = asyncio.run(_retrain(repository, settings, arguments.force, context))
    finally:
        claim.release()
    context.terminal.finish(result | {"retrained": True, "drift": drift.to_json()})
    return DONE


def _nothing_done(reason: str, drift: dict[str, Any], context: Context) -> int:
    context.terminal.show(reason)
    context.terminal.finish({"retrained": False, "reason": reason, "drift": drift})
    return DONE


async def _retrain(repository: Repository, settings: Settings, force: bool, context: Context) -> dict[str, Any]:
    result = await run_with_engine(repository, settings, context, phases=("mine", "train", "evaluate"), force=force)
    context.terminal.show(split_table(result.get("pairs", {}), f"Pairs mined from {repository.name}"))
    show_comparison(result, context.terminal)
    if words := speaking_words(result):
        context.terminal.show(words)
    return result
