"""Which evaluations are not at their end."""

from typing import Any

import pytest

from acclimate_training.evaluation.unfinished import has_more_to_measure

WHOLE = {"n": 120, "loss_n": 80}


def record(**metrics: Any) -> dict[str, Any]:
    return {"metrics": {"contenders": {"base": WHOLE, "adapter": WHOLE}, "not_measured": []} | metrics}


def test_what_was_measured_throughout_is_done() -> None:
    assert not has_more_to_measure(record())
    assert not has_more_to_measure(record(available=120))


def test_without_held_out_pairs_there_is_nothing_to_measure() -> None:
    assert not has_more_to_measure(record(available=0, contenders={}, not_measured=["base", "adapter"]))


@pytest.mark.parametrize(
    "unfinished",
    [
        {},
        {"metrics": None},
        {"metrics": {"contenders": {}}},
        record(not_measured=["control"]),
        record(available=400),
        record(contenders={"base": WHOLE, "adapter": {"n": 40, "loss_n": 80}}),
        record(contenders={"base": WHOLE, "adapter": {"n": 120, "loss_n": 30}}),
        record(contenders={"base": {"loss_n": 80}, "adapter": {"loss_n": 80}}),
        record(contenders={"base": {"n": 40, "loss_n": 80}, "adapter": {"n": 40, "loss_n": 80}}),
    ],
)
def test_anything_less_is_not(unfinished: dict[str, Any]) -> None:
    assert has_more_to_measure(unfinished)
