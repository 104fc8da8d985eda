"""What the phases of one run share: who hears of the progress, the seconds that were spent, and what must be said."""

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from acclimate_indexer.home import Home

from .devices import GpuShare
from .job import Job, Progress

if TYPE_CHECKING:
    from .trainer import Step

ENGINE_SECONDS = 60  # from its start until it is ready, on two cores


class Advance(Protocol):
    """Says how far a phase is; without an estimate of the seconds left one is made."""

    def __call__(self, done: int, of: int, seconds_left: float | None, message: str | None = None) -> None: ...


@dataclass(kw_only=True)
class Run:
    """One run of a job.

    Attributes:
        folder: Its own, for checkpoints.
        seconds: What each phase took so far.
        notes: Sentences for whoever reads the result.
        share: Of the GPUs; None without any.
        engine_asleep: Within it the engine sleeps, where it must for a model of ours to have room.
    """

    job: Job
    home: Home
    folder: Path
    report: Callable[[Progress], None]
    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    share: GpuShare | None = None
    engine_asleep: Callable[[], AbstractContextManager[None]] = nullcontext

    def note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)

    @contextmanager
    def phase(self, name: str) -> Iterator[Advance]:
        """Says that a phase begins, and adds up its seconds."""
        started = time.monotonic()

        def advance(done: int, of: int, seconds_left: float | None, message: str | None = None) -> None:
            elapsed = time.monotonic() - started
            left = elapsed / done * (of - done) if seconds_left is None and done else seconds_left
            rounded = None if left is None else round(left, 1)
            self.report(Progress(phase=name, step=done, of=of, seconds_left=rounded, message=message))

        self.report(Progress(phase=name))
        try:
            yield advance
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.monotonic() - started, 2)

    @contextmanager
    def room_for_a_model(self) -> Iterator[None]:
        """To load one in a function that is called within; its gigabytes are the engine's again afterwards."""
        with self.engine_asleep():
            try:
                yield
            finally:
                gc.collect()
                if (torch := sys.modules.get("torch")) is not None and torch.cuda.is_available():
                    torch.cuda.empty_cache()

    def report_step(self, phase: str, step: "Step") -> None:
        self.report(
            Progress(
                phase=phase,
                step=step.step,
                of=step.of,
                loss=round(step.loss, 4),
                tokens_per_second=round(step.tokens_per_second, 1),
                seconds_left=round(step.seconds_left, 1),
                message=step.message,
            )
        )

    def report_engine(self, waited: float) -> None:
        usual = max(ENGINE_SECONDS, int(waited) + 1)
        self.report(Progress(phase="engine", step=int(waited), of=usual, seconds_left=round(usual - waited, 1)))
