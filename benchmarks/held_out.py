"""The loss on held-out pairs, pair by pair, so that two trainings are compared on the very same pairs."""

import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import astuple, dataclass
from typing import Any, Self

from acclimate_training.encoding import Example
from acclimate_training.evaluation.intervals import Estimate, Observation, estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class PairLoss:
    """Of one pair: its file's mark, nats and number of the middle's tokens, and the nats of the end after them.

    `right` counts the tokens, the end's included, that the model would have chosen itself: it writes exactly this
    answer if that is all of them.
    """

    file: str
    nats: float
    tokens: int
    end_nats: float
    right: int = 0

    def to_json(self) -> list[Any]:
        return [round(value, 4) if isinstance(value, float) else value for value in astuple(self)]

    @classmethod
    def from_json(cls, record: Sequence[Any]) -> Self:
        file, nats, tokens, end_nats, right = record
        return cls(file=str(file), nats=float(nats), tokens=int(tokens), end_nats=float(end_nats), right=int(right))

    @property
    def is_exact(self) -> bool:
        return self.right == self.tokens + 1

    def summed(self, *, with_end: bool) -> tuple[float, int]:
        """Nats and tokens; `with_end` is the product's own `loss`, which the end-of-text token counts in."""
        return (self.nats + self.end_nats, self.tokens + 1) if with_end else (self.nats, self.tokens)


def measured(model: Any, asked: Sequence[tuple[str, Example]]) -> list[PairLoss]:
    """The losses of examples, each with its file's mark; products and precision are those of the evaluation."""
    import torch

    model.eval()
    found = []
    for file, example in asked:
        with torch.inference_mode():
            logits = _logits(model, example)
            target = torch.tensor(example.target, device=logits.device)
            nats = torch.nn.functional.cross_entropy(logits, target, reduction="none").tolist()
            right = int((logits.argmax(dim=1) == target).sum())
        found.append(
            PairLoss(file=file, nats=math.fsum(nats[:-1]), tokens=len(nats) - 1, end_nats=nats[-1], right=right)
        )
    return found


def _logits(model: Any, example: Example) -> Any:
    """In float32, one row a token of the answer; without padding, which would change nothing."""
    import torch

    ids = torch.tensor([[*example.prompt, *example.target]], device=model.device)
    dtype = model.get_input_embeddings().weight.dtype
    with nullcontext() if dtype == torch.float32 else torch.autocast(model.device.type, dtype=dtype):
        logits = model(input_ids=ids, logits_to_keep=len(example.target) + 1, use_cache=False).logits
    return logits[0, :-1].float()


def loss(found: Sequence[PairLoss], *, with_end: bool = True) -> float:
    """Nats a token."""
    nats, tokens = zip(*(each.summed(with_end=with_end) for each in found), strict=True)
    return math.fsum(nats) / math.fsum(tokens)


def accuracy(found: Sequence[PairLoss]) -> float:
    """The share of the tokens that the model would have chosen itself."""
    return sum(each.right for each in found) / sum(each.tokens + 1 for each in found)


def exact(found: Sequence[PairLoss]) -> float:
    """The share of the answers that it would have written exactly, if it were not cut."""
    return sum(each.is_exact for each in found) / len(found)


def accuracy_difference(ours: Sequence[PairLoss], other: Sequence[PairLoss]) -> Estimate:
    """Ours less the other's share of right tokens, on the same pairs, with an interval by file."""
    observations = []
    for mine, its in zip(ours, other, strict=True):
        tokens = mine.tokens + 1
        observations.append(
            Observation(cluster=mine.file, value=(mine.right - its.right) / tokens, weight=float(tokens))
        )
    found = estimate(observations)
    assert found is not None, "at least one pair is held out"
    return found


def difference(ours: Sequence[PairLoss], other: Sequence[PairLoss], *, with_end: bool = True) -> Estimate:
    """Ours less the other's loss in nats a token, on the same pairs, with an interval by file."""
    observations = []
    for mine, theirs in zip(ours, other, strict=True):
        nats, tokens = mine.summed(with_end=with_end)
        observations.append(
            Observation(
                cluster=mine.file, value=(nats - theirs.summed(with_end=with_end)[0]) / tokens, weight=float(tokens)
            )
        )
    found = estimate(observations)
    assert found is not None, "at least one pair is held out"
    return found
