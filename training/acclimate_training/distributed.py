"""Several GPUs: torchrun starts a process for each, and transformers' Trainer shares the work out among them.

The first process decides, reports and saves; the others follow. Run with two processes on a processor
(`tests/training/test_distributed.py`); on CUDA: written, not run.
"""

import os
from typing import TypeVar

import torch

T = TypeVar("T")


def count() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    return os.environ.get("RANK", "0") == "0"


def agreed(mine: T) -> T:
    """What the first process thinks; each measures times of its own."""
    if count() == 1:
        return mine
    thoughts = [mine]
    torch.distributed.broadcast_object_list(thoughts, src=0)
    return thoughts[0]


def wait_for_all() -> None:
    if count() > 1:
        torch.distributed.barrier()
