"""The parent's end of a comparison: contestants in processes of their own, one of which works at a time."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.contestant import Job, Name
from benchmarks.held_out import PairLoss

from acclimate_indexer.errors import TrainingError

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 10  # for a child to end by itself
GB = 1e9
LOG_CHARACTERS = 600  # of a failed child's log, the last ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What a contestant did in one round; `peak_bytes` since its start."""

    tokens: int
    seconds: float
    processor_seconds: float
    peak_bytes: int

    @property
    def said(self) -> str:
        return f"{self.tokens / self.seconds:.0f} tokens/s, {self.peak_bytes / GB:.2f} GB"


@dataclass(slots=True, kw_only=True)
class Outcome:
    """Of one contestant.

    Attributes:
        loaded_bytes: The most that it had held when it was ready to train.
        losses: On the held-out pairs, `after` the training; of ours `before`, too.
        failure: Why there is no more than that.
    """

    loaded_bytes: int = 0
    rounds: list[Round] = field(default_factory=list)
    losses: dict[str, list[PairLoss]] = field(default_factory=dict)
    failure: str | None = None


def contest(jobs: Sequence[Job], folder: Path, *, rounds: int) -> dict[Name, Outcome]:
    """Trains and measures all in turns, forwards and backwards, so that none always comes after the same other."""
    outcomes: dict[Name, Outcome] = {job.name: Outcome() for job in jobs}
    running: list[_Contestant] = []
    try:
        running += [_Contestant(job, folder) for job in jobs]
        for each in running:  # all are loaded before any trains
            _take(each, outcomes[each.name])
        for number in range(rounds + 1):  # the last is the measurement
            for each in running if number % 2 == 0 else reversed(running):
                if outcomes[each.name].failure is None:
                    each.go()
                    _take(each, outcomes[each.name])
    finally:
        for each in running:
            each.close()
    return outcomes


def _take(contestant: "_Contestant", outcome: Outcome) -> None:
    try:
        told = contestant.told()
    except TrainingError as error:
        outcome.failure = str(error)
        return
    if "losses" in told:
        outcome.losses = {when: [PairLoss.from_json(each) for each in found] for when, found in told["losses"].items()}
    elif "loaded_bytes" in told:
        outcome.loaded_bytes = int(told["loaded_bytes"])
    else:
        outcome.rounds.append(Round(**told))
        print(f"{contestant.name}: {outcome.rounds[-1].said}", file=sys.stderr)  # a quarter of an hour is long


class _Contestant:
    def __init__(self, job: Job, folder: Path) -> None:
        self.name = job.name
        self._log = folder / f"{job.name}.log"
        file = folder / f"{job.name}.json"
        job.write(file)
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "benchmarks.contestant", str(file)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=folder,
                env=_environment(os.environ),
            )

    def go(self) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("go\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # `told` says why

    def told(self) -> dict[str, Any]:
        """What the child says next.

        Raises:
            TrainingError: It has ended instead.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            said = self._log.read_text(encoding="utf-8", errors="replace").strip()[-LOG_CHARACTERS:]
            raise TrainingError(f"The contestant {self.name!r} ended early: {said or 'it left no message'}")
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Nothing is fetched or told to anyone: TRL would."""
    return {**environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
