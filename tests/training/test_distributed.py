"""Two processes train as one does. They stand for two GPUs, of which there are none here."""

import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.tiny_model import TINY, tiny_model
from tests.support.training_child import Task, save, trained

from acclimate_indexer.home import Home
from acclimate_training.devices import launch_command
from acclimate_training.recipe import Recipe
from acclimate_training.validation import ValidationPlan

pytestmark = pytest.mark.tensor
torch = pytest.importorskip("torch", reason="the runtime is not installed")
pytest.importorskip("peft", reason="the runtime is not installed")

ROOT = Path(__file__).parents[2]


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    (adapter,) = folder.glob("adapter-*")
    return dict(load_file(adapter / "adapter_model.safetensors"))


def gradient_norms(folder: Path) -> list[float]:
    """Of every step; AdamW would hide a factor in the weights."""
    state = json.loads((folder / "checkpoints" / "checkpoint-12" / "trainer_state.json").read_text(encoding="utf-8"))
    return [entry["grad_norm"] for entry in state["log_history"] if "grad_norm" in entry]


def test_two_processes_give_the_adapter_of_one(tmp_path: Path) -> None:
    tiny_model(Home(data=tmp_path, cache=tmp_path, config=tmp_path).create())
    alone = Task(
        home=tmp_path,
        model=TINY,
        steps=12,
        folder=tmp_path / "alone",
        recipe=Recipe(batch=8, micro_batch=2, layers="all", learning_rate=1e-3),
        validation=ValidationPlan(steps=(6, 12), pairs=8),
    )
    together = replace(alone, folder=tmp_path / "together")
    (tmp_path / "task").write_bytes(pickle.dumps(together))
    adapted, done = trained(alone, lambda _: None)
    save(alone, adapted)
    command = launch_command(Path(sys.executable), "tests.support.training_child", tmp_path / "task", processes=2)
    child = subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert child.returncode == 0, child.stderr[-4000:]
    assert done.stopped_at == 12
    assert gradient_norms(together.folder) == pytest.approx(gradient_norms(alone.folder), rel=1e-3)
    expected = weights(alone.folder)
    torch.testing.assert_close(weights(together.folder), expected, rtol=1e-2, atol=1e-5)
