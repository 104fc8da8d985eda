"""How far a mining is, over all of its stages, and how long each took."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Progress = Callable[[int, int, str], None]  # done, of, what is being done in words
Advance = Callable[[int, int], None]  # done, of

Item = TypeVar("Item")
WHOLE = 1_000
# Where each stage begins and ends, in thousandths; seen on repositories of 50,000 to 600,000 lines.
STAGES = {
    "files": (0, 280),
    "history": (280, 400),
    "reviews": (400, 590),
    "pairs": (590, 620),
    "held out": (620, 780),
    "index": (780, 810),
    "context": (810, 970),
    "write": (970, WHOLE),
}
TOLD_EVERY = 20
FILE_RATE_SECONDS = 1.0  # before that a rate says nothing


def told(items: Iterable[Item], advance: Advance, of: int) -> Iterator[Item]:
    """The items, with a word about how many there were so far, and of how many at most."""
    for number, item in enumerate(items):
        if number % TOLD_EVERY == 0:
            advance(number, of)
        yield item


class Stages:
    """Tells one progress for all stages, which never goes back."""

    def __init__(self, report: Progress = lambda _done, _of, _said: None) -> None:
        self._report = report
        self._last = 0
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[Advance]:
        """One of `STAGES`; inside of it is told how much is done, of how much."""
        started = time.monotonic()
        first, last = STAGES[name]

        def advance(done: int, of: int) -> None:
            elapsed = time.monotonic() - started
            rate = f", {done / elapsed:,.0f} a second" if elapsed > FILE_RATE_SECONDS and done > elapsed else ""
            self._tell(first + (last - first) * min(done, of) // max(1, of), f"{name} {done:,} of {of:,}{rate}")

        self._tell(first, name)
        yield advance
        self._tell(last, name)
        self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - started

    def _tell(self, done: int, said: str) -> None:
        self._last = max(self._last, done)
        self._report(self._last, WHOLE, said)
