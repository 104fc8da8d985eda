"""`acclimate mine`: a repository's commits as training pairs."""

import argparse
import asyncio
from contextlib import closing
from typing import Any

from rich.console import Group
from rich.table import Table

from acclimate_indexer.blob_store import BlobStore
from acclimate_indexer.dataset import Dataset, MiningOptions
from acclimate_indexer.explanation import Explanation, explained
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.repository import Repository

from ..pipeline_process import new_run_id, pipeline_python, resolved_job
from ..settings import Settings
from .context import Context
from .dataset import manifest_tables
from .pipeline import opened_repository, run_child, tree_of
from .verb import DONE, Verbs, add_repository, add_verb

SHOWN_CHARACTERS = 60  # of a hole's text


def register(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    parser = add_verb(
        verbs,
        shared,
        "mine",
        run,
        summary="turn a repository into training pairs",
        description="Reads the newest commit with tree-sitter, and the history with git, and writes completion, "
        "documentation and review pairs, split by file and by time, and conventions into a data set outside your work "
        "tree. Nothing is mined twice: what is known of a file is kept by its content.",
        examples="acclimate mine\nacclimate mine ~/code/shop --json\nacclimate mine --explain src/cart.py\n"
        "acclimate mine --set 'mining.exclude=[\"docs/**\"]'",
    )
    add_repository(parser)
    parser.add_argument("--explain", metavar="FILE", help="tell what was taken of one file, what was not, and why")


def run(arguments: argparse.Namespace, context: Context) -> int:
    repository = opened_repository(arguments.repository)
    settings = context.settings(repository.work_tree)
    home = context.home.create().for_repository(repository.common_directory)
    dataset, seconds = mined_here(repository, home, settings, context)
    if arguments.explain is None:
        context.terminal.show(manifest_tables(dataset.manifest))
        context.terminal.finish(dataset.manifest | seconds)
        return DONE
    options = MiningOptions.from_settings(settings.mining_overrides())
    with closing(BlobStore.open(home.blobs)) as store:
        explanation = explained(repository, arguments.explain, options, dataset, store)
    context.terminal.show(_explanation_tables(explanation))
    context.terminal.finish(explanation.to_json())
    return DONE


def mined_here(
    repository: Repository, home: RepositoryHome, settings: Settings, context: Context
) -> tuple[Dataset, dict[str, Any]]:
    """The data set of the newest commit, with bars while it is made, and how many seconds that took."""
    job = resolved_job(
        run=new_run_id(),
        home=context.home,
        repository=tree_of(repository),
        settings=settings,
        model=settings.model.name,  # mining needs none
        phases=("mine",),
    )
    python = pipeline_python(job.phases, None)
    result = asyncio.run(run_child(job, home.runs, python=python, engine=None, terminal=context.terminal))
    seconds = {"seconds": result["seconds"]["mine"], "stage_seconds": result["mining_seconds"]}
    return Dataset.open(home.datasets / result["dataset"]), seconds


def _explanation_tables(explanation: Explanation) -> Group | str:
    if explanation.reason:
        return f"Nothing is taken of {explanation.path}: {explanation.reason}."
    taken = Table("line", "pair", "where", "begins", title=explanation.path, title_justify="left")
    for hole in explanation.holes:
        shown = " ".join(hole.text.split())[:SHOWN_CHARACTERS]
        taken.add_row(str(hole.line), f"{hole.kind}, {hole.place}", hole.outcome, shown)
    dropped = Table("line", "pair", "why not", title="dropped", title_justify="left")
    for line, place, reason in explanation.dropped:
        dropped.add_row(str(line), place, reason)
    lines = ", ".join(map(str, explanation.secrets)) or "none"
    return Group(taken, dropped, f"Lines with secrets or mail addresses: {lines}. Review pairs: {explanation.reviews}.")
