"""Examples as tensors. Apart from `encoding`, which the server may import."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .encoding import IGNORED, Example

if TYPE_CHECKING:
    import torch

# Lengths of batches: a new one makes the libraries prepare kernels for it, which takes a sixth of a step and 20 MB on a
# processor. Rounding up costs one token in twenty.
LENGTH_STEP = 32


def collated(examples: Sequence[Example], pad_id: int) -> dict[str, "torch.Tensor"]:
    """A batch: ids, labels and the labels' weights as (rows, tokens), padded on the right to a multiple of a length.

    There is no attention mask: attention is causal, so that nothing that counts ever sees what stands to its right.
    """
    import torch

    longest = rounded(max(example.length for example in examples))
    rows = [(example, longest - example.length) for example in examples]
    return {
        "input_ids": torch.tensor([[*row.prompt, *row.target, *[pad_id] * pad] for row, pad in rows]),
        "labels": torch.tensor([[*row.labels, *[IGNORED] * pad] for row, pad in rows]),
        "weights": torch.tensor([[*row.weights, *[0.0] * pad] for row, pad in rows]),
    }


def trimmed(batch: dict[str, "torch.Tensor"]) -> dict[str, "torch.Tensor"]:
    """The batch without padding that none of its rows needs; every row ends with a label."""
    labelled = (batch["labels"] != IGNORED).any(dim=0).nonzero()
    longest = rounded(int(labelled.max()) + 1)
    return {name: tensor[:, :longest] for name, tensor in batch.items()}


def rounded(length: int) -> int:
    return -(-length // LENGTH_STEP) * LENGTH_STEP
