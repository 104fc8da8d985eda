"""Whether the engine finishes a line fast enough to be asked while somebody types."""

import statistics
import time
from collections import deque
from collections.abc import Callable

SLOW_SECONDS = 1.2  # a thought is gone by then
ANSWERS = 15  # that are looked at
MIN_ANSWERS = 5  # fewer say nothing: the first ones load and allocate
FORGET_SECONDS = 600.0  # then it is tried again: another program may have been at work


class Speed:
    """How long the rests of lines took lately, those that were not waited for included."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answers: deque[tuple[float, float]] = deque(maxlen=ANSWERS)

    def took(self, seconds: float, *, to_its_end: bool) -> None:
        """An answer took so long, or was given up after so long: what was given up early says nothing."""
        if to_its_end or seconds > SLOW_SECONDS:
            self._answers.append((self._clock(), seconds))

    @property
    def median_seconds(self) -> float | None:
        """Of the last answers; None where there are too few."""
        now = self._clock()
        recent = [seconds for at, seconds in self._answers if now - at < FORGET_SECONDS]
        return statistics.median(recent) if len(recent) >= MIN_ANSWERS else None

    def why_too_slow(self) -> str:
        """Why nothing is asked while somebody types; empty if it is."""
        median = self.median_seconds
        if median is None or median <= SLOW_SECONDS:
            return ""
        return (
            f"A line takes {median:.1f} s here, too long to complete while you type: ask for it by hand,"
            ' or set `completion.automatic` to "always".'
        )
