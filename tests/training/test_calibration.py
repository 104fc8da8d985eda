"""From which confidence on answers are shown: what held-out answers allow to promise, and what they do not."""

import json
import math
import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.support.adapter_folder import publish

from acclimate_indexer.home import Home
from acclimate_training.adapter import base_calibration
from acclimate_training.evaluation.calibration import (
    BUILT_IN,
    MIN_ANSWERS,
    STEP_ANSWERS,
    Calibration,
    JudgedAnswer,
    calibration_for,
    calibrations_of,
    is_right,
    with_calibrations,
)
from acclimate_training.evaluation.contenders import ADAPTER, ADAPTER_RETRIEVAL, BASE, BASE_RETRIEVAL
from acclimate_training.registry import AdapterRegistry


def answers(*shares: tuple[float, int, int], files: int = 10_000) -> list[JudgedAnswer]:
    """Of each confidence so many answers, of which so many are right."""
    found: list[JudgedAnswer] = []
    for confidence, count, right in shares:
        for number in range(count):
            path = f"{len(found) % files}.py"
            found.append(JudgedAnswer(confidence=confidence, is_right=number < right, path=path))
    return found


def calibrated(*shares: tuple[float, int, int], files: int = 10_000) -> Calibration:
    found = Calibration.of(answers(*shares, files=files))
    assert found is not None
    return found


def drawn(count: int, *, seed: int) -> list[JudgedAnswer]:
    """Answers that are right exactly as often as the square of their confidence says."""
    rng = random.Random(seed)
    found = []
    for number in range(count):
        confidence = rng.random()
        found.append(
            JudgedAnswer(confidence=confidence, is_right=rng.random() < confidence**2, path=f"{number // 2}.py")
        )
    return found


def test_what_is_shown_is_right_as_often_as_was_asked_for() -> None:
    found = calibrated((0.9, 40, 36), (0.6, 40, 24), (0.3, 40, 8), (0.1, 80, 2))

    assert found.threshold(0.85) == 0.9
    assert found.threshold(0.7) == 0.6
    assert found.threshold(0.5) == 0.3
    assert found.threshold(0.3) == 0.0
    assert [found.shows(confidence, 0.7) for confidence in (0.95, 0.6, 0.59)] == [True, True, False]


def test_a_precision_of_zero_shows_all() -> None:
    found = calibrated((0.9, 30, 0), (0.1, 30, 0))

    assert found.threshold(0.0) == 0.0
    assert found.shows(0.0, 0.0)


def test_a_handful_of_right_answers_is_no_promise() -> None:
    few = calibrated((0.9, 3, 3), (0.5, 60, 12))
    many = calibrated((0.9, 60, 60), (0.5, 60, 12))

    assert not few.is_reached(0.9)
    assert few.probability(0.95) < 0.5
    assert many.threshold(0.9) == 0.9
    assert many.probability(0.95) == 1.0


def test_a_share_of_few_answers_promises_less_than_the_same_share_of_many() -> None:
    few, many = calibrated((0.9, 12, 9), (0.1, 60, 0)), calibrated((0.9, 120, 90), (0.1, 600, 0))

    assert few.steps[0].assured < many.steps[0].assured < 0.75
    assert (few.is_reached(0.7), many.is_reached(0.7)) == (False, True)


def test_answers_of_one_file_are_one_witness() -> None:
    spread, alike = calibrated((0.9, 60, 45), (0.1, 60, 0)), calibrated((0.9, 60, 45), (0.1, 60, 0), files=6)

    assert spread.is_reached(0.7)
    assert not alike.is_reached(0.7)


def test_more_confidence_is_never_less_probability() -> None:
    found = Calibration.of(drawn(300, seed=1))
    assert found is not None

    probabilities = [found.probability(number / 100) for number in range(101)]

    assert probabilities == sorted(probabilities)
    assert probabilities[0] < 0.2 < 0.7 < probabilities[-1]
    counts = [0, *(step.answers for step in found.steps)]
    assert all(after - before >= STEP_ANSWERS for before, after in pairwise(counts))


@pytest.mark.parametrize("precision", [0.5, 0.7])
def test_the_promise_is_kept_on_other_answers(precision: float) -> None:
    kept = 0
    for seed in range(100):
        found = Calibration.of(drawn(120, seed=seed))
        assert found is not None
        threshold = found.threshold(precision)
        kept += (1 + threshold + threshold**2) / 3 >= precision  # how often answers of more confidence are right

    assert kept >= 70


def test_where_the_precision_is_not_reached_the_best_there_is_is_shown() -> None:
    found = calibrated((0.9, 40, 24), (0.3, 80, 4))

    assert not found.is_reached(0.9)
    assert found.threshold(0.9) == 0.9


def test_what_is_hardly_ever_right_is_not_shown_at_all() -> None:
    found = calibrated((0.9, 40, 2), (0.3, 80, 1))

    assert found.shown(0.5) is None
    assert found.threshold(0.5) == math.inf
    assert not found.shows(1.0, 0.5)


def test_an_answer_of_unknown_confidence_is_shown() -> None:
    assert calibrated((0.9, 40, 2), (0.3, 80, 1)).shows(None, 0.5)


def test_too_few_answers_are_no_calibration() -> None:
    assert Calibration.of(answers((0.9, MIN_ANSWERS - 1, 40))) is None
    assert Calibration.of(answers((0.9, MIN_ANSWERS, 40))) is not None


@pytest.mark.parametrize(
    ("shown", "middle", "right"),
    [
        ("a + b", "a + b", True),
        ("a + b\n", "a + b  \n", True),
        ("a", "a + b\nreturn a", True),
        ("a + b)", "a + b", False),
        (" a", "a", False),
        ("", "a", False),
        ("  \n", "  \n  a", False),
    ],
)
def test_an_answer_is_right_if_all_of_it_would_be_kept(shown: str, middle: str, right: bool) -> None:
    assert is_right(shown, middle) is right


def test_a_calibration_is_read_as_it_was_written() -> None:
    found = Calibration.of(drawn(400, seed=1))
    assert found is not None

    written = json.dumps(found.to_json() | {"later": "unknown"})

    assert Calibration.from_record(json.loads(written)) == found
    assert json.loads(written)["n"] == 400
    assert len(written) < 4_000


@pytest.mark.parametrize("record", [None, {}, {"steps": []}, {"steps": [{"confidence": 0.5}]}, {"steps": 3}])
def test_what_another_version_wrote_otherwise_is_no_calibration(record: Any) -> None:
    assert Calibration.from_record(record) is None


def test_what_could_not_be_told_again_stays_known() -> None:
    old, new = calibrated((0.9, 60, 30)).to_json(), calibrated((0.9, 90, 60)).to_json()
    record = {"calibration": {"review": {"n": 3}, "completion": {"adapter": old, "base": old}}}

    found = with_calibrations(record, {"adapter": new})

    assert found == {"review": {"n": 3}, "completion": {"adapter": new, "base": old}}
    assert {name: each.n for name, each in calibrations_of({"calibration": found}).items()} == {
        "adapter": 90,
        "base": 60,
    }


def test_a_contender_that_was_not_measured_is_judged_as_its_model_asked_otherwise() -> None:
    plain, base = calibrated((0.9, 60, 30)), calibrated((0.9, 90, 60))
    known = {"adapter": plain, "base+retrieval": base}

    assert calibration_for(known, ADAPTER) is plain
    assert calibration_for(known, ADAPTER_RETRIEVAL) is plain
    assert calibration_for(known, BASE) is base
    assert calibration_for({"adapter": plain}, BASE_RETRIEVAL) is BUILT_IN


def test_what_is_built_in_shows_something_and_not_everything() -> None:
    assert 0 < BUILT_IN.threshold(0.5) < BUILT_IN.threshold(0.7) < 1
    assert BUILT_IN.is_reached(0.5)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[AdapterRegistry]:
    yield AdapterRegistry(Home.default({"ACCLIMATE_HOME": str(tmp_path)}).for_repository(tmp_path / "shop" / ".git"))


def test_an_adapter_knows_its_calibration_and_the_last_one_that_of_the_base(registry: AdapterRegistry) -> None:
    older, newer = calibrated((0.9, 60, 30)), calibrated((0.9, 90, 60))
    first, second = publish(registry, "shop-1"), publish(registry, "shop-2")
    measured = {"adapter": newer.to_json(), "base": older.to_json()}
    first = registry.update(first, {"calibration": with_calibrations({}, measured)})
    second = registry.update(second, {"calibration": with_calibrations({}, {"base": newer.to_json()})})

    assert first.calibration == {"adapter": newer, "base": older}
    assert base_calibration(registry.versions(), first.base_identity) == {"base": newer}
    assert base_calibration([second, first], first.base_identity) == {"base": older}
    assert base_calibration(registry.versions(), "another@1") == {}
    assert publish(registry, "shop-3").calibration == {}
