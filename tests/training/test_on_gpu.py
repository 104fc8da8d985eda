"""The trainer on CUDA. CI has no GPU: whoever changes it runs this on a machine that has one."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from tests.support.tiny_model import tiny_model
from tests.support.training_child import some_examples

from acclimate_indexer.home import Home
from acclimate_training.recipe import Method, Recipe

pytestmark = [pytest.mark.tensor, pytest.mark.gpu]


def losses_on_cuda(folder: Path, method: Method) -> list[float]:
    from acclimate_training.trainer import load_base, train, with_new_adapter

    local = tiny_model(Home(data=folder, cache=folder, config=folder).create())
    recipe = Recipe(method=method, batch=8, micro_batch=4, layers="all", learning_rate=1e-2)
    model: Any = with_new_adapter(load_base(local, "cuda", method=method), recipe, seed=0)
    done = train(
        model,
        some_examples(40),
        recipe=recipe,
        minutes=1.0,
        seed=0,
        fingerprint="f",
        checkpoints=folder / "checkpoints",
        pad_id=0,
        report=lambda _: None,
        steps=25,
    )
    assert done.skipped == 0
    return [point.training for point in done.curve]


def test_a_gpu_learns(tmp_path: Path) -> None:
    losses = losses_on_cuda(tmp_path, "lora")

    assert losses[-1] < losses[0]


@pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="needs bitsandbytes, which computes on CUDA alone")
def test_a_base_in_four_bits_learns(tmp_path: Path) -> None:
    losses = losses_on_cuda(tmp_path, "qlora")

    assert losses[-1] < losses[0]


def test_free_memory_is_measured_and_kept_to(tmp_path: Path) -> None:
    import torch

    from acclimate_training.devices import GpuShare, limit_memory
    from acclimate_training.hardware import free_bytes

    free = free_bytes("cuda")
    share = GpuShare(policy="split", gpus=(0,), memory_bytes=free // 4, reason="a test")
    limit_memory(share)
    try:
        with pytest.raises(torch.OutOfMemoryError):
            torch.empty(free // 2, dtype=torch.uint8, device="cuda")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)

    assert free > 0


def test_the_gpu_is_named_with_its_memory() -> None:
    from acclimate_training.lineage import hardware_words

    gpu, _, processor = hardware_words("cuda").partition("; ")

    assert gpu.endswith(" GB")
    assert processor == hardware_words("cpu")
