"""Two processes train as one does. They stand for two GPUs, of which there are none here."""

import json
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.support.tiny_model import TINY, tiny_model
from tests.support.training_child import some_examples

from acclimate_indexer.errors import AdapterError
from acclimate_indexer.home import Home
from acclimate_indexer.models import local_model
from acclimate_training.checkpoints import Plan, begin
from acclimate_training.devices import GpuShare
from acclimate_training.recipe import Recipe
from acclimate_training.start import Origin
from acclimate_training.task import Lesson, Task, loaded, performed
from acclimate_training.together import performed_together, processes_for
from acclimate_training.validation import ValidationPlan

pytestmark = pytest.mark.tensor
torch = pytest.importorskip("torch", reason="the runtime is not installed")
pytest.importorskip("peft", reason="the runtime is not installed")

STEPS = 12

FOLLOWER = """
import pickle, sys
from pathlib import Path
from acclimate_training.together import performed_together
task = pickle.loads(Path(sys.argv[1]).read_bytes())
performed_together(task, 2, Path(sys.argv[2]), lambda step: print(step.step, flush=True))
"""


@pytest.fixture(autouse=True)
def few_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def a_task(folder: Path, steps: int = STEPS, **changes: Any) -> Task:
    home = Home(data=folder, cache=folder, config=folder).create()
    model = local_model(home, TINY) if home.model(TINY).exists() else tiny_model(home)
    examples = some_examples(48)
    lesson = Lesson(phase="train", examples=examples[:40], validation=examples[40:], fingerprint="f", steps=steps)
    return Task(
        lesson=replace(lesson, **changes),
        model=model,
        recipe=Recipe(batch=8, micro_batch=4, layers="all", learning_rate=1e-3),
        device="cpu",
        seed=0,
        threads=1,
        minutes=1.0,
        pad_id=0,
        checkpoints=folder / "checkpoints",
        target=folder / "adapter",
    )


def planned(task: Task) -> Task:
    """As after a warm-up, whose times would differ."""
    begin(task.checkpoints, "f", Plan(steps=STEPS, validation=ValidationPlan(steps=(6, 12), pairs=8)))
    return task


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(folder / "adapter_model.safetensors"))


def gradient_norms(task: Task) -> list[float]:
    """Of every step; AdamW would hide a factor in the weights."""
    state = json.loads((task.checkpoints / f"checkpoint-{STEPS}" / "trainer_state.json").read_text(encoding="utf-8"))
    return [entry["grad_norm"] for entry in state["log_history"] if "grad_norm" in entry]


def test_two_processes_give_the_adapter_of_one(tmp_path: Path) -> None:
    alone, together = planned(a_task(tmp_path / "alone")), planned(a_task(tmp_path / "together"))
    alone = replace(alone, recipe=replace(alone.recipe, micro_batch=2))  # that they take in the same order
    together = replace(together, recipe=replace(together.recipe, micro_batch=2))
    model = loaded(alone)
    performed(alone, model, lambda _: None)
    heard: list[int] = []
    done = performed_together(together, 2, tmp_path / "folder", lambda step: heard.append(step.step))

    assert heard == list(range(1, STEPS + 1))
    assert (done.steps, done.stopped_at, done.best_step is not None) == (STEPS, STEPS, True)
    assert gradient_norms(together) == pytest.approx(gradient_norms(alone), rel=1e-3)
    torch.testing.assert_close(weights(together.target), weights(alone.target), rtol=1e-2, atol=1e-5)


def test_what_one_of_them_says_is_the_reason(tmp_path: Path) -> None:
    nowhere = Origin(version="gone", weights=tmp_path / "gone", total_steps=1, learnt_from=())

    with pytest.raises(AdapterError, match="'gone' cannot be gone on from"):
        performed_together(a_task(tmp_path, begin_at=nowhere), 2, tmp_path / "folder", lambda _: None)


def test_none_outlives_the_one_that_follows_them(tmp_path: Path) -> None:
    task = a_task(tmp_path, steps=100_000)
    (tmp_path / "task").write_bytes(pickle.dumps(task))
    command = [sys.executable, "-P", "-c", FOLLOWER, str(tmp_path / "task"), str(tmp_path / "folder")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as follower:
        assert follower.stdout is not None
        follower.stdout.readline()  # the first step
        started = psutil.Process(follower.pid).children(recursive=True)
        follower.kill()

    assert len(started) >= 3  # torchrun and its two
    deadline = time.monotonic() + 20
    while any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in started):
        assert time.monotonic() < deadline, "a process outlived the one that followed it"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("gpus", "recipe", "processes"),
    [
        (0, Recipe(batch=32), 1),
        (1, Recipe(batch=32), 1),
        (2, Recipe(batch=32), 2),
        (3, Recipe(batch=32), 2),
        (8, Recipe(batch=6), 6),
        (2, Recipe(batch=7), 1),
        (2, Recipe(batch=32, method="qlora"), 1),
    ],
)
def test_as_many_gpus_train_as_divide_a_step(gpus: int, recipe: Recipe, processes: int) -> None:
    share = GpuShare(policy="separate", gpus=tuple(range(gpus)), memory_bytes=0, reason="")

    assert processes_for(share if gpus else None, recipe) == processes
