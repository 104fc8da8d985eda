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
        least_chance: Of a comment on a hunk, for it to be asked about at all: what is less likely was not measured.
    """

    is_on: bool
    threshold: float
    reason: str
    least_chance: float


def review_verdict_of(record: Mapping[str, Any]) -> ReviewVerdict:
    """The verdict; off for a record without one, or one that another version wrote otherwise."""
    said = record.get("review_verdict")
    state, reason = (said.get("state"), said.get("reason")) if isinstance(said, Mapping) else (None, None)
    words = reason if isinstance(reason, str) and reason else NOT_MEASURED["reason"]
    calibration = (record.get("calibration") or {}).get("review") or {}
    threshold, least = calibration.get("threshold"), calibration.get("least_chance")
    if state != "on" or not isinstance(threshold, float) or not isinstance(least, float):
        return ReviewVerdict(False, math.inf, words, math.inf)
    return ReviewVerdict(True, threshold, words, least)
