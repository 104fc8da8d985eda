"""How sure a figure is: bootstrap intervals, clustered by file.

Pairs of one file resemble each other, so whole files are drawn, not pairs. Two contenders are compared on the very same
pairs, by the interval of their difference.

A file enters by two sums, of its values and of their weights. How often each file is drawn depends on the seed and the
number of files alone, so one matrix of these counts serves every figure of a table. numpy multiplies it: a table is
made where the runtime is, which brings numpy.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

RESAMPLES = 10_000  # the ends of a 95% interval then move by about a hundredth of its width
CONFIDENCE = 0.95
MIN_FILES = 2  # of one file alone the pairs are drawn: a single witness would agree with itself
MAX_REMEMBERED = 6  # matrices; strata differ in their number of files. 3 MB for 300 files
ROWS_AT_ONCE = 1_000  # resamples that are numbers of eight bytes at a time; divides them all


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One pair: the file it is from, a value, and what the value weighs (for a loss: its tokens)."""

    cluster: str
    value: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The weighted mean (of `median`: the median), its 95% interval, and from how many pairs and files."""

    mean: float
    low: float
    high: float
    n: int
    clusters: int


def estimate(observations: Sequence[Observation], *, seed: int = 0) -> Estimate | None:
    """The weighted mean of `value`; None without observations. Their order changes nothing."""
    return estimates({"": observations}, seed=seed).get("")


def estimates(figures: Mapping[str, Sequence[Observation]], *, seed: int = 0) -> dict[str, Estimate]:
    """The estimate of each figure, as `estimate` gives it, many at once; what was not observed is left out.

    Figures over the same files are resampled together: a table of 13 takes as long as two or three.
    """
    groups: dict[int, dict[str, list[tuple[float, float]]]] = defaultdict(dict)
    for name, observations in figures.items():
        if observations:
            sums = _sums(observations)
            groups[len(sums)][name] = sums
    found: dict[str, Estimate] = {}
    for clusters, columns in groups.items():
        for name, (low, high) in zip(columns, _ends(list(columns.values()), clusters, seed), strict=True):
            totals, weights = zip(*columns[name], strict=True)
            found[name] = Estimate(
                mean=math.fsum(totals) / math.fsum(weights),
                low=low,
                high=high,
                n=len(figures[name]),
                clusters=len({item.cluster for item in figures[name]}),
            )
    return {name: found[name] for name in figures if name in found}


def median(observations: Sequence[Observation], *, seed: int = 0) -> Estimate | None:
    """The median of `value` instead of the mean, weights left aside; None without observations."""
    import numpy

    if not observations:
        return None
    ordered = sorted(observations, key=lambda item: (item.value, item.cluster))
    values = numpy.array([item.value for item in ordered])
    files = sorted({item.cluster for item in ordered})
    if len(files) < MIN_FILES:
        file_of, drawn = numpy.arange(len(ordered)), _draws(len(ordered), seed)
    else:
        numbers = {name: number for number, name in enumerate(files)}
        file_of, drawn = numpy.array([numbers[item.cluster] for item in ordered]), _draws(len(files), seed)
    medians = []
    for first in range(0, RESAMPLES, ROWS_AT_ONCE):
        below = drawn[first : first + ROWS_AT_ONCE][:, file_of].cumsum(axis=1, dtype=numpy.int64)
        half = below[:, -1:] / 2
        medians += [(values[(below >= half).argmax(axis=1)] + values[(below > half).argmax(axis=1)]) / 2]
    low, high = _interval(numpy.concatenate(medians)[:, None])[0]
    return Estimate(mean=float(numpy.median(values)), low=low, high=high, n=len(ordered), clusters=len(files))


def ratio_difference(one: Sequence[Observation], other: Sequence[Observation], *, seed: int = 0) -> Estimate | None:
    """The weighted mean of `one` less that of `other`, both resampled with the same files; None without any.

    A mean without weight counts as 0: of a reviewer that says nothing where there is nothing to say, nothing is right.
    """
    import numpy

    files = sorted({item.cluster for item in (*one, *other)})
    if not files:
        return None
    at = {name: number for number, name in enumerate(files)}
    sums = numpy.zeros((len(files), 4))
    for column, observations in ((0, one), (2, other)):
        for item in observations:
            sums[at[item.cluster], column] += item.value * item.weight
            sums[at[item.cluster], column + 1] += item.weight
    drawn = _draws(len(files), seed).astype(float) @ sums
    (low, high) = _interval(_difference(drawn)[:, None])[0]
    mean = float(_difference(sums.sum(axis=0, keepdims=True))[0])
    return Estimate(mean=mean, low=low, high=high, n=max(len(one), len(other)), clusters=len(files))


def _difference(sums: "numpy.ndarray[Any, Any]") -> "numpy.ndarray[Any, Any]":
    import numpy

    values, weights = sums[:, ::2], sums[:, 1::2]
    means = numpy.divide(values, weights, out=numpy.zeros_like(values), where=weights > 0)
    found: numpy.ndarray[Any, Any] = means[:, 0] - means[:, 1]
    return found


def _sums(observations: Sequence[Observation]) -> list[tuple[float, float]]:
    """Value and weight of each file, in an order that does not depend on that of the pairs."""
    files: dict[str, list[Observation]] = defaultdict(list)
    for item in observations:
        files[item.cluster].append(item)
    if len(files) < MIN_FILES:
        return sorted((item.value * item.weight, item.weight) for item in observations)
    return [
        (math.fsum(item.value * item.weight for item in files[name]), math.fsum(item.weight for item in files[name]))
        for name in sorted(files)
    ]


def _ends(columns: list[list[tuple[float, float]]], clusters: int, seed: int) -> list[tuple[float, float]]:
    """The ends of the interval of each column, whose rows are files."""
    import numpy

    sums = numpy.array(columns, dtype=float)
    drawn = _draws(clusters, seed)
    pieces = []
    for first in range(0, RESAMPLES, ROWS_AT_ONCE):
        counts: numpy.ndarray[Any, Any] = drawn[first : first + ROWS_AT_ONCE].astype(float)
        pieces.append((counts @ sums[:, :, 0].T) / (counts @ sums[:, :, 1].T))
    return _interval(numpy.concatenate(pieces))


def _interval(resampled: "numpy.ndarray[Any, Any]") -> list[tuple[float, float]]:
    """The ends of what each column holds between its tails."""
    import numpy

    tail = int(RESAMPLES * (1 - CONFIDENCE) / 2)
    ordered = numpy.partition(resampled, (tail, RESAMPLES - 1 - tail), axis=0)
    return list(zip(ordered[tail].tolist(), ordered[RESAMPLES - 1 - tail].tolist(), strict=True))


@lru_cache(maxsize=MAX_REMEMBERED)
def _draws(clusters: int, seed: int) -> "numpy.ndarray[Any, Any]":
    """How often each file is drawn in each resample; the same for the same seed and number of files."""
    import numpy

    rng = numpy.random.default_rng([seed, clusters])
    # A byte is enough: of n draws from n none comes near 255 times.
    counts: numpy.ndarray[Any, Any] = numpy.empty((RESAMPLES, clusters), dtype=numpy.uint8)
    rows: numpy.ndarray[Any, Any] = numpy.arange(ROWS_AT_ONCE)[:, None] * clusters
    for first in range(0, RESAMPLES, ROWS_AT_ONCE):
        drawn = rng.integers(clusters, size=(ROWS_AT_ONCE, clusters)) + rows
        counts[first : first + ROWS_AT_ONCE] = numpy.bincount(drawn.ravel(), minlength=ROWS_AT_ONCE * clusters).reshape(
            ROWS_AT_ONCE, clusters
        )
    return counts
