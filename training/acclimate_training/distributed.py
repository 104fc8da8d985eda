"""Several GPUs: torchrun starts a process for each, and transformers' Trainer shares the work out among them.

The first process decides, reports and saves; the others follow. Run with two processes on a processor
(`tests/training/test_distributed.py`); on CUDA: written, not run.
"""

import os
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from accelerate import PartialState

T = TypeVar("T")


def count() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    return os.environ.get("RANK", "0") == "0"


def agreed(decide: Callable[[], T]) -> T:
    """What the first process decides: each would measure times of its own."""
    if count() == 1:
        return decide()
    if not torch.distributed.is_initialized():
        PartialState(cpu=not torch.cuda.is_available())
    decisions = [decide() if is_first() else None]
    torch.distributed.broadcast_object_list(decisions, src=0)
    return decisions[0]  # type: ignore[return-value]  # the first process's


def wait_for_all() -> None:
    if count() > 1:
        torch.distributed.barrier()


def as_itself(model: Any) -> Any:
    """The wrapper that sums gradients over the processes hides what the loss asks the model for."""
    if isinstance(model, torch.nn.parallel.DistributedDataParallel):
        model.get_input_embeddings = model.module.get_input_embeddings
        model.get_output_embeddings = model.module.get_output_embeddings
    return model
