"""Whether a difference in exact match can be chance, and which difference so many pairs could have shown.

Two contenders answer the same pairs, so only those tell that one of them got right and the other wrong: the discordant
ones. McNemar's test (Psychometrika 12, 1947) asks whether they split evenly; it is taken exactly, from the binomial
distribution. It counts every pair as a witness of its own. The interval by file (`intervals`) does not, and decides;
the test is reported beside it.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from statistics import NormalDist

from .intervals import Observation

POWER = 0.8  # as usual: a true difference of the size that is named is found four times in five
SIGNIFICANCE = 0.05  # two-sided
_PRECISION = 1e-6  # of a difference between 0 and 1; a ten-thousandth of a point


def mcnemar(better: int, worse: int) -> float:
    """The two-sided exact p-value: how likely discordant pairs split so unevenly by chance.

    Twice the smaller tail of Binomial(n, 1/2), at most 1. The tail is summed from its largest term downwards, in
    proportion to it, so that many thousands of pairs cost neither time nor precision.
    """
    n, smaller = better + worse, min(better, worse)
    if better == worse:
        return 1.0
    term = total = 1.0
    for successes in range(smaller, 0, -1):
        term *= successes / (n - successes + 1)
        total += term
        if term < total * 1e-17:
            break
    largest = math.lgamma(n + 1) - math.lgamma(smaller + 1) - math.lgamma(n - smaller + 1) - n * math.log(2)
    return min(1.0, 2 * math.exp(largest) * total)


def mcnemar_of(differences: Sequence[Observation]) -> float:
    """The p-value of paired differences in exact match, each 1, 0 or -1."""
    return mcnemar(sum(item.value > 0 for item in differences), sum(item.value < 0 for item in differences))


def detectable_points(differences: Sequence[Observation], *, power: float = POWER) -> float | None:
    """The difference in points of exact match that these pairs could have shown; None without pairs.

    How often the two disagree, and how much the pairs of a file resemble each other, is taken from the differences.
    """
    if not differences:
        return None
    discordance = sum(item.value != 0 for item in differences) / len(differences)
    return 100 * detectable_difference(
        len(differences), discordance=discordance, design_effect=design_effect(differences), power=power
    )


def detectable_difference(n: int, *, discordance: float, design_effect: float = 1.0, power: float = POWER) -> float:
    """The difference in shares, from 0 to 1, that `n` pairs show with this power; 1 where they are too few for any.

    The `pairs_needed` turned round; `n` counts as `n / design_effect` pairs that are independent.
    """
    independent = n / design_effect
    low, high = 0.0, 1.0
    while high - low > _PRECISION:
        middle = (low + high) / 2
        if pairs_needed(middle, discordance=discordance, power=power) <= independent:
            high = middle
        else:
            low = middle
    return high


def pairs_needed(difference: float, *, discordance: float, power: float = POWER) -> float:
    """How many independent pairs show a difference in shares with this power, at 5%, two-sided.

    n = (z(1-a/2) sqrt(d) + z(power) sqrt(d - difference^2))^2 / difference^2, with d the discordance: Connor, Sample
    size for testing differences in proportions for the paired-sample design, Biometrics 43 (1987), p. 207. Where less
    is discordant than the difference needs, just as much is taken to be.
    """
    discordant = max(discordance, difference)
    normal = NormalDist()
    spread = normal.inv_cdf(1 - SIGNIFICANCE / 2) * math.sqrt(discordant)
    spread += normal.inv_cdf(power) * math.sqrt(discordant - difference**2)
    return (spread / difference) ** 2


def design_effect(observations: Sequence[Observation]) -> float:
    """How many pairs drawn by file tell as much as one drawn by itself (Kish, Survey Sampling, 1965, section 5.4).

    The variance of the mean with whole files as witnesses, over that with pairs as witnesses; at least 1, since files
    that seem to differ less than chance would have it do so by chance.
    """
    n = len(observations)
    if n < 2:
        return 1.0
    mean = math.fsum(item.value for item in observations) / n
    files: dict[str, list[float]] = defaultdict(list)
    for item in observations:
        files[item.cluster].append(item.value - mean)
    by_pair = math.fsum((item.value - mean) ** 2 for item in observations) * n / (n - 1)
    if len(files) < 2 or not by_pair:
        return 1.0
    by_file = math.fsum(math.fsum(values) ** 2 for values in files.values()) * len(files) / (len(files) - 1)
    return max(1.0, by_file / by_pair)
