"""What became of the opinions on held-out hunks, and the sums that the figures are made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from acclimate_indexer.pairs import ReviewComment

from ..contenders import Model
from ..intervals import Observation
from ..results import ResultStore
from .asking import floor, is_open, opinion_of
from .questions import ReviewQuestion

NEAR_LINES = 3  # a comment that is no further off is read together with the code that it is about


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedReview:
    """A hunk, and how sure a model is of its comment on it.

    Attributes:
        source: Where the pair comes from, e.g. `fix`, `seeded:missing_await`.
        is_clean: There is nothing to say.
        confidence: 0 where the model has no comment that may be shown.
        is_right: The comment stands near what was corrected.
    """

    path: str
    source: str
    is_clean: bool
    confidence: float
    is_right: bool


Shows = Callable[[JudgedReview], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """What each reviewer makes of the same hunks, in one order.

    Attributes:
        least_chance: From which on the adapter was asked what it has to say.
        open: Hunks that one of the models was not asked about to the end. They are the likelier ones: without them the
            figures flatter.
    """

    adapter: Sequence[JudgedReview]
    base: Sequence[JudgedReview]
    everywhere: Sequence[JudgedReview]
    least_chance: float
    open: int = 0

    @classmethod
    def of(cls, questions: Sequence[ReviewQuestion], stores: Mapping[Model, ResultStore]) -> Self:
        """The hunks that both models were asked about to the end."""
        least: dict[Model, float] = {model: floor(questions, model, store) for model, store in stores.items()}
        found: list[tuple[JudgedReview, JudgedReview, JudgedReview]] = []
        for question in questions:
            adapter = _judged(question, "adapter", stores["adapter"], least["adapter"])
            base = _judged(question, "base", stores["base"], least["base"])
            if adapter is not None and base is not None:
                found.append((adapter, base, _in_the_middle(question)))
        by_reviewer = tuple(zip(*found, strict=True)) or ((), (), ())
        return cls(
            adapter=by_reviewer[0],
            base=by_reviewer[1],
            everywhere=by_reviewer[2],
            least_chance=least["adapter"],
            open=len(questions) - len(found),
        )


def _judged(question: ReviewQuestion, model: Model, store: ResultStore, least: float) -> JudgedReview | None:
    """None if the model was not asked, or not to the end."""
    result = store.reviews.get(question.digest(model))
    if result is None or is_open(result, least):
        return None
    opinion = opinion_of(result)
    comment = opinion.comment(question.pair.hunk, question.language)
    return _review(question, None if comment is None else comment.line, opinion.confidence)


def _in_the_middle(question: ReviewQuestion) -> JudgedReview:
    """What a reviewer is worth that comments on every hunk and knows nothing of any."""
    return _review(question, (question.pair.hunk.count("\n") + 2) // 2, 1.0)


def _review(question: ReviewQuestion, line: int | None, confidence: float) -> JudgedReview:
    pair = question.pair
    return JudgedReview(
        path=pair.path,
        source=pair.source,
        is_clean=pair.comment is None,
        confidence=0.0 if line is None else confidence,
        is_right=line is not None and _is_near(line, pair.comment),
    )


def _is_near(line: int, wanted: ReviewComment | None) -> bool:
    """Whether a line of the hunk, counted from 1, is near what was corrected there."""
    if wanted is None:
        return False
    return wanted.line - NEAR_LINES <= line <= wanted.line + wanted.lines - 1 + NEAR_LINES


def precision(found: Sequence[JudgedReview], shows: Shows) -> list[Observation]:
    """Of what is shown, how much is right."""
    return [_of(each, each.is_right, 1.0) for each in found if shows(each)]


def recall(found: Sequence[JudgedReview], shows: Shows) -> list[Observation]:
    """Of what was corrected, how much is found."""
    return [_of(each, shows(each) and each.is_right, 1.0) for each in found if not each.is_clean]


def false_alarms(found: Sequence[JudgedReview], shows: Shows) -> list[Observation]:
    """Of clean code, how much is commented on."""
    return [_of(each, shows(each), 1.0) for each in found if each.is_clean]


def f_score(found: Sequence[JudgedReview], shows: Shows, *, beta: float) -> list[Observation]:
    """F as a mean: (1 + b^2) right over b^2 corrected + shown, each hunk with its part of both sums."""
    b2 = beta * beta
    observations = []
    for each in found:
        weight = b2 * (not each.is_clean) + shows(each)
        if weight:
            observations.append(_of(each, (1 + b2) * (shows(each) and each.is_right) / weight, weight))
    return observations


def _of(review: JudgedReview, value: float, weight: float) -> Observation:
    return Observation(cluster=review.path, value=float(value), weight=weight)
