"""From which confidence on comments are shown: as many right ones as a budget for false alarms allows.

The threshold comes from other files than the figures: the files are dealt into parts, and what is shown of each part
is decided by a threshold from the others. The one that is served comes from all of them.

A share of false alarms among few clean hunks promises little: what has to keep within the budget is its upper bound
(Wilson's, one-sided), with the files as witnesses.
"""

import hashlib
import math
from collections.abc import Sequence

from ..calibration import ASSURANCE_Z
from .judged import JudgedReview, Shows

FALSE_ALARMS = 0.10  # of clean hunks at most: beyond, people stop reading
BETA = 0.5  # a wrong comment costs more than a missed one
PARTS = 5  # four fifths of the files decide about the fifth: nearly what all of them would say


def threshold_of(found: Sequence[JudgedReview], *, budget: float = FALSE_ALARMS) -> float:
    """The confidence with the best F0.5 within the budget; infinity where none within it shows anything right."""
    best, chosen = 0.0, math.inf
    corrected = sum(not each.is_clean for each in found)
    for threshold in sorted({each.confidence for each in found if each.confidence > 0}, reverse=True):
        shown = [each for each in found if each.confidence >= threshold]
        if alarms_bound(found, threshold) > budget:
            break  # a lower one alarms more
        right = sum(each.is_right for each in shown)
        score = (1 + BETA**2) * right / (BETA**2 * corrected + len(shown))
        if score > best:
            best, chosen = score, threshold
    return chosen


def alarms_bound(found: Sequence[JudgedReview], threshold: float) -> float:
    """The share of clean hunks that would be commented on, as much as may be feared of others; 1 without any."""
    clean = [each for each in found if each.is_clean]
    if not clean:
        return 1.0
    share = sum(each.confidence >= threshold for each in clean) / len(clean)
    return upper_bound(share, witnesses=len({each.path for each in clean}))


def upper_bound(share: float, *, witnesses: int) -> float:
    """Of 100 such bounds 70 hold."""
    z = ASSURANCE_Z
    spread = z * math.sqrt(share * (1 - share) / witnesses + (z / (2 * witnesses)) ** 2)
    return min(1.0, (share + z * z / (2 * witnesses) + spread) / (1 + z * z / witnesses))


def decided_by_others(found: Sequence[JudgedReview], *, budget: float = FALSE_ALARMS) -> Shows:
    """Whether a comment is shown, by a threshold that was found without its file."""
    parts = [part_of(each.path) for each in found]
    thresholds = {
        number: threshold_of([each for each, part in zip(found, parts, strict=True) if part != number], budget=budget)
        for number in set(parts)
    }
    return lambda each: each.confidence >= thresholds[part_of(each.path)]


def part_of(path: str) -> int:
    return int.from_bytes(hashlib.sha256(path.encode("utf-8", "replace")).digest()[:4]) % PARTS
