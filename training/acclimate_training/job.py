"""What a training child is told, and what it tells: `job.json` in, `progress.jsonl` out.

The command line and the editor write the same job and start the same child (`python -P -m acclimate_training JOB`).
The engine's address and key travel by environment (`EngineAddress.to_environment`), never in the job.
"""

import errno
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from acclimate_indexer.durable import write_json
from acclimate_indexer.errors import UsageError

from .devices import GpuPolicy

logger = logging.getLogger(__name__)

SCHEMA = 1
Phase = Literal["mine", "advise", "train", "evaluate"]
RefitPolicy = Literal["auto", "always", "never"]
State = Literal["finished", "cancelled", "failed"]
END_STATES = ("finished", "cancelled", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything a pipeline child needs; resolved, without secrets.

    Attributes:
        repository: The work tree or bare repository to mine.
        phases: In order. `train` without `mine` takes `dataset`; `evaluate` without `train` takes `adapter`.
        dataset: Hash of a data set to use instead of mining, or None for the newest.
        adapter: Version to evaluate instead of training, or None for the newest.
        model: Name of a base model that is whole in the cache.
        minutes: Bounds the training itself; becomes a step count after a timed warm-up.
        evaluation_minutes: Bounds the evaluation.
        max_pairs: At most so many training pairs are used; None for all that fit.
        force: Trains on too few pairs, and takes the adapter into use whatever the comparison says. Recorded.
        threads: Of tensor arithmetic on the processor; 0 leaves the choice to torch.
        mining: Settings `mining.*` that are not default.
        recipe: Overrides of the recipe's fields.
        gate: Thresholds of the verdict.
        gpu_policy: How a GPU is shared with the engine.
        refit: Whether a promoted recipe is fitted again on everything up to HEAD; `auto` does with a GPU.
    """

    id: str
    repository: Path
    data: Path
    cache: Path
    phases: tuple[Phase, ...]
    model: str
    minutes: float = 10.0
    evaluation_minutes: float = 6.0
    max_pairs: int | None = None
    force: bool = False
    seed: int = 0
    threads: int = 0
    dataset: str | None = None
    adapter: str | None = None
    mining: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)
    gate: dict[str, Any] = field(default_factory=dict)
    gpu_policy: GpuPolicy = "auto"
    refit: RefitPolicy = "auto"

    def write(self, path: Path) -> None:
        """Writes `job.json`, whole or not at all."""
        record = asdict(self) | {
            "schema": SCHEMA,
            "repository": str(self.repository),
            "data": str(self.data),
            "cache": str(self.cache),
        }
        write_json(path, record, mode=0o600)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads `job.json`; unknown keys are ignored.

        Raises:
            UsageError: The file is no job of this schema.
        """
        try:
            record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if record["schema"] != SCHEMA:
                raise UsageError(f"{str(path)!r} has schema {record['schema']!r}; this version reads {SCHEMA}.")
            known = {name: record[name] for name in cls.__slots__ if name in record}
            for name in ("repository", "data", "cache"):
                known[name] = Path(known[name])
            return cls(**{**known, "phases": tuple(known["phases"])})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{str(path)!r} is not a job: {error!r}.") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One line of `progress.jsonl`.

    Attributes:
        phase: Which part of the work, e.g. `mine`, `load`, `train`, `loss`, `generate`.
        step: Done so far, of `of`; 0 of 0 while the extent is unknown.
        loss: Nats per token of the middle.
        seconds_left: Estimate for this phase.
        state: None while running; the last line says how it ended.
        reason: Why it failed or was cancelled.
        result: What a finished run gives: `pairs`, `contenders`, `adapter`, `verdict`, `seconds`, `dataset`.
    """

    phase: str = ""
    step: int = 0
    of: int = 0
    loss: float | None = None
    tokens_per_second: float | None = None
    seconds_left: float | None = None
    message: str | None = None
    state: State | None = None
    reason: str | None = None
    result: dict[str, Any] | None = None

    @classmethod
    def from_line(cls, line: str) -> Self:
        record = json.loads(line)
        return cls(**{name: record[name] for name in cls.__slots__ if name in record})


class ProgressLog:
    """Appends to `progress.jsonl`; at most ten lines a second for steps, every line for anything else."""

    MIN_INTERVAL_SECONDS = 0.1

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._last = 0.0

    def report(self, progress: Progress) -> None:
        """Writes a line; a step that follows the last one too closely is dropped unless it completes its phase.

        On a full disk the line is lost: that alone stops nobody, and what cannot go on says so itself.
        """
        now = time.monotonic()
        is_step = progress.state is None and 0 < progress.step < progress.of
        if is_step and now - self._last < self.MIN_INTERVAL_SECONDS:
            return
        self._last = now
        record = {key: value for key, value in asdict(progress).items() if value is not None}
        try:
            self._append(json.dumps(record).encode() + b"\n")
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            logger.warning("The disk is full: a line of progress is lost: %s", record)

    def _append(self, line: bytes) -> None:
        with self._path.open("a+b") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                is_torn = file.read(1) != b"\n"  # by a full disk, or a kill
                line = b"\n" + line if is_torn else line
            file.write(line)


def read_progress(path: Path, offset: int = 0) -> tuple[list[Progress], int]:
    """The whole lines written since byte `offset`, without torn ones, and the offset to go on from."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read()
    except FileNotFoundError:
        return [], offset
    whole, newline, _ = data.rpartition(b"\n")
    if not newline:
        return [], offset
    return list(_parsed(whole)), offset + len(whole) + 1


def _parsed(whole: bytes) -> Iterator[Progress]:
    for line in whole.decode("utf-8", errors="replace").splitlines():
        with suppress(ValueError, TypeError):
            yield Progress.from_line(line)
