"""Judged reviews of held-out hunks, and what an evaluation would have measured of them."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

from acclimate_training.evaluation.reviews.judged import JudgedReview, Reviewed
from acclimate_training.evaluation.reviews.table import calibration, review_table
from acclimate_training.evaluation.reviews.verdict import review_verdict

SEEDED = "seeded:missing_await"


def clean(number: int, confidence: float = 0.0) -> JudgedReview:
    return JudgedReview(
        path=f"shop/{number % 40}.py", source="ordinary", is_clean=True, confidence=confidence, is_right=False
    )


def faulty(number: int, confidence: float, *, is_right: bool = True, source: str = "fix") -> JudgedReview:
    return JudgedReview(
        path=f"shop/{number % 40}.py", source=source, is_clean=False, confidence=confidence, is_right=is_right
    )


def hunks(*, right: int, wrong: int, silent: int, alarms: int, quiet: int) -> list[JudgedReview]:
    """So many of each, the right ones surer than the wrong ones."""
    return [
        *(faulty(number, 0.9) for number in range(right)),
        *(faulty(number, 0.6, is_right=False) for number in range(wrong)),
        *(faulty(number, 0.0, is_right=False, source=SEEDED) for number in range(silent)),
        *(clean(number, 0.5) for number in range(alarms)),
        *(clean(number) for number in range(quiet)),
    ]


def everywhere(found: Iterable[JudgedReview]) -> list[JudgedReview]:
    """A comment on each of them, right on every other corrected hunk."""
    return [
        JudgedReview(
            path=each.path,
            source=each.source,
            is_clean=each.is_clean,
            confidence=1.0,
            is_right=not each.is_clean and number % 2 == 0,
        )
        for number, each in enumerate(found)
    ]


GOOD = hunks(right=30, wrong=2, silent=8, alarms=2, quiet=118)
SILENT = [replace(each, confidence=0.0, is_right=False) for each in GOOD]


@cache
def review_record(*, is_on: bool = True, left: int = 0) -> dict[str, Any]:
    """What a record has of reviews: `review` of its metrics, `calibration`, `review_verdict`."""
    reviewed = Reviewed(
        adapter=GOOD if is_on else SILENT, base=SILENT, everywhere=everywhere(GOOD), least_chance=0.1, open=left
    )
    table, calibrated = review_table(reviewed, seed=0), calibration(reviewed)
    return {
        "review": table,
        "calibration": {"review": calibrated},
        "review_verdict": review_verdict(table, calibrated["threshold"]),
    }
