"""Notices when a training goes wrong: a loss that is no number, one that rises, and gradients that explode.

A single gradient far beyond the usual is left out and counted: one odd pair must not undo what many taught. What was
seen is in the log of the steps, so that a resumed training judges as an uninterrupted one does.
"""

import math
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any, NoReturn

from acclimate_indexer.errors import TrainingError

ODD_TIMES = 10  # the median of the gradients' norms before it
FIRST_NORMS = 8  # before that nothing is odd: an adapter's norms begin low, since half of it begins at zero
REMEMBERED = 64  # norms in the median: they fall as the training goes on
ODD_IN_A_ROW = 4  # are no accident
COMPARED_LOSSES = 16  # a step's loss is noisy: with 8, one of 200 sound runs of strong noise was ended
RISEN_TIMES = 2.0  # the median of the last losses over that of the first ones
RISEN_NATS = 1.0  # and at least that much: a loss near zero doubles by chance


class Watch:
    """Hears the norm of a step's gradient before it is applied, and the step's loss after."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._norms: list[float] = []
        self._losses: list[float] = []
        self._odd_in_a_row = 0
        self.skipped = 0

    @classmethod
    def after(cls, log: Iterable[Mapping[str, Any]], steps: int) -> "Watch":
        """With all that an interrupted training had seen."""
        watch = cls(steps)
        for entry in log:
            if "grad_norm" in entry:
                watch.takes(int(entry["step"]), float(entry["grad_norm"]))
                watch.hear(int(entry["step"]), float(entry["loss"]))
        return watch

    def takes(self, step: int, norm: float) -> bool:
        """Whether the step may be applied.

        Raises:
            TrainingError: The gradient is no finite number, or has been odd for several steps.
        """
        if not math.isfinite(norm):
            self._end(step, "the gradient is no longer a finite number")
        if len(self._norms) < FIRST_NORMS or norm <= ODD_TIMES * median(self._norms[-REMEMBERED:]):
            self._norms.append(norm)
            self._odd_in_a_row = 0
            return True
        self.skipped += 1
        self._odd_in_a_row += 1
        if self._odd_in_a_row >= ODD_IN_A_ROW:
            self._end(step, f"the gradient was {ODD_TIMES} times the usual for {ODD_IN_A_ROW} steps in a row")
        return False

    def hear(self, step: int, loss: float) -> None:
        """Raises TrainingError if the loss is no finite number or has risen far above where it began."""
        if not math.isfinite(loss):
            self._end(step, "the loss is no longer a finite number")
        self._losses.append(loss)
        if len(self._losses) < 2 * COMPARED_LOSSES:
            return
        began, is_now = median(self._losses[:COMPARED_LOSSES]), median(self._losses[-COMPARED_LOSSES:])
        if is_now > RISEN_TIMES * began and is_now > began + RISEN_NATS:
            self._end(step, f"the loss rose from {began:.2f} to {is_now:.2f} nats a token")

    def _end(self, step: int, what: str) -> NoReturn:
        raise TrainingError(
            f"The training diverged: at step {step} of {self._steps} {what}. "
            "Lower `training.learning_rate` and train again."
        )
