"""A training in a process of its own, to be killed: the tiny model, its adapter, and the registry it ends in.

Started with `multiprocessing`'s fork server, which has loaded the tensor libraries once for all children.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from acclimate_indexer.home import Home
from acclimate_indexer.models import local_model
from acclimate_training.encoding import Example
from acclimate_training.recipe import Recipe
from acclimate_training.validation import ValidationPlan

PRELOADED = ["torch", "transformers.trainer", "peft", "safetensors.torch", "tests.support.training_child"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """All that the child is told."""

    home: Path
    model: str
    steps: int
    folder: Path
    recipe: Recipe
    validation: ValidationPlan


def some_examples(count: int) -> list[Example]:
    """Examples of different lengths, the same at every call."""
    return [
        Example(
            prompt=tuple(3 + (7 * number + at) % 300 for at in range(5 + number % 9)),
            target=(*(5 + (number + at) % 40 for at in range(1 + number % 4)), 0),
        )
        for number in range(count)
    ]


def run(task: Task, progress: Connection) -> None:
    """Trains and saves the adapter; sends each step, and what was done at the end."""
    adapted, done = trained(task, progress.send)
    save(task, adapted)
    progress.send(done)


def trained(task: Task, told: Callable[[int], None]) -> tuple[Any, Any]:
    """The model with its trained adapter, and what was done."""
    import torch

    from acclimate_training import checkpoints as kept
    from acclimate_training.trainer import load_base, train, with_new_adapter

    torch.set_num_threads(1)
    model = local_model(Home(data=task.home, cache=task.home, config=task.home), task.model)
    adapted: Any = with_new_adapter(load_base(model, "cpu").float(), task.recipe, seed=0)
    checkpoints = task.folder / "checkpoints"
    if kept.planned(checkpoints, "f") is None:
        kept.begin(checkpoints, "f", kept.Plan(steps=task.steps, validation=task.validation))
    examples = some_examples(48)
    done = train(
        adapted,
        examples[:40],
        recipe=task.recipe,
        minutes=1.0,
        seed=0,
        fingerprint="f",
        checkpoints=checkpoints,
        pad_id=0,
        report=lambda step: told(step.step),
        validation=examples[40:],
    )
    return adapted, done


def save(task: Task, adapted: Any) -> None:
    """Writes `<folder>/adapter-<time>`."""
    from acclimate_training.trainer import save_adapter

    save_adapter(adapted, task.folder / f"adapter-{datetime.now(UTC):%H%M%S%f}", task.model)
