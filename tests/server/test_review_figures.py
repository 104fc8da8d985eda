"""How an adapter reviews, in a terminal: as it was measured, and what was not is said to be so."""

import contextlib
import io
import math
from typing import Any

import pytest
from tests.support.judged_reviews import review_record

from acclimate_server.cli.reviews import reviews_shown, speaking_words
from acclimate_server.cli.terminal import Terminal

NOT_MEASURED = "Review comments: off. Its reviews were not measured on held-out code yet: `acclimate evaluate` does.\n"
NONSENSE: tuple[Any, ...] = (None, 3, "x", [], {}, {"adapter": 1}, {"adapter": {"n": 3}}, math.nan, True)


def shown(record: dict[str, Any]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        for each in reviews_shown(record):
            Terminal(as_json=False).show(each)
    return out.getvalue()


def unwrapped(text: str) -> str:
    return " ".join(text.split())


def test_every_reviewer_stands_with_its_figures_and_intervals() -> None:
    rows = {line.split()[1]: unwrapped(line) for line in shown(review_record()).splitlines() if line.startswith("│")}

    assert list(rows) == ["adapter", "prompted", "everywhere", "silent"]
    assert "│ 1.00 [1.00, 1.00] │ 0.75 [0.64, 0.88] │" in rows["adapter"]
    assert rows["adapter"].endswith("│ 30 │ 160 │ 40 │")
    assert "│ says nothing │" in rows["silent"]


def test_budget_sources_threshold_and_verdict_stand_below() -> None:
    said = unwrapped(shown(review_record()))

    for words in (
        "of which at most 10% may be expected",
        "fix found 0.94 (n 32); ordinary false alarms 0.00 (n 120); seeded:missing_await found 0.00 (n 8).",
        "Threshold: a confidence of 0.90.",
        "Review comments: on. It commented on 0 of 120 clean pieces of code",
    ):
        assert words in said, words


def test_what_is_open_is_said() -> None:
    said = unwrapped(shown(review_record(is_on=False, left=3)))

    assert "Not measured yet: 3 pieces of code. Threshold: none. Review comments: off." in said


def test_figures_of_an_adapters_record_are_those_of_a_result() -> None:
    result = review_record()

    assert shown(result | {"metrics": {"review": result["review"]}, "review": {}}) == shown(result)


def test_what_was_never_measured_is_one_sentence() -> None:
    assert shown({}) == NOT_MEASURED
    assert shown({"review": review_record()["review"] | {"reviewers": {}}}) == NOT_MEASURED


def test_an_inherited_verdict_names_whose_it_is() -> None:
    said = shown(review_record() | {"verdict": {"inherited_from": "shop-1"}})

    assert said.endswith("(Inherited from shop-1.)\n")


@pytest.mark.parametrize("value", NONSENSE, ids=repr)
def test_a_record_of_another_version_is_shown_as_far_as_it_goes(value: Any) -> None:
    found = review_record()
    for key in found:
        assert "Review comments: " in shown(found | {key: value})
    for key in found["review"]:
        assert "Review comments: " in shown(found | {"review": found["review"] | {key: value}})


def test_only_an_adapter_that_reviews_is_said_to_at_the_end_of_a_training() -> None:
    assert "`acclimate review`" in speaking_words(review_record())
    assert speaking_words(review_record(is_on=False)) == ""
    assert speaking_words({}) == ""
