"""Where a difference of loss lies: on answers that come within a model's reach, or on those that nobody would get.

A loss can fall a long way without an answer more being right: what was hopeless becomes a little less so. How far away
an answer is, is what both models need for the whole of it, in nats, on average; taken by one of them alone, the answers
that it happened to find hard would always seem to favour the other.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .contenders import Contender
from .intervals import Observation, estimates
from .measured import Measured
from .questions import Question

DIGITS = 4
# From how many nats for the whole answer on: of 3 it would be drawn once in 20 times, of 20 once in half a billion.
REACHES: Mapping[str, float] = {"near": 0.0, "far": 3.0, "out of reach": 20.0}


def loss_by_reach(
    measured: Measured, candidate: Contender, opponent: Contender, questions: Sequence[Question], *, seed: int
) -> dict[str, dict[str, Any]]:
    """The difference of loss in nats a token by how far away the answer is, each with its share of the whole in nats.

    Args:
        questions: Those on which both losses are known.
    """
    columns: dict[str, list[Observation]] = {}
    for question in questions:
        one, other = measured.loss(candidate, question), measured.loss(opponent, question)
        assert one is not None
        assert other is not None
        away = (one.nats + other.nats) / 2
        name = max((name for name, least in REACHES.items() if least <= away), key=REACHES.__getitem__)
        value = (one.nats - other.nats) / one.tokens
        columns.setdefault(name, []).append(
            Observation(cluster=question.pair.path, value=value, weight=float(one.tokens))
        )
    nats = {name: math.fsum(each.value * each.weight for each in column) for name, column in columns.items()}
    whole = math.fsum(nats.values())
    found = estimates(columns, seed=seed)
    return {
        name: {
            "loss": round(found[name].mean, DIGITS),
            "loss_interval": [round(found[name].low, DIGITS), round(found[name].high, DIGITS)],
            "loss_n": len(columns[name]),
            "share": round(nats[name] / whole, DIGITS) if whole else None,
        }
        for name in REACHES
        if name in columns
    }
