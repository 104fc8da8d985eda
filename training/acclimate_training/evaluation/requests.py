"""One question to one contender, and in which order they are put."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .contenders import TIERS, Contender, Model
from .questions import Question

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
