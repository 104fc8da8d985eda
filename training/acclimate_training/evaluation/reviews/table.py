"""The figures of reviews: of the adapter, of the base with rules and examples, and of two who know nothing."""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from ..intervals import Estimate, Observation, estimate, ratio_difference
from ..table import written
from .calibration import BETA, FALSE_ALARMS, decided_by_others, threshold_of, upper_bound
from .contenders import ADAPTER, BASE, EVERYWHERE, SILENT
from .judged import JudgedReview, Reviewed, Shows, f_score, false_alarms, precision, recall

Figures = dict[str, Any]


def review_table(reviewed: Reviewed, *, seed: int) -> Figures:
    """`reviewers`, their figures `by_source`, and the `differences` in F0.5 between the adapter and the others."""
    reviewers = _reviewers(reviewed)
    mine, shows = reviewers[ADAPTER]
    return {
        "reviewers": {name: figures(found, shown, seed=seed) for name, (found, shown) in reviewers.items()},
        "by_source": {name: _by_source(found, shown, seed) for name, (found, shown) in reviewers.items()},
        "differences": {
            name: _difference(f_score(mine, shows, beta=BETA), f_score(found, shown, beta=BETA), seed)
            for name, (found, shown) in reviewers.items()
            if name != ADAPTER
        },
        "false_alarm_budget": FALSE_ALARMS,
        "open": reviewed.open,
    }


def _reviewers(reviewed: Reviewed) -> dict[str, tuple[Sequence[JudgedReview], Shows]]:
    """Each reviewer's hunks, and what of its comments it shows."""
    return {
        ADAPTER: (reviewed.adapter, decided_by_others(reviewed.adapter)),
        BASE: (reviewed.base, decided_by_others(reviewed.base)),
        EVERYWHERE: (reviewed.everywhere, lambda _: True),
        SILENT: (reviewed.everywhere, lambda _: False),
    }


def figures(found: Sequence[JudgedReview], shows: Shows, *, seed: int) -> Figures:
    """One row."""
    columns = {
        "precision": precision(found, shows),
        "recall": recall(found, shows),
        "f1": f_score(found, shows, beta=1.0),
        "f0.5": f_score(found, shows, beta=BETA),
        "false_alarms": false_alarms(found, shows),
    }
    clean = [each for each in found if each.is_clean]
    alarms = sum(map(shows, clean))
    counts = {
        "n": len(found),
        "files": len({each.path for each in found}),
        "corrected": len(found) - len(clean),
        "clean": len(clean),
        "shown": sum(map(shows, found)),
        "right": sum(each.is_right for each in found if shows(each)),
        "alarms": alarms,
    }
    bound = upper_bound(alarms / len(clean), witnesses=len({each.path for each in clean})) if clean else None
    return written(_estimates(columns, seed)) | counts | {"false_alarms_bound": bound}


def calibration(reviewed: Reviewed) -> Figures:
    """What is served, as a record has it; without a threshold nothing is."""
    threshold = threshold_of(reviewed.adapter)
    return {
        "threshold": threshold if math.isfinite(threshold) else None,
        "least_chance": reviewed.least_chance if math.isfinite(reviewed.least_chance) else None,
        "budget": FALSE_ALARMS,
        "n": len(reviewed.adapter),
    }


def _estimates(columns: dict[str, list[Observation]], seed: int) -> dict[str, Estimate]:
    """One by one: files without weight differ from figure to figure."""
    found = {name: estimate(observations, seed=seed) for name, observations in columns.items()}
    return {name: each for name, each in found.items() if each is not None}


def _difference(one: list[Observation], other: list[Observation], seed: int) -> Figures:
    found = ratio_difference(one, other, seed=seed)
    return {} if found is None else written({"f0.5": found})


def _by_source(found: Sequence[JudgedReview], shows: Shows, seed: int) -> dict[str, Figures]:
    """Of corrections what was found, of clean code what was commented on."""
    parts: dict[str, list[JudgedReview]] = defaultdict(list)
    for each in found:
        parts[each.source].append(each)
    return {
        source: written(_estimates({"recall": recall(some, shows), "false_alarms": false_alarms(some, shows)}, seed))
        | {"n": len(some)}
        for source, some in sorted(parts.items())
    }
