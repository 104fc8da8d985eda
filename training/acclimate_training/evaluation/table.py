"""The table: every figure of every contender with its interval and n, and every difference on the same pairs.

A row's figures are over all pairs that its contender has answered, a difference's over those that both have: while an
evaluation is not finished, rows may rest on different pairs, and only differences compare.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .contenders import ADAPTER, BASE, BASE_RETRIEVAL, CANDIDATES, CONTROL, OPPONENTS, Contender
from .intervals import Estimate, Observation, estimates, median
from .measured import Measured
from .needs import need_of
from .questions import Question
from .reach import by_reach
from .significance import detectable_points, mcnemar_of

# An empty value belongs to no stratum.
STRATA: Mapping[str, Callable[[Measured, Question], str]] = {
    "language": lambda _, question: question.pair.language,
    "place": lambda _, question: question.pair.place,
    "age": lambda _, question: question.pair.age,
    "needs": lambda measured, question: need_of(question.pair, measured.known) if measured.known else "",
}
COMPARED = (  # of the differences
    "exact_match",
    "exact_match_raw",
    "edit_similarity",
    "identifier_f1",
    "first_line_match",
    "parse_share",
    "invented_names",
    "retired_names",
)
BY_MEDIAN = "length_ratio"  # its mean would say how long the few endless answers are
DIGITS = 4

Figures = dict[str, Any]


def table(measured: Measured, *, seed: int) -> dict[str, Any]:
    """`contenders`, `differences`, both by stratum, `loss_by_reach` and `power_points`, as a record has them."""
    differences = {
        candidate.name: {opponent.name: difference(measured, candidate, opponent, seed=seed) for opponent in opponents}
        for candidate, opponents in _compared(measured)
    }
    strata = {name: dict(_parts(measured, of)) for name, of in STRATA.items()}
    return {
        "contenders": {each.name: figures(measured, each, seed=seed) for each in measured.contenders},
        "differences": differences,
        "strata": {name: _stratum_tables(measured, parts, seed) for name, parts in strata.items()},
        "strata_differences": _strata_differences(measured, strata, seed),
        "loss_by_reach": _loss_by_reach(measured, seed),
        "power_points": _power_points(measured),
    }


def figures(measured: Measured, contender: Contender, *, seed: int) -> Figures:
    """One row, on all pairs that the contender has answered."""
    answered, with_loss = measured.answered(contender), measured.with_loss(contender)
    columns = measured.columns(contender, answered)
    middle = median(columns.pop(BY_MEDIAN, []), seed=seed)
    found = estimates(columns | {"loss": measured.losses(contender, with_loss)}, seed=seed)
    by_median = {} if middle is None else {BY_MEDIAN: middle}
    return written(found | by_median) | {"n": len(answered), "loss_n": len(with_loss)}


def difference(measured: Measured, candidate: Contender, opponent: Contender, *, seed: int) -> Figures:
    """Candidate less opponent, on the pairs that both have answered."""
    answered = _common(measured.answered(candidate), measured.answered(opponent))
    with_loss = _common(measured.with_loss(candidate), measured.with_loss(opponent))
    columns = {figure: _less(measured, candidate, opponent, answered, figure) for figure in COMPARED}
    columns["loss"] = _less_loss(measured, candidate, opponent, with_loss)
    found = written(estimates(columns, seed=seed))
    if columns["exact_match"]:
        found["mcnemar_p"] = float(f"{mcnemar_of(columns['exact_match']):.3g}")
    return found | {"n": len(answered), "loss_n": len(with_loss)}


def _compared(measured: Measured) -> Iterator[tuple[Contender, list[Contender]]]:
    there = measured.contenders
    for candidate in CANDIDATES:
        if candidate in there:
            yield candidate, [opponent for opponent in OPPONENTS if opponent in there]
    for opponent in (each for each in OPPONENTS if each != BASE and each in there):
        yield opponent, [each for each in (BASE, BASE_RETRIEVAL) if each in there and each != opponent]


def _stratum_tables(measured: Measured, parts: Mapping[str, Measured], seed: int) -> dict[str, dict[str, Figures]]:
    found: dict[str, dict[str, Figures]] = {}
    for value, part in parts.items():
        rows = {each.name: _hits(measured, each, part.answered(each), seed) for each in part.contenders}
        found[value] = {name: row for name, row in rows.items() if row["n"]}
    return found


def _strata_differences(
    measured: Measured, strata: Mapping[str, Mapping[str, Measured]], seed: int
) -> dict[str, dict[str, dict[str, Figures]]]:
    """Differences of exact match in every stratum, by candidate and opponent."""
    found: dict[str, dict[str, dict[str, Figures]]] = {}
    for name, parts in strata.items():
        for value, part in parts.items():
            found[f"{name} {value}"] = {
                candidate.name: {
                    opponent.name: _hits_less(measured, candidate, opponent, part, seed)
                    for opponent in OPPONENTS
                    if opponent in part.contenders
                }
                for candidate in CANDIDATES
                if candidate in part.contenders
            }
    return found


def _parts(measured: Measured, of: Callable[[Measured, Question], str]) -> Iterator[tuple[str, Measured]]:
    by_value: dict[str, list[Question]] = defaultdict(list)
    for question in measured.questions:
        by_value[of(measured, question)].append(question)
    for value in sorted(filter(None, by_value)):
        yield value, replace(measured, questions=by_value[value])


def _hits(measured: Measured, contender: Contender, answered: Sequence[Question], seed: int) -> Figures:
    column = measured.columns(contender, answered).get("exact_match", [])
    return written(estimates({"exact_match": column}, seed=seed)) | {"n": len(answered)}


def _hits_less(measured: Measured, candidate: Contender, opponent: Contender, part: Measured, seed: int) -> Figures:
    both = _common(part.answered(candidate), part.answered(opponent))
    column = _less(measured, candidate, opponent, both, "exact_match")
    return written(estimates({"exact_match": column}, seed=seed)) | {"n": len(both)}


def _loss_by_reach(measured: Measured, seed: int) -> dict[str, dict[str, Figures]]:
    """The adapter's loss less the control's, and less the base's, by how far away the answer is.

    `share` is the part of the whole difference in nats.
    """
    found: dict[str, dict[str, Figures]] = {}
    for opponent in (CONTROL, BASE):
        both = _common(measured.with_loss(ADAPTER), measured.with_loss(opponent))
        parts = by_reach(measured, ADAPTER, opponent, both)
        columns = {name: _less_loss(measured, ADAPTER, opponent, those) for name, those in parts.items()}
        nats = {name: sum(each.value * each.weight for each in column) for name, column in columns.items()}
        whole = sum(nats.values())
        if columns:
            found[opponent.name] = {
                name: written(estimates({"loss": column}, seed=seed))
                | {"loss_n": len(column), "share": round(nats[name] / whole, DIGITS) if whole else None}
                for name, column in columns.items()
            }
    return found


def _power_points(measured: Measured) -> float | None:
    """What so many pairs could have shown between the adapter and the control; the base, while there is no control."""
    for opponent in (CONTROL, BASE):
        if both := _common(measured.answered(ADAPTER), measured.answered(opponent)):
            points = detectable_points(_less(measured, ADAPTER, opponent, both, "exact_match"))
            return None if points is None else round(points, 2)
    return None


def _common(some: Iterable[Question], others: Iterable[Question]) -> list[Question]:
    names = {question.name for question in others}
    return [question for question in some if question.name in names]


def _less(
    measured: Measured, candidate: Contender, opponent: Contender, questions: Sequence[Question], figure: str
) -> list[Observation]:
    found = []
    for question in questions:
        one, other = (measured.scores(each, question)[figure] for each in (candidate, opponent))
        if one is not None and other is not None:
            found.append(Observation(cluster=question.pair.path, value=one - other))
    return found


def _less_loss(
    measured: Measured, candidate: Contender, opponent: Contender, questions: Sequence[Question]
) -> list[Observation]:
    pairs = zip(measured.losses(candidate, questions), measured.losses(opponent, questions), strict=True)
    return [replace(one, value=one.value - other.value) for one, other in pairs]


def written(found: Mapping[str, Estimate]) -> Figures:
    """As records have them: a figure, and its interval beside it."""
    row: Figures = {}
    for figure, each in found.items():
        row[figure] = round(each.mean, DIGITS)
        row[f"{figure}_interval"] = [round(each.low, DIGITS), round(each.high, DIGITS)]
    return row
