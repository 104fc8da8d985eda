"""The loss on held-out pairs, pair by pair, so that two trainings are compared on the very same pairs."""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any, Self

from acclimate_training.batches import collated
from acclimate_training.encoding import Example
from acclimate_training.evaluation.intervals import Estimate, Observation, estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class PairLoss:
    """Of one pair: its file's mark, nats and number of the middle's tokens, and the nats of the end after them."""

    file: str
    nats: float
    tokens: int
    end_nats: float

    def to_json(self) -> list[Any]:
        return [round(value, 4) if isinstance(value, float) else value for value in astuple(self)]

    @classmethod
    def from_json(cls, record: Sequence[Any]) -> Self:
        file, nats, tokens, end_nats = record
        return cls(file=str(file), nats=float(nats), tokens=int(tokens), end_nats=float(end_nats))

    def summed(self, *, with_end: bool) -> tuple[float, int]:
        """Nats and tokens; `with_end` is the product's own `loss`, which the end-of-text token counts in."""
        return (self.nats + self.end_nats, self.tokens + 1) if with_end else (self.nats, self.tokens)


def measured(model: Any, asked: Sequence[tuple[str, Example]]) -> list[PairLoss]:
    """The losses of examples, each with its file's mark; products and precision are those of the evaluation."""
    import torch

    from acclimate_training.evaluation.loss import labelled_nats

    model.eval()
    found = []
    for file, example in asked:
        batch = {name: tensor.to(model.device) for name, tensor in collated([example], 0).items()}
        with torch.inference_mode():
            nats = labelled_nats(model, batch)[0].tolist()
        found.append(PairLoss(file=file, nats=math.fsum(nats[:-1]), tokens=len(nats) - 1, end_nats=nats[-1]))
    return found


def loss(found: Sequence[PairLoss], *, with_end: bool = True) -> float:
    """Nats a token."""
    nats, tokens = zip(*(each.summed(with_end=with_end) for each in found), strict=True)
    return math.fsum(nats) / math.fsum(tokens)


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
