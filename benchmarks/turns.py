"""A training in rounds: it goes on when its parent says so, and tells what each round took.

Several trainings take turns this way, each whole and in a process of its own, so that whatever else the machine does
disturbs them alike. Wall clock is what a user waits; the process's own time is less moved by other processes.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any, TextIO

KIBIBYTE = 1024


class Turns:
    """The child's end: `ready` says that all is loaded, `begin` waits for the parent, `end` tells it."""

    def __init__(self, channel: TextIO, *, steps_a_round: int, steps: int) -> None:
        self._channel = channel
        self._steps_a_round = steps_a_round
        self._steps_left = steps
        self._steps_in_round = 0
        self._tokens = 0
        self._started = (0.0, 0.0)

    def ready(self) -> None:
        self.tell(loaded_bytes=peak_bytes())
        self.begin()

    def begin(self) -> None:
        if not sys.stdin.readline():
            sys.exit("the parent has gone")
        self._steps_in_round = self._tokens = 0
        self._started = (time.monotonic(), time.process_time())

    def count(self, tokens: int) -> None:
        """Tokens that are not padding, of the step that is done next."""
        self._tokens += tokens

    def step_done(self) -> None:
        """What comes after the last step still belongs to it: the caller ends that round."""
        self._steps_in_round += 1
        self._steps_left -= 1
        if self._steps_left and self._steps_in_round == self._steps_a_round:
            self.end()
            self.begin()

    def end(self) -> None:
        self.tell(
            tokens=self._tokens,
            seconds=time.monotonic() - self._started[0],
            processor_seconds=time.process_time() - self._started[1],
            peak_bytes=peak_bytes(),
        )
        release_unused()

    def tell(self, **facts: Any) -> None:
        print(json.dumps(facts), file=self._channel, flush=True)


def peak_bytes() -> int:
    """The most memory that this process has held: of a GPU's, if there is one, else of the machine's.

    Linux's own mark of this program, where it can be read: `ru_maxrss` also knows what the parent held at its start.
    """
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * KIBIBYTE for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else KIBIBYTE
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def release_unused() -> None:
    """What torch keeps of a GPU's memory for later is another's while this one waits."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
