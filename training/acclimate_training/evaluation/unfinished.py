"""Whether an evaluation was stopped by its minutes and has something left to measure."""

from collections.abc import Mapping
from typing import Any

AVAILABLE = "available"  # of the metrics: how many pairs there are to answer


def has_more_to_measure(record: Mapping[str, Any]) -> bool:
    """Reads an adapter's record: nothing measured yet, a contender left out, or one that answered fewer pairs than
    another, than had their loss measured, or than there are. Where there are none, there is nothing to measure.
    """
    metrics = record.get("metrics")
    if not isinstance(metrics, Mapping):
        return True
    if metrics.get(AVAILABLE) == 0:
        return False
    if metrics.get("not_measured"):
        return True
    contenders = metrics.get("contenders") or {}
    answered = [int(figures.get("n", 0)) for figures in contenders.values()]
    losses = [int(figures.get("loss_n", 0)) for figures in contenders.values()]
    if not contenders or min(losses) < max(losses):
        return True
    return min(answered) < max(*answered, *losses, int(metrics.get(AVAILABLE) or 0))
