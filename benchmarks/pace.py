"""How fast people type, so that a trace runs at a human pace.

Sixty words a minute are a key every 167 ms; the 168,000 volunteers of Dhakal et al., "Observations on Typing from 136
Million Keystrokes" (CHI 2018), copied English at 52 words a minute on average. Intervals are skewed as a log-normal
is. That one hesitates before a word and thinks before a line is known from every study of typing; how long, in code, is
our assumption: with these figures a line of code has one or two pauses of more than 600 ms.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

MAX_SECONDS = 4.0  # who thinks longer waits for nobody: it would only make the run longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A log-normal: its median, and the standard deviation of its logarithm."""

    median_seconds: float
    spread: float


WITHIN_A_WORD = Interval(median_seconds=0.165, spread=0.4)
BEFORE_A_WORD = Interval(median_seconds=0.3, spread=0.7)  # longer than 600 ms at one word in six
AFTER_ENTER = Interval(median_seconds=0.6, spread=0.7)  # longer than 600 ms at every other line


def human_pace(strokes: Sequence[str], *, seed: int) -> list[float]:
    """The seconds that pass before each stroke, counted from the change before it."""
    chance = random.Random(seed)  # noqa: S311  # a pace, not a key
    seconds = []
    for before, stroke in zip(("\n", *strokes), strokes, strict=False):
        interval = _interval(before, stroke)
        drawn = chance.lognormvariate(math.log(interval.median_seconds), interval.spread)
        seconds.append(min(drawn, MAX_SECONDS))
    return seconds


def _interval(before: str, stroke: str) -> Interval:
    if before.startswith("\n"):
        return AFTER_ENTER
    return BEFORE_A_WORD if stroke.isidentifier() and not before.isidentifier() else WITHIN_A_WORD
