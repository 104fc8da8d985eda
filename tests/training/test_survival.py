"""A training that is killed again and again is the training that nobody disturbed."""

import multiprocessing
import random
import time
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from tests.support import training_child
from tests.support.tiny_model import TINY, tiny_model
from tests.support.training_child import PRELOADED, Task

from acclimate_indexer.home import Home
from acclimate_training.recipe import Recipe
from acclimate_training.validation import ValidationPlan

pytestmark = pytest.mark.tensor
pytest.importorskip("torch", reason="the runtime is not installed")
pytest.importorskip("peft", reason="the runtime is not installed")

KILLS = 10
STEPS = 64  # eight checkpoints of eight steps
PATIENCE_SECONDS = 120.0  # for a process that should have moved on long ago


@pytest.fixture
def task(tmp_path: Path) -> Task:
    """Dropout draws random numbers, measurements keep the best weights: both must come back."""
    home = Home(data=tmp_path, cache=tmp_path, config=tmp_path).create()
    tiny_model(home)
    return Task(
        home=tmp_path,
        model=TINY,
        steps=STEPS,
        folder=tmp_path / "whole",
        recipe=Recipe(batch=4, micro_batch=2, layers="all", dropout=0.2, learning_rate=1e-3),
        validation=ValidationPlan(steps=(16, 32, 48, 64), pairs=8),
    )


def started(task: Task) -> tuple[BaseProcess, Connection]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=training_child.run, args=(task, theirs))
    child.start()
    theirs.close()
    return child, ours


def to_its_end(task: Task) -> tuple[Any, list[int], float]:
    """What was done, the steps that were told, and the seconds between the first of them and the last."""
    child, progress = started(task)
    steps: list[int] = []
    first = last = 0.0
    while True:
        assert progress.poll(PATIENCE_SECONDS), "the training does not go on"
        heard = progress.recv()
        if not isinstance(heard, int):
            child.join(PATIENCE_SECONDS)
            return heard, steps, last - first
        last = time.monotonic()
        first = first or last
        steps.append(heard)


def killed_at_some_moment(task: Task, rng: random.Random, seconds: float) -> int:
    """Kills the training within so many seconds after its first step; the last step that was told."""
    child, progress = started(task)
    last = 0
    assert progress.poll(PATIENCE_SECONDS), "the training does not begin"
    deadline = time.monotonic() + rng.uniform(0, seconds)
    while progress.poll(max(0.0, deadline - time.monotonic())):
        try:
            last = progress.recv()
        except EOFError:
            break
        if last >= STEPS - 1:  # not after its end
            break
    child.kill()
    child.join(PATIENCE_SECONDS)
    return last


def adapter_bytes(task: Task) -> bytes:
    (folder,) = task.folder.glob("adapter-*")
    return (folder / "adapter_model.safetensors").read_bytes()


def test_ten_kills_at_random_moments_change_nothing(task: Task, tmp_path: Path) -> None:
    expected, all_steps, seconds = to_its_end(task)
    disturbed = replace(task, folder=tmp_path / "disturbed")
    rng = random.Random(4)
    killed_at = [killed_at_some_moment(disturbed, rng, seconds / 4) for _ in range(KILLS)]
    done, rest, _ = to_its_end(disturbed)

    assert all_steps == list(range(1, STEPS + 1))
    assert sum(0 < last < STEPS for last in killed_at) >= KILLS // 2, killed_at  # while it trained
    assert rest[-1] == STEPS
    assert done.resumed_at > 0, killed_at
    assert (done.steps, done.stopped_at, done.best_step) == (expected.steps, expected.stopped_at, expected.best_step)
    assert done.curve == expected.curve
    assert done.notes == ()  # a checkpoint that was being written is no damage
    assert adapter_bytes(disturbed) == adapter_bytes(task)
