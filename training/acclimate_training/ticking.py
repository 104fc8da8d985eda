"""Progress of something that shows none itself: looked at from a thread, until it ends."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TICK_SECONDS = 0.5  # as often as an eye wants a bar to move


@contextmanager
def ticking(tick: Callable[[], None]) -> Iterator[None]:
    """Calls `tick` now and then while the block runs, and not any more after it."""
    stop = threading.Event()

    def follow() -> None:
        while not stop.wait(TICK_SECONDS):
            tick()

    thread = threading.Thread(target=follow, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def reported_seconds(stage: str, usual_seconds: int, report: Callable[[str, int, int], None]) -> Iterator[None]:
    """Reports the seconds that the block has taken, of those that it usually takes; the last one only at its end."""
    started = time.monotonic()
    report(stage, 0, usual_seconds)
    with ticking(lambda: report(stage, min(int(time.monotonic() - started), usual_seconds - 1), usual_seconds)):
        yield
    report(stage, usual_seconds, usual_seconds)
