"""Whether the user is away from this editor, and whether the machine has time to spare."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

from .power import is_on_mains

MAX_LOAD_SHARE = 0.25  # of the processors: a browser that shows a page takes less, a build or a film more


class Activity:
    """When something last happened in this editor, and where. `news` is set where there is something new to look at."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()
        self.folder: Path | None = None
        self.news = asyncio.Event()

    @property
    def idle_seconds(self) -> float:
        return self._clock() - self._last

    def touched(self, document: Path | None) -> None:
        """The user did something; None is a document that was never saved."""
        self._last = self._clock()
        if document is not None and document.parent != self.folder:
            self.folder = document.parent
            self.news.set()


def why_machine_is_busy() -> str:
    """Why nothing heavy may start on this machine now; empty if it may."""
    processors = os.cpu_count() or 1
    load = max(os.getloadavg()[:2])  # over one and over five minutes: a pause in a build is no rest
    if load > MAX_LOAD_SHARE * processors:
        return f"The machine is at work: a load of {load:.1f} on {processors} processors."
    return "" if is_on_mains() else "The machine is not on mains power."
