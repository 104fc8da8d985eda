"""Examples as tensors. Apart from `encoding`, which the server may import."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .encoding import IGNORED, Example

if TYPE_CHECKING:
    import torch


def collated(examples: Sequence[Example], pad_id: int) -> dict[str, "torch.Tensor"]:
    """A batch, padded on the right: ids, mask and labels as (rows, tokens), and the labels' weights beside them."""
    import torch

    longest = max(example.length for example in examples)
    padding = [longest - example.length for example in examples]
    rows = list(zip(examples, padding, strict=True))
    return {
        "input_ids": torch.tensor([[*row.prompt, *row.target, *[pad_id] * pad] for row, pad in rows]),
        "attention_mask": torch.tensor([[1] * row.length + [0] * pad for row, pad in rows]),
        "labels": torch.tensor([[*row.labels, *[IGNORED] * pad] for row, pad in rows]),
        "weights": torch.tensor([[*row.weights, *[0.0] * pad] for row, pad in rows]),
    }
