"""How fast somebody types, and how long to wait after a keystroke before the engine is asked.

Who types at 150 ms a key would cause a request a key with any shorter wait; who waits much longer than that waits for
nothing. So the wait follows the hand: half as long again as its usual interval, and short at the start of a line,
where people stop to think.
"""

import time
from collections.abc import Callable

LONGEST_INTERVAL_SECONDS = 0.8  # a longer one is a pause, and says nothing about the hand
FIRST_INTERVAL_SECONDS = 0.16  # of a practised typist, until this one is known
WEIGHT = 0.15  # of the newest interval: the last dozen keys count
FACTOR = 1.5  # of the usual interval; nine of ten come sooner, as intervals spread
MOST_SECONDS = 0.4  # so that an answer can still come within a pause of 600 ms


class Pace:
    """The keystrokes of one editor."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._interval = FIRST_INTERVAL_SECONDS
        self._last = clock() - LONGEST_INTERVAL_SECONDS
        self._is_line_start = False

    def typed(self, inserted: str) -> None:
        """A document was changed by these characters; empty if some were deleted."""
        now = self._clock()
        interval, self._last = now - self._last, now
        self._is_line_start = "\n" in inserted
        if interval < LONGEST_INTERVAL_SECONDS:
            self._interval += WEIGHT * (interval - self._interval)

    @property
    def is_typing(self) -> bool:
        """Whether the last keystroke was just now."""
        return self._clock() - self._last < MOST_SECONDS

    def wait_seconds(self, least: float) -> float:
        """How much longer to wait now for another keystroke; 0 if that was long enough."""
        wanted = least if self._is_line_start else min(max(least, FACTOR * self._interval), max(least, MOST_SECONDS))
        return max(0.0, self._last + wanted - self._clock())
