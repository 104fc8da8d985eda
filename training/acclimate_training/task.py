"""One training, from loading the base to the written adapter: in this process, or in several (`together`)."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acclimate_indexer.errors import DiskFull
from acclimate_indexer.models import LocalModel

from .devices import GpuShare
from .encoding import Example
from .recipe import Device, Recipe
from .start import Origin

if TYPE_CHECKING:
    from .course import Step, Trained


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What is learnt, and how its progress is called.

    Attributes:
        shared_unless: Half of the minutes are its if its steps are none of these; None gives it all.
        minutes: For all of it; None takes the setting's.
        steps: If they are given already.
        origin: An earlier adapter to begin from, if that does better.
        begin_at: What to begin afresh begins from; None for nothing.
    """

    phase: str
    examples: Sequence[Example]
    validation: Sequence[Example]
    fingerprint: str
    shared_unless: frozenset[int] | None = None
    minutes: float | None = None
    steps: int | None = None
    origin: Origin | None = None
    begin_at: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A lesson, and all else that its training needs.

    Attributes:
        threads: Of tensor arithmetic on the processor; 0 leaves the choice to torch.
        pad_id: The token that fills short rows.
        checkpoints: Their folder.
        target: Where the adapter is written, as a peft folder.
        share: Of the GPUs; None without any.
    """

    lesson: Lesson
    model: LocalModel
    recipe: Recipe
    device: Device
    seed: int
    threads: int
    minutes: float
    pad_id: int
    checkpoints: Path
    target: Path
    share: GpuShare | None = None


def loaded(task: Task) -> Any:
    """The base with a new adapter.

    Raises:
        ModelCorrupt: The base cannot be loaded.
    """
    from . import trainer

    base = trainer.load_base(task.model, task.device, threads=task.threads, method=task.recipe.method)
    return trainer.with_new_adapter(base, task.recipe, task.seed)


def performed(task: Task, model: Any, report: "Callable[[Step], None]") -> "Trained":
    """Trains the adapter and writes it. Of several processes the first reports and writes.

    Raises:
        TrainingError: The training diverged, or not a single pair fits into the memory.
        AdapterError: What it was to begin from cannot be read.
        DiskFull: There is no room.
    """
    from . import distributed, trainer

    lesson = task.lesson
    trained = trainer.train(
        model,
        lesson.examples,
        recipe=task.recipe,
        minutes=task.minutes,
        seed=task.seed,
        fingerprint=lesson.fingerprint,
        checkpoints=task.checkpoints,
        pad_id=task.pad_id,
        report=report,
        validation=lesson.validation,
        shared_unless=lesson.shared_unless,
        steps=lesson.steps,
        origin=lesson.origin,
        begin_at=None if lesson.begin_at is None else lesson.begin_at.weights,
    )
    if not distributed.is_first():
        return trained
    try:
        trainer.save_adapter(model, task.target, task.model.name)
    except DiskFull:
        shutil.rmtree(task.target, ignore_errors=True)  # half of an adapter is of no use, and others need the room
        raise
    return trained
