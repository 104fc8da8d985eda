"""What is known of a repository: its adapters, how their completions were received, its data, its last training.

For the command line and for editors. Reads files and git: not for an event loop.
"""

import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from acclimate_indexer.completion_feedback import CompletionFeedback
from acclimate_indexer.dataset import latest_dataset
from acclimate_indexer.errors import DatasetError, RepositoryError
from acclimate_indexer.feedback_summary import Use, uses
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.repository import Repository
from acclimate_training.job import Progress, read_progress
from acclimate_training.registry import Adapter, AdapterRegistry

from .keeping_up import current_drift
from .pipeline_process import PROGRESS_FILE
from .settings import Settings
from .words import progress_words

MAX_CURVE_POINTS = 200  # more than a curve is wide; a long training has thousands of steps
TRAINED = ("adapter", "adapter+retrieval")


def overview(repository: Repository, home: RepositoryHome, settings: Settings) -> dict[str, Any]:
    """All of it, as one object; the adapters newest first."""
    registry = AdapterRegistry(home)
    live = registry.live()
    newest_first = list(reversed(registry.versions()))
    adapters = [summary(adapter, live) | {"contenders": _contenders(adapter)} for adapter in newest_first]
    return {
        "repository": repository.name,
        "folder": str(repository.work_tree or repository.common_directory),
        "live": None if live is None else live.version,
        "adapters": adapters,
        "completions": [use.to_json() | {"words": use.words()} for use in known_uses(home)],
        "dataset": _dataset(home),
        "drift": _drift(repository, home, settings) if adapters else None,
        "run": _run(home),
    }


def summary(adapter: Adapter, live: Adapter | None) -> dict[str, Any]:
    """One adapter in a list."""
    return {
        "version": adapter.version,
        "tag": adapter.tag,
        "created": str(adapter.record.get("created", "")),
        "state": adapter.state,
        "withdrawn": adapter.is_withdrawn,
        "reason": adapter.reason,
        "base": adapter.base_name,
        "live": live is not None and live.version == adapter.version,
        "folder": str(adapter.folder),
    }


def known_uses(home: RepositoryHome) -> list[Use]:
    """How completions were received here, by adapter, the one used last at the end."""
    if not home.completions.exists():
        return []
    with closing(CompletionFeedback.open(home.completions)) as store:
        return uses(store.outcomes())


def last_run(home: RepositoryHome) -> tuple[str, list[Progress]] | None:
    """The last run's id and its lines of progress, at least one; None if there is none."""
    runs = sorted(home.runs.glob(f"*/{PROGRESS_FILE}"))
    if not runs:
        return None
    try:
        lines, _ = read_progress(runs[-1])
    except (OSError, json.JSONDecodeError):
        lines = []
    return (runs[-1].parent.name, lines) if lines else None


def _contenders(adapter: Adapter) -> list[dict[str, Any]]:
    """Exact match with its interval, by contender, as far as it was measured."""
    metrics: Mapping[str, Any] = adapter.record.get("metrics") or {}
    found: Mapping[str, Mapping[str, Any]] = metrics.get("contenders") or {}
    return [
        {
            "name": name,
            "is_adapter": name in TRAINED,
            **{key: figures.get(key) for key in ("exact_match", "exact_match_interval", "n")},
        }
        for name, figures in found.items()
        if figures.get("exact_match") is not None
    ]


def _dataset(home: RepositoryHome) -> dict[str, Any] | None:
    """The newest data set."""
    try:
        newest = latest_dataset(home)
    except DatasetError:
        return None
    return {"hash": newest.hash, "commit": newest.commit, "pairs": newest.counts}


def _drift(repository: Repository, home: RepositoryHome, settings: Settings) -> dict[str, Any] | None:
    try:
        return current_drift(repository, home, settings).to_json()
    except RepositoryError:
        return None


def _run(home: RepositoryHome) -> dict[str, Any] | None:
    """The last run, with its losses: those of single steps, thinned out evenly."""
    found = last_run(home)
    if found is None:
        return None
    run, lines = found
    steps = [line for line in lines if line.phase == "train" and line.loss is not None and line.state is None]
    every = max(1, -(-len(steps) // MAX_CURVE_POINTS))
    curve = [{"step": line.step, "of": line.of, "loss": line.loss} for line in steps[::every]]
    return {"id": run, "state": lines[-1].state or "running", "words": progress_words(lines[-1]), "curve": curve}
