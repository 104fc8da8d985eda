"""The table: every figure with its interval and n, base and adapter on the very same pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from acclimate_indexer.completion_cut import cut

from .intervals import Estimate, Observation, estimate
from .metrics import FIGURES, Score, score
from .results import LossResult, ResultStore
from .sample import Question

BASE, ADAPTER = "base", "adapter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`contenders[name]` and `differences` (adapter less base, paired), as DESIGN names them."""

    contenders: dict[str, dict[str, Any]]
    differences: dict[str, Any]


def table(questions: Sequence[Question], *, base: ResultStore, adapter: ResultStore, seed: int) -> Table:
    """Figures over the questions that both have answered.

    `loss` is nats a token: the sum over all middles, divided by their tokens. `n` counts the generated answers,
    `loss_n` the pairs whose loss was measured. What was not measured is not in the table.
    """
    contenders: dict[str, dict[str, Any]] = {BASE: {}, ADAPTER: {}}
    differences: dict[str, Any] = {}
    _add_losses(questions, base, adapter, contenders, differences, seed)
    _add_scores(questions, base, adapter, contenders, differences, seed)
    return Table(contenders=contenders, differences=differences)


def _add_losses(
    questions: Sequence[Question],
    base: ResultStore,
    adapter: ResultStore,
    contenders: dict[str, dict[str, Any]],
    differences: dict[str, Any],
    seed: int,
) -> None:
    both = [item for item in questions if item.name in base.losses and item.name in adapter.losses]
    for target in (*contenders.values(), differences):
        target["loss_n"] = len(both)
    for name, store in ((BASE, base), (ADAPTER, adapter)):
        observed = [_per_token(item, store.losses[item.name]) for item in both]
        _put(contenders[name], "loss", estimate(observed, seed=seed))
    observed = [
        Observation(
            cluster=item.pair.path,
            value=_nats_per_token(adapter.losses[item.name]) - _nats_per_token(base.losses[item.name]),
            weight=base.losses[item.name].tokens,
        )
        for item in both
    ]
    _put(differences, "loss", estimate(observed, seed=seed))


def _add_scores(
    questions: Sequence[Question],
    base: ResultStore,
    adapter: ResultStore,
    contenders: dict[str, dict[str, Any]],
    differences: dict[str, Any],
    seed: int,
) -> None:
    both = [item for item in questions if item.name in base.generations and item.name in adapter.generations]
    for target in (*contenders.values(), differences):
        target["n"] = len(both)
    scores = {
        name: [(item.pair.path, _score(item, store)) for item in both]
        for name, store in ((BASE, base), (ADAPTER, adapter))
    }
    for figure in FIGURES:
        values = {name: [(path, getattr(each, figure)) for path, each in scores[name]] for name in scores}
        for name, column in values.items():
            _put(contenders[name], figure, estimate([Observation(cluster=p, value=v) for p, v in column], seed=seed))
        paired = [
            Observation(cluster=path, value=with_adapter - without)
            for (path, without), (_, with_adapter) in zip(values[BASE], values[ADAPTER], strict=True)
        ]
        _put(differences, figure, estimate(paired, seed=seed))


def example_to_show(questions: Sequence[Question], *, base: ResultStore, adapter: ResultStore) -> Question | None:
    """The first pair whose two answers differ, whoever is right; else the first. Not picked by who wins."""
    for question in questions:
        answers = {served_answer(question, store) for store in (base, adapter)}
        if None not in answers and len(answers) > 1:
            return question
    return questions[0] if questions else None


def served_answer(question: Question, store: ResultStore) -> str | None:
    """The answer as the editor would see it; None if it was not asked for."""
    answer, pair = store.generations.get(question.name), question.pair
    if answer is None:
        return None
    return cut(answer.text, language=pair.language, prefix=pair.prefix, suffix=pair.suffix)


def _score(question: Question, store: ResultStore) -> Score:
    answer = store.generations[question.name]
    return score(
        generated=answer.text,
        served=served_answer(question, store) or "",
        middle=question.pair.middle,
        stopped=answer.stopped,
    )


def _per_token(question: Question, result: LossResult) -> Observation:
    return Observation(cluster=question.pair.path, value=_nats_per_token(result), weight=result.tokens)


def _nats_per_token(result: LossResult) -> float:
    return result.nats / result.tokens


def _put(target: dict[str, Any], figure: str, found: Estimate | None) -> None:
    if found is not None:
        target[figure] = round(found.mean, 4)
        target[f"{figure}_interval"] = [round(found.low, 4), round(found.high, 4)]
