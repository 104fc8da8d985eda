"""Whether an evaluation was stopped by its minutes and has something left to measure."""

from collections.abc import Mapping
from typing import Any

AVAILABLE = "available"  # of the metrics: how many pairs there are to answer
JUDGED_TO = "judged_to"  # of a refitted adapter's metrics: up to which commit it was asked
REFIT_OF = "refit_of"  # of a record: the adapter whose recipe was fitted again on everything up to HEAD


def has_more_to_measure(record: Mapping[str, Any], head: str | None = None) -> bool:
    """Reads an adapter's record: nothing measured yet, a contender left out, or one that answered fewer pairs than
    another, than had their loss measured, or than there are. Where there are none, there is nothing to measure.

    A refitted adapter is asked what was committed after its data, up to `head`; without one there is nothing to ask.
    """
    metrics = record.get("metrics")
    if record.get(REFIT_OF):
        if head is None or head == (record.get("dataset") or {}).get("commit"):
            return False
        if not isinstance(metrics, Mapping) or metrics.get(JUDGED_TO) != head:
            return True
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
