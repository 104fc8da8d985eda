"""`acclimate mine`: a repository's commits as training pairs."""

import argparse
import asyncio
from typing import Any

from rich.table import Table

from acclimate_indexer.pairs import SPLITS

from ..pipeline_process import new_run_id, pipeline_python, resolved_job
from .context import Context
from .pipeline import opened_repository, run_child, tree_of
from .verb import DONE, Verbs, add_repository, add_verb


def register(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    parser = add_verb(
        verbs,
        shared,
        "mine",
        run,
        summary="turn a repository into training pairs",
        description="Reads the newest commit with tree-sitter and writes fill-in-the-middle pairs, split by "
        "file and by time, into a data set outside your work tree. Nothing is mined twice: an "
        "unchanged repository gives the data set that is there.",
        examples="acclimate mine\nacclimate mine ~/code/shop --json\n"
        "acclimate mine --set 'mining.exclude=[\"docs/**\"]'",
    )
    add_repository(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    repository = opened_repository(arguments.repository)
    settings = context.settings(repository.work_tree)
    home = context.home.create()
    job = resolved_job(
        run=new_run_id(),
        home=home,
        repository=tree_of(repository),
        settings=settings,
        model=settings.model.name,  # mining needs none
        phases=("mine",),
    )
    runs = home.for_repository(repository.common_directory).runs
    result = asyncio.run(
        run_child(job, runs, python=pipeline_python(job.phases, None), engine=None, terminal=context.terminal)
    )
    context.terminal.show(pairs_table(result.get("pairs", {}), f"{repository.name}, data set {result.get('dataset')}"))
    context.terminal.finish(result)
    return DONE


def pairs_table(pairs: dict[str, dict[str, Any]], title: str) -> Table:
    """How many pairs of each kind are in each part."""
    table = Table(title=title, title_justify="left")
    table.add_column("pairs")
    for split in SPLITS:
        table.add_column(split, justify="right")
    for kind, counts in pairs.items():
        table.add_row(kind, *(f"{counts.get(split, 0):,}" for split in SPLITS))
    return table
