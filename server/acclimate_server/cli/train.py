"""`acclimate train`: an adapter from the newest data set, without a comparison."""

import argparse
import asyncio

from ..completion.base_model import installed_model
from ..completion.connection import runtime_python
from ..pipeline_process import new_run_id, resolved_job
from ..runtime.find import find_runtime
from .context import Context
from .pipeline import opened_repository, run_child, tree_of
from .verb import DONE, Verbs, add_model_option, add_repository, add_training_options, add_verb


def register(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    parser = add_verb(
        verbs,
        shared,
        "train",
        run,
        summary="fine-tune an adapter on what was mined",
        description="Trains a LoRA adapter in a process of its own. It is not taken into use before `acclimate "
        "evaluate` has compared it, except with --force. Most people want `acclimate adapt`, which "
        "does it all.",
        examples="acclimate train\nacclimate train --minutes 5 --max-pairs 200\nacclimate train --dataset 3f2a91",
    )
    add_repository(parser)
    add_training_options(parser)
    add_model_option(parser)
    parser.add_argument("--dataset", metavar="HASH", help="a data set of this repository (default: the newest)")


def run(arguments: argparse.Namespace, context: Context) -> int:
    repository = opened_repository(arguments.repository)
    settings = context.settings(
        repository.work_tree,
        model__name=arguments.model,
        training__minutes=arguments.minutes,
        training__max_pairs=arguments.max_pairs,
    )
    home = context.home.create()
    job = resolved_job(
        run=new_run_id(),
        home=home,
        repository=tree_of(repository),
        settings=settings,
        model=installed_model(home, settings.model.name).name,
        phases=("train",),
        force=arguments.force,
        dataset=arguments.dataset,
    )
    python = find_runtime(home, runtime_python(settings)).python
    runs = home.for_repository(repository.common_directory).runs
    result = asyncio.run(run_child(job, runs, python=python, engine=None, terminal=context.terminal))
    context.terminal.show(f"Adapter {result.get('adapter')}. Compare it with the base: `acclimate evaluate`.")
    context.terminal.finish(result)
    return DONE
