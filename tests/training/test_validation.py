"""When a training is measured, when it ends early, and when it is given up."""

import math
import random
from typing import Any

import pytest

from acclimate_indexer.errors import TrainingError
from acclimate_training.divergence import ODD_IN_A_ROW, Watch
from acclimate_training.encoding import Example
from acclimate_training.validation import (
    CurvePoint,
    best_step,
    chosen_pairs,
    curve,
    has_got_worse,
    planned_validation,
)


def log_of(*losses: float) -> list[dict[str, Any]]:
    return [{"step": 10 * number, "validation_loss": loss} for number, loss in enumerate(losses, start=1)]


@pytest.mark.parametrize(
    ("steps", "seconds_per_pair", "available", "after", "pairs"),
    [
        (400, 0.1, 1000, (50, 100, 150, 200, 250, 300, 350, 400), 50),
        (100, 0.1, 1000, (25, 50, 75, 100), 25),
        (50, 0.1, 1000, (25, 50), 25),
        (25, 0.1, 1000, (25,), 25),
        (25, 0.2, 1000, (), 0),
        (400, 0.001, 1000, (50, 100, 150, 200, 250, 300, 350, 400), 128),
        (400, 0.1, 7, (50, 100, 150, 200, 250, 300, 350, 400), 7),
        (5, 0.001, 1000, (2, 3, 4, 5), 125),
        (400, 0.1, 0, (), 0),
    ],
)
def test_it_is_measured_as_often_as_a_tenth_of_the_time_allows(
    steps: int, seconds_per_pair: float, available: int, after: tuple[int, ...], pairs: int
) -> None:
    plan = planned_validation(steps=steps, seconds_per_step=1.0, seconds_per_pair=seconds_per_pair, available=available)

    assert (plan.steps, plan.pairs) == (after, pairs)
    assert len(plan.steps) * plan.pairs * seconds_per_pair <= 0.1 * steps + 1e-9


def test_the_same_pairs_are_measured_each_time() -> None:
    examples = [Example(prompt=(1,) * length, target=(2, 0)) for length in range(1, 60)]

    first, again = chosen_pairs(examples, 20, 7), chosen_pairs(examples, 20, 7)

    assert first == again != chosen_pairs(examples, 20, 8)
    assert len(set(first)) == 20
    assert [example.length for example in first] == sorted(example.length for example in first)


@pytest.mark.parametrize(
    ("losses", "best", "is_over"),
    [
        ((), None, False),
        ((2.0, 1.9, 1.8), 30, False),
        ((2.0, 1.5, 1.6, 1.7), 20, False),
        ((2.0, 1.5, 1.6, 1.7, 1.6), 20, True),
        ((1.0, 2.0, 2.0, 0.9), 40, False),
        ((1.0, 1.0, 1.0, 1.0), 10, True),
    ],
)
def test_it_ends_after_three_measurements_without_a_better_one(
    losses: tuple[float, ...], best: int | None, is_over: bool
) -> None:
    assert best_step(log_of(*losses)) == best
    assert has_got_worse(log_of(*losses)) == is_over


def test_the_curve_has_both_losses() -> None:
    log = [
        {"step": 1, "loss": 3.0, "grad_norm": 1.0},
        {"step": 2, "loss": 2.0, "grad_norm": 1.0},
        {"step": 2, "validation_loss": 2.5},
        {"step": 2, "train_runtime": 1.0},
    ]

    assert curve(log) == (CurvePoint(step=1, training=3.0), CurvePoint(step=2, training=2.0, validation=2.5))


def test_one_odd_gradient_is_left_out_and_counted() -> None:
    watch = Watch(100)
    taken = [watch.takes(step, 1.0) for step in range(1, 11)] + [watch.takes(11, 11.0), watch.takes(12, 1.1)]

    assert taken == [*[True] * 10, False, True]
    assert watch.skipped == 1


def test_gradients_may_grow_at_the_beginning() -> None:
    watch = Watch(100)

    assert all(watch.takes(step, 10.0**step) for step in range(1, 6))


def test_gradients_that_stay_odd_end_the_training() -> None:
    watch = Watch(100)
    for step in range(1, 11):
        watch.takes(step, 1.0)

    with pytest.raises(TrainingError, match=r"at step 14 of 100 the gradient was 10 times the usual"):
        for step in range(11, 11 + ODD_IN_A_ROW):
            watch.takes(step, 50.0)


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_what_is_no_number_ends_it_at_once(odd: float) -> None:
    with pytest.raises(TrainingError, match="at step 3 of 9 the gradient is no longer a finite number"):
        Watch(9).takes(3, odd)
    with pytest.raises(TrainingError, match="at step 3 of 9 the loss is no longer a finite number"):
        Watch(9).hear(3, odd)


def test_a_loss_that_rises_far_above_its_beginning_ends_it() -> None:
    watch = Watch(100)
    for step in range(1, 21):
        watch.hear(step, 1.0)

    with pytest.raises(TrainingError, match=r"the loss rose from 1\.00 to 2\.50 nats a token"):
        for step in range(21, 40):
            watch.hear(step, 2.5)


def test_ordinary_noise_ends_nothing() -> None:
    for seed in range(200):
        noise, watch = random.Random(seed), Watch(400)
        for step in range(1, 401):
            watch.takes(step, noise.lognormvariate(0, 0.5))
            watch.hear(step, noise.lognormvariate(0, 0.5))

        assert watch.skipped <= 1


def test_a_resumed_watch_has_seen_what_was_logged() -> None:
    log = [{"step": step, "loss": 1.0, "grad_norm": 20.0 if step == 9 else 1.0} for step in range(1, 11)]

    again = Watch.after(log, 100)

    assert again.skipped == 1
    assert not again.takes(11, 10.1)
