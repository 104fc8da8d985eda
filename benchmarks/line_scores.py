"""How well comments hit the lines that were put right later: precision, recall and F, with intervals clustered by file.

A comment is right if a faulty line is near it, and a faulty line is found if a comment is near it. Where not every
place was looked at, each stands for as many as it was drawn from (Horvitz and Thompson, 1952).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from acclimate_training.evaluation.reviews.judged import NEAR_LINES

if TYPE_CHECKING:
    import numpy

RESAMPLES = 2_000  # the ends of an interval then move by some hundredths of its width
TAILS = (2.5, 97.5)  # percentiles
F1, F05 = 1.0, 0.5  # a wrong comment costs more than a missed one

COUNTED = ("right", "comments", "found_lines", "faulty_lines")
Counts = tuple[float, float, float, float]  # right, shown, found, faulty


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Lines of a file that a commit put in, counted from 0, and those of them that a correction changed later.

    Attributes:
        is_late: It lies in the second half of the commits.
        weight: For how many places it stands.
    """

    path: str
    commit: str
    lines: frozenset[int]
    faulty: frozenset[int]
    is_late: bool = False
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A comment on some lines, the last one included."""

    first: int
    last: int
    confidence: float = 1.0

    def is_near(self, line: int) -> bool:
        return self.first - NEAR_LINES <= line <= self.last + NEAR_LINES


Row = tuple[Place, Sequence[Remark]]


def counts(row: Row) -> Counts:
    """Of one place, times its weight."""
    place, remarks = row
    right = sum(any(map(remark.is_near, place.faulty)) for remark in remarks)
    found = sum(any(remark.is_near(line) for remark in remarks) for line in place.faulty)
    weight = place.weight
    return weight * right, weight * len(remarks), weight * found, weight * len(place.faulty)


def shown(rows: Iterable[Row], threshold: float) -> list[Row]:
    """With those remarks alone that are sure enough."""
    return [(place, [each for each in remarks if each.confidence >= threshold]) for place, remarks in rows]


def f_score(counted: Counts, beta: float) -> float:
    """0 where nothing is shown, or nothing was right."""
    right, said, found, faulty = counted
    if not right or not found:
        return 0.0
    precision, recall = right / said, found / faulty
    return (1 + beta**2) * precision * recall / (beta**2 * precision + recall)


def best_threshold(rows: Sequence[Row]) -> float | None:
    """The confidence with the best F0.5; None where none has any."""
    best, chosen = 0.0, None
    for threshold in sorted({remark.confidence for _, remarks in rows for remark in remarks}, reverse=True):
        score = f_score(_sum(map(counts, shown(rows, threshold))), F05)
        if score > best:
            best, chosen = score, threshold
    return chosen


def figures(rows: Sequence[Row]) -> dict[str, Any]:
    """One reviewer's row of a table: what was counted as it is, and the ratios by the weights."""
    by_file = _by_file(rows)
    total = right, said, found, faulty = _sum(by_file.values())
    plain = _sum(counts((replace(place, weight=1.0), remarks)) for place, remarks in rows)
    table: dict[str, Any] = dict(zip(COUNTED, map(round, plain), strict=True))
    if not by_file:
        return table
    drawn = _drawn(list(by_file.values()))
    if said:
        table |= _with_interval("precision", right / said, _ratio(drawn[:, 0], drawn[:, 1]))
    if faulty:
        table |= _with_interval("recall", found / faulty, _ratio(drawn[:, 2], drawn[:, 3]))
        for name, beta in (("f1", F1), ("f0.5", F05)):
            table |= _with_interval(name, f_score(total, beta), _f_of(drawn, beta))
    return table


def f05_difference(one: Sequence[Row], other: Sequence[Row]) -> dict[str, Any]:
    """One's F0.5 less the other's on the same places, both resampled with the same files."""
    mine, its = _by_file(one), _by_file(other)
    if not mine:
        return {}
    drawn = _drawn([(*mine[path], *its[path]) for path in mine])
    difference = f_score(_sum(mine.values()), F05) - f_score(_sum(its.values()), F05)
    return _with_interval("f0.5", difference, _f_of(drawn[:, :4], F05) - _f_of(drawn[:, 4:], F05))


def _sum(counted: Iterable[Counts]) -> Counts:
    right = said = found = faulty = 0.0
    for each in counted:
        right, said, found, faulty = right + each[0], said + each[1], found + each[2], faulty + each[3]
    return right, said, found, faulty


def _by_file(rows: Iterable[Row]) -> Mapping[str, Counts]:
    found: dict[str, list[Counts]] = defaultdict(list)
    for row in rows:
        found[row[0].path].append(counts(row))
    return {path: _sum(some) for path, some in sorted(found.items())}


def _drawn(sums: Sequence[Sequence[float]]) -> "numpy.ndarray[Any, Any]":
    """The sums over files drawn again and again, a row each time."""
    import numpy

    times = numpy.random.default_rng(len(sums)).multinomial(len(sums), [1 / len(sums)] * len(sums), size=RESAMPLES)
    found: numpy.ndarray[Any, Any] = times.astype(float) @ numpy.array(sums, dtype=float)
    return found


def _ratio(above: "numpy.ndarray[Any, Any]", below: "numpy.ndarray[Any, Any]") -> "numpy.ndarray[Any, Any]":
    """0 where nothing is below."""
    import numpy

    found: numpy.ndarray[Any, Any] = numpy.divide(above, below, out=numpy.zeros_like(above), where=below > 0)
    return found


def _f_of(drawn: "numpy.ndarray[Any, Any]", beta: float) -> "numpy.ndarray[Any, Any]":
    precision, recall = _ratio(drawn[:, 0], drawn[:, 1]), _ratio(drawn[:, 2], drawn[:, 3])
    return _ratio((1 + beta**2) * precision * recall, beta**2 * precision + recall)


def _with_interval(name: str, value: float, drawn: "numpy.ndarray[Any, Any]") -> dict[str, Any]:
    import numpy

    low, high = numpy.percentile(drawn, TAILS).tolist()
    return {name: round(value, 4), f"{name}_interval": [round(low, 4), round(high, 4)]}
