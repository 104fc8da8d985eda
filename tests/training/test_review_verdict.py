"""From which confidence on a model's comments are shown, what they are worth then, and whether it may speak."""

import math
from collections.abc import Iterable
from typing import Any

import pytest
from tests.support.judged_reviews import GOOD, SEEDED, SILENT, clean, everywhere, faulty, hunks

from acclimate_training.evaluation.intervals import Observation, ratio_difference
from acclimate_training.evaluation.reviews.calibration import (
    FALSE_ALARMS,
    alarms_bound,
    decided_by_others,
    part_of,
    threshold_of,
)
from acclimate_training.evaluation.reviews.judged import JudgedReview, Reviewed
from acclimate_training.evaluation.reviews.table import calibration, review_table
from acclimate_training.evaluation.reviews.verdict import NO_PAIRS, review_verdict
from acclimate_training.reviewing.verdict import NOT_MEASURED, review_verdict_of


def judged(adapter: Iterable[JudgedReview], base: Iterable[JudgedReview]) -> dict[str, Any]:
    """The verdict, where commenting everywhere is right on every other corrected hunk."""
    mine = list(adapter)
    reviewed = Reviewed(adapter=mine, base=list(base), everywhere=everywhere(mine), least_chance=0.1)
    return review_verdict(review_table(reviewed, seed=0), calibration(reviewed)["threshold"])


def test_a_threshold_shows_what_is_right_and_not_what_is_wrong() -> None:
    assert threshold_of(GOOD) == 0.9


def test_a_threshold_keeps_false_alarms_within_the_budget() -> None:
    noisy = [*(faulty(number, 0.5) for number in range(30)), *(clean(number, number / 120) for number in range(120))]

    threshold = threshold_of(noisy)

    assert threshold == 0.5 or alarms_bound(noisy, threshold) <= FALSE_ALARMS
    assert alarms_bound(noisy, 0.5) > FALSE_ALARMS
    assert threshold == math.inf


def test_where_nothing_is_right_nothing_is_shown() -> None:
    assert threshold_of(hunks(right=0, wrong=20, silent=0, alarms=0, quiet=100)) == math.inf
    assert threshold_of([]) == math.inf


def test_few_clean_files_promise_little() -> None:
    one_file = [JudgedReview(path="a.py", source="", is_clean=True, confidence=0.0, is_right=False)] * 50

    assert alarms_bound([*one_file, clean(1, 0.9)], 0.9) > FALSE_ALARMS
    assert alarms_bound([clean(number) for number in range(40)], 0.9) < FALSE_ALARMS
    assert alarms_bound([], 0.9) == 1.0


def test_what_is_shown_of_a_file_is_not_decided_by_itself() -> None:
    lucky = next(number for number in range(40) if part_of(f"shop/{number}.py") == 0)
    alone = [faulty(lucky, 0.7), *(clean(number) for number in range(40))]

    assert threshold_of(alone) == 0.7
    assert not decided_by_others(alone)(alone[0])


def test_an_adapter_that_is_better_than_all_others_speaks() -> None:
    found = judged(GOOD, SILENT)

    assert found["state"] == "on", found["reason"]
    assert all(check["passed"] for check in found["checks"])
    said = [check["said"] for check in found["checks"]]
    assert said[0] == "Its reviews were measured on 160 of 160 pieces of held-out code."
    assert said[1].startswith("A confidence keeps its false alarms within 10% and lets something right through")


def test_an_adapter_that_is_no_better_than_the_prompted_base_is_silent() -> None:
    found = judged(GOOD, GOOD)

    assert found["state"] == "off"
    assert "rules and examples in its prompt" in found["reason"]


def test_an_adapter_that_is_no_better_than_commenting_everywhere_is_silent() -> None:
    unsure = hunks(right=4, wrong=0, silent=36, alarms=0, quiet=20)

    found = judged(unsure, hunks(right=0, wrong=0, silent=40, alarms=0, quiet=20))

    assert found["state"] == "off"
    assert "every piece of code" in found["reason"]


def test_an_adapter_that_is_mostly_wrong_is_silent() -> None:
    wrong = [
        *(faulty(number, 0.9) for number in range(14)),
        *(faulty(number, 0.9, is_right=False) for number in range(20)),
        *(clean(number) for number in range(400)),
    ]

    found = judged(wrong, [*(faulty(number, 0.0, is_right=False) for number in range(34)), *wrong[34:]])

    assert found["state"] == "off"
    assert found["reason"] == "14 of its 34 comments were right; half have to be."


def test_an_adapter_that_nothing_right_can_be_expected_of_is_silent() -> None:
    found = judged(hunks(right=0, wrong=20, silent=20, alarms=60, quiet=60), SILENT)

    assert found["state"] == "off"
    assert "No confidence keeps its false alarms" in found["reason"]


def test_too_few_hunks_prove_nothing() -> None:
    found = judged(
        hunks(right=15, wrong=0, silent=0, alarms=0, quiet=50), hunks(right=0, wrong=0, silent=15, alarms=0, quiet=50)
    )

    assert found["state"] == "off"
    assert "20 and 60 are needed" in found["reason"]


def test_while_hunks_are_open_nothing_is_decided() -> None:
    reviewed = Reviewed(adapter=GOOD, base=SILENT, everywhere=SILENT, least_chance=0.1, open=3)

    found = review_verdict(review_table(reviewed, seed=0), calibration(reviewed)["threshold"])

    assert found["state"] == "off"
    assert "160 of 163 pieces" in found["reason"]


@pytest.mark.parametrize(("open_hunks", "reason"), [(0, NO_PAIRS), (7, NOT_MEASURED["reason"])])
def test_nothing_measured_is_off(open_hunks: int, reason: str) -> None:
    reviewed = Reviewed(adapter=[], base=[], everywhere=[], least_chance=math.inf, open=open_hunks)

    found = review_verdict(review_table(reviewed, seed=0), calibration(reviewed)["threshold"])

    assert (found["state"], found["reason"]) == ("off", reason)


def test_figures_come_with_intervals_by_source() -> None:
    base = hunks(right=10, wrong=10, silent=20, alarms=10, quiet=110)
    table = review_table(Reviewed(adapter=GOOD, base=base, everywhere=GOOD, least_chance=0.1), seed=0)

    row = table["reviewers"]["adapter"]
    assert (row["shown"], row["right"], row["alarms"], row["corrected"], row["clean"]) == (30, 30, 0, 40, 120)
    assert row["precision"] == 1.0
    assert row["recall"] == 0.75
    assert row["f0.5"] == pytest.approx(1.25 * 30 / (0.25 * 40 + 30), abs=1e-4)
    low, high = row["f0.5_interval"]
    assert low < row["f0.5"] < high
    assert row["files"] == 40
    assert table["by_source"]["adapter"]["fix"]["recall"] == pytest.approx(30 / 32, abs=1e-4)
    assert table["by_source"]["adapter"][SEEDED]["recall"] == 0.0
    assert table["by_source"]["adapter"]["ordinary"]["false_alarms"] == 0.0
    assert table["reviewers"]["silent"]["f0.5"] == 0.0
    assert table["differences"]["silent"]["f0.5_interval"][0] > 0


def test_a_difference_of_ratios_is_taken_on_the_same_files() -> None:
    one = [Observation(cluster=str(number), value=1.0, weight=2.0) for number in range(10)]
    half = [Observation(cluster=str(number), value=0.5, weight=1.0) for number in range(10)]

    found = ratio_difference(one, half)

    assert found is not None
    assert (found.mean, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))
    assert ratio_difference(one, []).mean == 1.0  # type: ignore[union-attr]  # there are files
    assert ratio_difference([], []) is None


def test_a_record_says_from_when_on_to_speak() -> None:
    measured = {"threshold": 0.7, "least_chance": 0.2}
    record = {"review_verdict": {"state": "on", "reason": "Good."}, "calibration": {"review": measured}}

    assert review_verdict_of(record) == (True, 0.7, "Good.", 0.2)


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"review_verdict": None},
        {"review_verdict": "on"},
        {"review_verdict": {"state": "on"}},
        {"review_verdict": {"state": "on"}, "calibration": {"review": {"threshold": None, "least_chance": 0.2}}},
        {"review_verdict": {"state": "on"}, "calibration": {"review": {"threshold": 0.7}}},
        {"review_verdict": {"state": "off"}, "calibration": {"review": {"threshold": 0.7, "least_chance": 0.2}}},
    ],
)
def test_a_record_that_does_not_say_so_is_off(record: dict[str, Any]) -> None:
    found = review_verdict_of(record)

    assert (found.is_on, found.threshold) == (False, math.inf)
    assert found.reason
