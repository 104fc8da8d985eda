"""How far away an answer is from two models: within their reach, or such that nobody would get it.

A loss can fall a long way without an answer more being right: what was hopeless becomes a little less so. How far away
an answer is, is what both models need for the whole of it, in nats, on average; taken by one of them alone, the answers
that it happened to find hard would always seem to favour the other.
"""

from collections.abc import Mapping, Sequence

from .contenders import Contender
from .measured import Measured
from .questions import Question

# From how many nats for the whole answer on: of 3 it would be drawn once in 20 times, of 20 once in half a billion.
REACHES: Mapping[str, float] = {"near": 0.0, "far": 3.0, "out of reach": 20.0}


def by_reach(
    measured: Measured, one: Contender, other: Contender, questions: Sequence[Question]
) -> dict[str, list[Question]]:
    """The questions by how far away their answers are; those on which both losses are known."""
    found: dict[str, list[Question]] = {name: [] for name in REACHES}
    for question in questions:
        losses = [measured.loss(each, question) for each in (one, other)]
        away = sum(loss.nats for loss in losses if loss is not None) / len(losses)
        found[max((name for name in REACHES if REACHES[name] <= away), key=REACHES.__getitem__)].append(question)
    return {name: those for name, those in found.items() if those}
