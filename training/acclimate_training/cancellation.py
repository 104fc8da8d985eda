"""Stopping the background process when it is asked to, at once.

Whoever started it kills it one second after asking. Python's own handling of signals waits for the call that runs, and
a backward pass can run for seconds; so a thread watches, and ends the process itself when the main thread is late.
What is on disk is whole at any moment, so that nothing is lost by that.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

SIGNALS = (signal.SIGTERM, signal.SIGINT)
GRACE_SECONDS = 0.7  # for the main thread to end by itself; the parent kills after 1.0
EXIT_CODE = 130


class Cancelled(SystemExit):
    """The process was asked to stop. A `SystemExit`, because libraries and event loops let that one through."""

    def __init__(self) -> None:
        super().__init__(EXIT_CODE)


@contextmanager
def cancellable(when_late: Callable[[], None]) -> Iterator[None]:
    """Within the block a signal raises `Cancelled` in the main thread.

    A process that was asked to stop is gone soon after in any case: if the main thread is late, `when_late` is called
    from another thread, which then ends the process.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    watcher = threading.Thread(target=_watch, args=(reading, when_late), daemon=True)
    previous = {number: signal.signal(number, _raise) for number in SIGNALS}
    previous_writing = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    watcher.start()
    try:
        yield
    except Cancelled:
        raise  # the watcher is counting
    except BaseException:
        _unwatch(previous, previous_writing, writing, watcher)
        raise
    _unwatch(previous, previous_writing, writing, watcher)


def leave() -> NoReturn:
    """Ends the process without taking down an interpreter full of tensor libraries, which can last a second."""
    logging.shutdown()
    os._exit(EXIT_CODE)


def _unwatch(
    previous: Mapping[signal.Signals, Any], previous_writing: int, writing: int, watcher: threading.Thread
) -> None:
    signal.set_wakeup_fd(previous_writing)
    for number, handler in previous.items():
        signal.signal(number, handler)
    os.close(writing)  # ends the watcher's read
    watcher.join()


def _raise(_number: int, _frame: FrameType | None) -> NoReturn:
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # asked once is enough; cleaning up must not be interrupted
    raise Cancelled


def _watch(reading: int, when_late: Callable[[], None]) -> None:
    try:
        while received := os.read(reading, 1):
            if received[0] in SIGNALS:
                time.sleep(GRACE_SECONDS)
                when_late()
                os._exit(EXIT_CODE)
    finally:
        os.close(reading)
