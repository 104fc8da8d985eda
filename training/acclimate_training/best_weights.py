"""The loss on held-out pairs while a training runs, and the adapter as it was when that loss was lowest."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from .batches import collated
from .encoding import Example
from .evaluation.loss import middle_nats

logger = logging.getLogger(__name__)

KEPT = 2  # the newest two: a training may go on from the checkpoint before the newest, which knows the one before


def validation_loss(model: Any, examples: Sequence[Example], *, pad_id: int, rows: int) -> float:
    """Nats per token of the middle. Draws no random number, and leaves the model as it was."""
    was_training = model.training
    model.eval()
    nats, tokens = 0.0, 0
    with torch.no_grad():
        for at in range(0, len(examples), rows):
            batch = collated(examples[at : at + rows], pad_id)
            summed, count = middle_nats(model, {name: tensor.to(model.device) for name, tensor in batch.items()})
            nats, tokens = nats + float(summed), tokens + count
    model.train(was_training)
    return nats / max(tokens, 1)


def keep(model: Any, folder: Path, step: int) -> None:
    """Writes the adapter's weights, whole or not at all."""
    path = folder / f"best-{step}.safetensors"
    temporary = path.with_suffix(".partial")
    save_file({name: value.contiguous() for name, value in get_peft_model_state_dict(model).items()}, temporary)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    for older in sorted(folder.glob("best-*.safetensors"), key=_step)[:-KEPT]:
        older.unlink()


def restore(model: Any, folder: Path, step: int) -> bool:
    """Whether the weights of that step could be put back; if not, the model is as it was."""
    path = folder / f"best-{step}.safetensors"
    try:
        weights = load_file(path)
    except (OSError, SafetensorError):
        logger.warning("the weights of step %d cannot be read", step, exc_info=True)
        return False
    set_peft_model_state_dict(model, weights)
    return True


def _step(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])
