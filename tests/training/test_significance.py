"""Intervals by file, McNemar's test, and what so many pairs can show."""

import math
import random
import statistics
from fractions import Fraction

import pytest

from acclimate_training.evaluation.intervals import Observation, estimate, estimates, median
from acclimate_training.evaluation.significance import (
    design_effect,
    detectable_difference,
    detectable_points,
    mcnemar,
    mcnemar_of,
    pairs_needed,
)


@pytest.mark.parametrize(
    ("better", "worse", "p"),
    [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (1, 9, 2 * (1 + 10) / 2**10),
        (3, 12, 2 * (1 + 15 + 105 + 455) / 2**15),
        (0, 6, 2 / 2**6),
        (0, 5, 0.0625),  # five of five can never be significant
        (7, 2, 2 * (1 + 9 + 36) / 2**9),
    ],
)
def test_mcnemar_of_hand_counted_tails(better: int, worse: int, p: float) -> None:
    assert mcnemar(better, worse) == pytest.approx(p, rel=1e-12)
    assert mcnemar(worse, better) == mcnemar(better, worse)


def test_mcnemar_of_a_table_in_textbooks() -> None:
    """Agresti's approval of the prime minister, where 86 and 150 changed their minds; the tail summed as fractions."""
    exact = 2 * Fraction(sum(math.comb(236, k) for k in range(87)), 2**236)

    assert mcnemar(86, 150) == pytest.approx(float(exact), rel=1e-10)
    assert mcnemar(86, 150) == pytest.approx(3.7e-5, rel=0.02)


@pytest.mark.parametrize(("better", "worse"), [(4_900, 5_100), (9_000, 11_000), (1, 3_000)])
def test_mcnemar_stays_exact_for_many_pairs(better: int, worse: int) -> None:
    n, smaller = better + worse, min(better, worse)
    term = tail = 1
    for k in range(smaller):
        term = term * (n - k) // (k + 1)
        tail += term
    exact = 2 * Fraction(tail, 2**n)

    assert mcnemar(better, worse) == pytest.approx(float(exact), rel=1e-8, abs=0)


def test_mcnemar_counts_the_pairs_that_differ() -> None:
    values = [1.0] * 9 + [-1.0] + [0.0] * 90

    assert mcnemar_of([Observation(cluster=str(n), value=v) for n, v in enumerate(values)]) == mcnemar(9, 1)


@pytest.mark.parametrize(
    ("difference", "discordance", "pairs"),
    [(0.05, 0.15, 469), (0.03, 0.15, 1_306), (0.02, 0.15, 2_941), (0.05, 0.20, 626), (0.03, 0.20, 1_742)],
)
def test_the_pairs_needed_are_those_of_the_formula(difference: float, discordance: float, pairs: int) -> None:
    assert pairs_needed(difference, discordance=discordance) == pytest.approx(pairs, abs=1)
    assert detectable_difference(pairs, discordance=discordance) == pytest.approx(difference, abs=1e-3)


def test_a_detectable_difference_is_found_four_times_in_five() -> None:
    rng = random.Random(5)
    n, discordance = 400, 0.15
    difference = detectable_difference(n, discordance=discordance)
    better = (discordance + difference) / 2

    found = 0
    for _ in range(1_000):
        draws = [rng.random() for _ in range(n)]
        wins = sum(draw < better for draw in draws)
        losses = sum(better <= draw < discordance for draw in draws)
        found += mcnemar(wins, losses) < 0.05
    assert 0.72 < found / 1_000 < 0.84  # the exact test is a little stricter than the formula


def test_more_files_show_more_and_resembling_pairs_less() -> None:
    alone = [Observation(cluster=str(n), value=float(n % 7 == 0) - float(n % 11 == 0)) for n in range(600)]
    together = [Observation(cluster=str(n // 20), value=float(n // 20 % 7 == 0)) for n in range(600)]

    assert design_effect(alone) == pytest.approx(1, abs=0.1)
    assert design_effect(together) == pytest.approx(20, rel=0.1)
    few, many = detectable_points(alone[:200]), detectable_points(alone)
    assert few is not None
    assert many is not None
    assert many < few < 100
    assert detectable_points([]) is None


def test_pairs_that_all_agree_show_what_a_rule_of_thumb_says() -> None:
    points = detectable_points([Observation(cluster=str(n), value=0.0) for n in range(100)])

    assert points is not None
    assert 5 < points < 10  # less than some seven of a hundred could have been missed


def test_the_interval_holds_the_truth_in_about_95_of_100_repetitions() -> None:
    rng = random.Random(11)

    def holds() -> bool:
        observations = []
        for file in range(60):
            share = rng.choice((0.1, 0.3, 0.5))  # pairs of a file resemble each other
            observations += [Observation(cluster=str(file), value=float(rng.random() < share)) for _ in range(5)]
        found = estimate(observations)
        return found is not None and found.low <= 0.3 <= found.high

    assert 0.90 <= statistics.fmean(holds() for _ in range(300)) <= 0.98


def test_the_order_of_pairs_changes_nothing() -> None:
    rng = random.Random(2)
    observations = [
        Observation(cluster=str(rng.randrange(30)), value=rng.random(), weight=rng.random()) for _ in range(200)
    ]
    shuffled = rng.sample(observations, len(observations))

    assert estimate(shuffled, seed=4) == estimate(observations, seed=4)
    assert median(shuffled, seed=4) == median(observations, seed=4)
    assert estimate(observations, seed=5) != estimate(observations, seed=4)


def test_many_figures_at_once_are_those_of_each() -> None:
    rng = random.Random(3)
    figures = {
        str(name): [Observation(cluster=str(rng.randrange(20 + name % 2)), value=rng.random()) for _ in range(80)]
        for name in range(5)
    } | {"nothing": []}

    together = estimates(figures)

    assert list(together) == ["0", "1", "2", "3", "4"]
    for name, found in together.items():
        alone = estimate(figures[name])
        assert alone is not None
        assert (found.mean, found.n, found.clusters) == (alone.mean, alone.n, alone.clusters)
        assert (found.low, found.high) == pytest.approx((alone.low, alone.high), abs=1e-12)


def test_one_file_is_no_certainty() -> None:
    found = estimate([Observation(cluster="a", value=float(n % 2)) for n in range(40)])

    assert found is not None
    assert found.clusters == 1
    assert found.low < 0.5 < found.high


def test_a_median_has_an_interval_too() -> None:
    values = [1.0] * 50 + [9.0] * 20 + [0.5] * 31
    found = median([Observation(cluster=str(n % 25), value=value) for n, value in enumerate(values)])
    even = median([Observation(cluster=str(n), value=float(n)) for n in range(4)])

    assert found is not None
    assert (found.mean, found.n, found.clusters) == (1.0, 101, 25)
    assert found.low <= 1.0 <= found.high
    assert even is not None
    assert even.mean == 1.5
    assert median([]) is None
