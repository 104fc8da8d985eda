"""One question to one contender, and in which order they are put."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .contenders import TIERS, Contender, Model
from .questions import Question
from .results import ResultStore

Stores = Mapping[Model, ResultStore]

BLOCK = 40  # pairs that every tier answers before any answers the next: intervals then begin to mean something


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to one contender; its result is stored under `digest`."""

    question: Question
    contender: Contender

    @property
    def digest(self) -> str:
        return self.question.asked(self.contender.form)


def in_order(questions: Sequence[Question], contenders: Iterable[Contender], *, block: int = BLOCK) -> list[Request]:
    """Every question to every contender: block by block, within a block tier by tier, and there pair by pair.

    Wherever it is left, the contenders of a tier have answered the same pairs but for the last one. Where nothing was
    retrieved two forms are one prompt, and a model is asked once.
    """
    taking_part = set(contenders)
    requests = (
        Request(question=question, contender=contender)
        for start in range(0, len(questions), block)
        for tier in TIERS
        for question in questions[start : start + block]
        for contender in tier
        if contender in taking_part
    )
    asked: dict[tuple[Model, str], Request] = {}
    for request in requests:
        asked.setdefault((request.contender.model, request.digest), request)
    return list(asked.values())


def unmeasured(requests: Iterable[Request], stores: Stores) -> list[Request]:
    """Those whose loss is not known yet."""
    return [each for each in requests if each.digest not in stores[each.contender.model].losses]


def unanswered(requests: Iterable[Request], stores: Stores) -> list[Request]:
    """Those that nobody has answered yet."""
    return [each for each in requests if each.digest not in stores[each.contender.model].generations]
