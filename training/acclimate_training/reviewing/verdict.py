"""Whether an adapter may review, read from its record. It speaks only where its evaluation proved that it should."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

NOT_MEASURED: dict[str, Any] = {
    "state": "off",
    "reason": "Its reviews were not measured on held-out code yet: `acclimate evaluate` does.",
}


class ReviewVerdict(NamedTuple):
    """What an adapter's record says of its reviews.

    Attributes:
        threshold: The confidence from which on a comment is shown; infinity shows none.
        reason: A sentence for people.
    """

    is_on: bool
    threshold: float
    reason: str


def review_verdict_of(record: Mapping[str, Any]) -> ReviewVerdict:
    """The verdict; off for a record without one, or one that another version wrote otherwise."""
    said = record.get("review_verdict")
    state, reason = (said.get("state"), said.get("reason")) if isinstance(said, Mapping) else (None, None)
    words = reason if isinstance(reason, str) and reason else NOT_MEASURED["reason"]
    threshold = ((record.get("calibration") or {}).get("review") or {}).get("threshold")
    if state != "on" or not isinstance(threshold, float):
        return ReviewVerdict(False, math.inf, words)
    return ReviewVerdict(True, threshold, words)
