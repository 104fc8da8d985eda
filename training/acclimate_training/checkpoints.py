"""Checkpoints of a training that is not finished: for which training they are, and which of them are whole."""

import json
import shutil
from pathlib import Path
from typing import Any

from acclimate_indexer.durable import write_json
from acclimate_indexer.home import RepositoryHome

SCHEMA = 1
PLAN = "plan.json"  # for which training, and how many steps: a resumed run must not count them anew
COMPLETE = "complete"  # written into a checkpoint when everything else is there


def begin(folder: Path, fingerprint: str, steps: int) -> None:
    """Empties the folder for a training of so many steps."""
    shutil.rmtree(folder, ignore_errors=True)
    write_json(folder / PLAN, {"schema": SCHEMA, "fingerprint": fingerprint, "steps": steps})


def planned_steps(folder: Path, fingerprint: str) -> int | None:
    """How many steps the training has that this folder is of; None if it is of another, or of none."""
    try:
        plan: dict[str, Any] = json.loads((folder / PLAN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return int(plan["steps"]) if plan.get("fingerprint") == fingerprint and plan.get("schema") == SCHEMA else None


def mark_complete(folder: Path, step: int) -> None:
    write_json(folder / f"checkpoint-{step}" / COMPLETE, {})


def newest_complete(folder: Path) -> Path | None:
    complete = [marker.parent for marker in folder.glob(f"checkpoint-*/{COMPLETE}")]
    return max(complete, key=lambda checkpoint: int(checkpoint.name.rpartition("-")[2]), default=None)


def adopt(own: Path, home: RepositoryHome, fingerprint: str) -> None:
    """Moves what an interrupted run of the same training left to where this run looks for it."""
    for folder in sorted(home.runs.glob("*/checkpoints"), reverse=True):
        if own.exists():
            return
        if planned_steps(folder, fingerprint) is not None and newest_complete(folder) is not None:
            folder.rename(own)


def remove_all(home: RepositoryHome) -> None:
    """For the end of a training; also takes what older runs left."""
    for folder in home.runs.glob("*/checkpoints"):
        shutil.rmtree(folder, ignore_errors=True)
