"""When a training is measured on held-out pairs while it runs, when it ends early, and which weights are kept.

Everything follows from the plan, which is made once, and from the log of the steps, which every checkpoint carries: a
resumed training therefore ends where an uninterrupted one does.
"""

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .encoding import Example

COST_SHARE = 0.1  # of the training's time, at most
COUNTS = (8, 4, 2, 1)  # measurements a training; the first that the cost allows
FEWEST_PAIRS = 24  # a measurement on fewer is mostly chance
MOST_PAIRS = 128  # more would say little more
PATIENCE = 3  # measurements in a row that are worse than the best one
LOSS = "validation_loss"  # in the log of the steps; nats per token of the middle


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationPlan:
    """After which steps, and on how many pairs; none at all where it would cost too much."""

    steps: tuple[int, ...] = ()
    pairs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """Losses in nats per token of the middle; `validation` only where it was measured."""

    step: int
    training: float
    validation: float | None = None


def planned_validation(
    *, steps: int, seconds_per_step: float, seconds_per_pair: float, available: int
) -> ValidationPlan:
    """As often as the cost allows with enough pairs, at even distances, and always after the last step."""
    affordable = COST_SHARE * steps * seconds_per_step / max(seconds_per_pair, 1e-9)
    for count in COUNTS:
        pairs = min(available, MOST_PAIRS, math.floor(affordable / count))
        if count <= steps and pairs >= min(FEWEST_PAIRS, available) > 0:
            after = tuple(sorted({math.ceil(number * steps / count) for number in range(1, count + 1)}))
            return ValidationPlan(steps=after, pairs=pairs)
    return ValidationPlan()


def chosen_pairs(examples: Sequence[Example], count: int, seed: int) -> list[Example]:
    """The pairs to measure on, similar lengths together."""
    rng = random.Random(seed)  # noqa: S311 - a sample, not a key
    return sorted(rng.sample(examples, min(count, len(examples))), key=lambda example: example.length)


def measured(log: Iterable[Mapping[str, Any]]) -> list[tuple[int, float]]:
    """Step and loss of every measurement in the log of the steps."""
    return [(int(entry["step"]), float(entry[LOSS])) for entry in log if LOSS in entry]


def best_step(log: Iterable[Mapping[str, Any]]) -> int | None:
    """After which step the loss was lowest."""
    best = min(measured(log), key=lambda found: (found[1], found[0]), default=None)
    return None if best is None else best[0]


def has_got_worse(log: Iterable[Mapping[str, Any]], patience: int = PATIENCE) -> bool:
    """Whether as many measurements as `patience` have passed since the best one."""
    losses = [loss for _, loss in measured(log)]
    return bool(losses) and len(losses) - 1 - losses.index(min(losses)) >= patience


def curve(log: Iterable[Mapping[str, Any]]) -> tuple[CurvePoint, ...]:
    """The losses of all steps, those before an interruption included."""
    entries = list(log)
    validation = dict(measured(entries))
    return tuple(
        CurvePoint(
            step=int(entry["step"]), training=float(entry["loss"]), validation=validation.get(int(entry["step"]))
        )
        for entry in entries
        if "loss" in entry
    )
