"""How sure a figure is: bootstrap intervals, clustered by file.

Pairs of one file resemble each other, so whole files are drawn, not pairs. Two contenders are compared on the very same
pairs, by the interval of their difference. Plain Python: a few hundred files need no tensor library.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

RESAMPLES = 10_000  # the ends of a 95% interval then move by about a hundredth of its width
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One pair: the file it is from, a value, and what the value weighs (for a loss: its tokens)."""

    cluster: str
    value: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The weighted mean, and the interval that holds it in 95 of 100 repetitions."""

    mean: float
    low: float
    high: float
    n: int


def estimate(observations: Sequence[Observation], *, seed: int = 0) -> Estimate | None:
    """The weighted mean of `value`; None without observations."""
    if not observations:
        return None
    sums: dict[str, tuple[float, float]] = {}
    for item in observations:
        total, weight = sums.get(item.cluster, (0.0, 0.0))
        sums[item.cluster] = (total + item.value * item.weight, weight + item.weight)
    means = _resampled_means(list(sums.values()), seed)
    tail = int(RESAMPLES * (1 - CONFIDENCE) / 2)
    total, weight = (sum(column) for column in zip(*sums.values(), strict=True))
    return Estimate(mean=total / weight, low=means[tail], high=means[-1 - tail], n=len(observations))


def _resampled_means(clusters: list[tuple[float, float]], seed: int) -> list[float]:
    rng = random.Random(seed)  # noqa: S311 - resampling, not a key; the same clusters give the same interval
    means = []
    for _ in range(RESAMPLES):
        totals, weights = zip(*rng.choices(clusters, k=len(clusters)), strict=True)
        means.append(sum(totals) / sum(weights))
    return sorted(means)
