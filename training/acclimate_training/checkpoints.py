"""Checkpoints of a training that is not finished: for which training they are, and which of them are whole.

A checkpoint is whole once its marker is there, which is written after everything else has reached the disk and names
the checksum of every file. One that was cut short by a kill, a loss of power or a failing disk is not gone on from.
"""

import errno
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from acclimate_indexer.durable import disk_full_named, write_json
from acclimate_indexer.errors import DiskFull
from acclimate_indexer.home import RepositoryHome

from .start import Start
from .validation import ValidationPlan

logger = logging.getLogger(__name__)

SCHEMA = 2
PLAN = "plan.json"
COMPLETE = "complete.json"
STATE = "trainer_state.json"  # transformers' name for the log of the steps
# What safetensors and torch say of a disk that is full, or of a limit on sizes; neither passes the system's error on.
FULL_DISK_WORDS = (
    *(f"os error {number}" for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)),
    *("PytorchStreamWriter failed", "iostream error", "unexpected pos"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a resumed training must not decide anew."""

    steps: int
    validation: ValidationPlan = field(default_factory=ValidationPlan)
    start: Start | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumable:
    """Where to go on from, None for the beginning, and what was wrong with newer checkpoints."""

    checkpoint: Path | None
    notes: tuple[str, ...] = ()

    @property
    def step(self) -> int:
        return 0 if self.checkpoint is None else _step(self.checkpoint)

    def log(self) -> list[dict[str, Any]]:
        """The log of the steps up to the checkpoint."""
        if self.checkpoint is None:
            return []
        state: dict[str, Any] = json.loads((self.checkpoint / STATE).read_text(encoding="utf-8"))
        return list(state["log_history"])


def begin(folder: Path, fingerprint: str, plan: Plan) -> None:
    """Empties the folder for a training by this plan."""
    shutil.rmtree(folder, ignore_errors=True)
    settle(folder, fingerprint, plan)


def settle(folder: Path, fingerprint: str, plan: Plan) -> None:
    """Writes the plan, and leaves what was trained by it."""
    write_json(folder / PLAN, {"schema": SCHEMA, "fingerprint": fingerprint} | asdict(plan))


def planned(folder: Path, fingerprint: str) -> Plan | None:
    """The plan of the training that this folder is of; None if it is of another, or of none."""
    try:
        record: dict[str, Any] = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        if record["fingerprint"] != fingerprint or record["schema"] != SCHEMA:
            return None
        at = record["validation"]
        validation = ValidationPlan(steps=tuple(map(int, at["steps"])), pairs=int(at["pairs"]))
        start = None if record.get("start") is None else Start.from_json(record["start"])
        return Plan(steps=int(record["steps"]), validation=validation, start=start)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def mark_complete(folder: Path, step: int) -> None:
    """To be called when all files of the checkpoint are written: brings them to the disk, then says so."""
    checkpoint = folder / f"checkpoint-{step}"
    with disk_full_named(checkpoint):
        sums = {file.name: _synced(file) for file in _content(checkpoint)}
        _sync_folder(checkpoint)
        write_json(checkpoint / COMPLETE, {"schema": SCHEMA, "sha256": sums})
        _sync_folder(checkpoint)
        _sync_folder(folder)


def resumable(folder: Path) -> Resumable:
    """The newest whole checkpoint. What is newer is damaged and is removed: it would only be in the way."""
    notes: list[str] = []
    for checkpoint in sorted(folder.glob("checkpoint-*"), key=_step, reverse=True):
        is_finished = (checkpoint / COMPLETE).exists()
        if is_finished and _is_whole(checkpoint):
            note = f"The training goes on from step {_step(checkpoint)}."
            return Resumable(checkpoint=checkpoint, notes=(*notes, note) if notes else ())
        if is_finished:  # else it was merely being written when the process ended
            notes.append(f"The checkpoint of step {_step(checkpoint)} is damaged and was not used.")
        shutil.rmtree(checkpoint, ignore_errors=True)
    if notes:
        notes.append("No checkpoint is whole: the training starts anew.")
    return Resumable(checkpoint=None, notes=tuple(notes))


def adopt(own: Path, home: RepositoryHome, fingerprint: str) -> None:
    """Moves what an interrupted run of the same training left to where this run looks for it."""
    for folder in sorted(home.runs.glob("*/checkpoints"), reverse=True):
        if own.exists():
            return
        if planned(folder, fingerprint) is not None and any(folder.rglob(COMPLETE)):
            folder.rename(own)


def remove_of(home: RepositoryHome, fingerprint: str) -> None:
    """What was left by a run that was killed between the end of this training and its own."""
    for folder in home.runs.glob("*/checkpoints"):
        if planned(folder, fingerprint) is not None:
            shutil.rmtree(folder, ignore_errors=True)


def remove_all(home: RepositoryHome) -> None:
    """For the end of a training; also takes what older runs left."""
    for folder in home.runs.glob("*/checkpoints"):
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def full_disk_named(folder: Path) -> Iterator[None]:
    """Turns what any of the writing libraries says of a full disk into one sentence.

    Raises:
        DiskFull: There is no room. What was whole before is whole still.
    """
    try:
        with disk_full_named(folder):
            yield
    except Exception as error:  # safetensors' error and torch's are plain exceptions without an errno
        if isinstance(error, DiskFull) or not any(words in str(error) for words in FULL_DISK_WORDS):
            raise
        raise DiskFull(
            f"Not all could be written into {str(folder)!r}: the disk seems to be full. "
            "Free some space and train again; the training goes on from the last whole checkpoint."
        ) from error


def _step(checkpoint: Path) -> int:
    number = checkpoint.name.rpartition("-")[2]
    return int(number) if number.isdigit() else -1


def _content(checkpoint: Path) -> list[Path]:
    return sorted(file for file in checkpoint.iterdir() if file.is_file() and file.name != COMPLETE)


def _is_whole(checkpoint: Path) -> bool:
    try:
        sums = json.loads((checkpoint / COMPLETE).read_text(encoding="utf-8"))["sha256"]
        return bool(sums) and all(_checksum(checkpoint / name) == expected for name, expected in sums.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _checksum(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _synced(file: Path) -> str:
    """The checksum of a file that has reached the disk."""
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    """A file's name is on the disk when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
