"""What the adapter in use is worth on code that was committed since its data, measured beside the next training."""

from pathlib import Path
from typing import Any

import pytest
from tests.support.git_folder import GitFolder, module
from tests.support.quick_training import (
    FUNCTIONS,
    a_job,
    copied,
    home_at,
    in_process,
    own,
    registry_of,
    shop_of,
)
from tests.support.tiny_model import tiny_model

from acclimate_indexer.home import Home
from acclimate_training.drift import MIN_PAIRS, RECORD, DriftLimits, LossRise, measured_drift
from acclimate_training.drift_loss import PAIRS
from acclimate_training.job import Progress

pytestmark = pytest.mark.tensor
pytest.importorskip("torch", reason="the runtime is not installed")
pytest.importorskip("peft", reason="the runtime is not installed")

# Of each file four pairs are asked. What fills a shop is in its first commits, what is new in the last.
EARLIER = ("early", "former", "prior", "elder", "ancient", "bygone", "past", "olden")
NEWER = ("later", "newer", "coming", "beyond", "sooner", "after", "ahead", "next")
FAR = DriftLimits(lines=10**6, share=10.0)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> GitFolder:
    """A repository that is old enough for a split by time."""
    folder = shop_of(tmp_path_factory.mktemp("drift") / "shop")
    for day in range(1, 10):
        folder.commit({f"daily{day}.py": module(f"daily{day}", functions=FUNCTIONS)}, day=day)
    folder.commit({f"{name}.py": module(name, functions=FUNCTIONS) for name in EARLIER}, day=150)
    return folder


@pytest.fixture(scope="module")
def in_use(shop: GitFolder, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with an evaluated adapter in use, and code that is newer than its data."""
    home = home_at(tmp_path_factory.mktemp("home")).create()
    tiny_model(home)
    result = in_process(a_job(home, shop, "first", phases=("mine", "train", "evaluate")))
    registry_of(home, shop).promote(result["adapter"], "Somebody has looked at it.")
    shop.commit({f"{name}.py": module(name, functions=FUNCTIONS) for name in NEWER}, day=160)
    return home


@pytest.fixture
def home(in_use: Home, tmp_path: Path) -> Home:
    return copied(in_use, tmp_path / "home")


def retrained(home: Home, shop: GitFolder, heard: list[Progress], **changes: Any) -> dict[str, Any]:
    return in_process(a_job(home, shop, "second", **changes), heard.append)


def test_a_training_notes_what_the_adapter_in_use_is_worth_on_newer_code(home: Home, shop: GitFolder) -> None:
    (live,) = registry_of(home, shop).versions()
    heard: list[Progress] = []
    retrained(home, shop, heard)

    rise = LossRise.from_record(registry_of(home, shop).get(live.version).record)
    measured = [line for line in heard if line.phase == "drift" and line.of]
    asked = live.record["metrics"]["differences"]["adapter"]["base"]
    assert rise is not None
    assert rise.to == shop.git("rev-parse", "HEAD")
    assert MIN_PAIRS <= rise.since_pairs <= PAIRS
    assert (rise.before_pairs, round(rise.before, 4)) == (asked["loss_n"], asked["loss"])
    assert rise.since < 0  # like the code that it learnt from
    assert rise.rise == pytest.approx(rise.since - rise.before)
    assert measured[-1].step == 2 * rise.since_pairs  # by the base and by the adapter


def test_what_was_noted_is_what_drift_is_told_by(home: Home, shop: GitFolder) -> None:
    (live,) = registry_of(home, shop).versions()
    risen = LossRise(to="x", before=-0.5, before_pairs=30, since=-0.1, since_pairs=30, rise=0.4, low=0.2, high=0.6)
    registry_of(home, shop).update(live, {RECORD: risen.to_json()})
    before = measured_drift(shop.open(), own(home, shop), FAR)
    retrained(home, shop, [])
    noted = LossRise.from_record(registry_of(home, shop).get(live.version).record)

    assert before.exceeds
    assert noted is not None and noted.to == shop.git("rev-parse", "HEAD")  # instead of what was noted before
    registry_of(home, shop).set_live(live.version)
    assert f"n {noted.since_pairs})" in measured_drift(shop.open(), own(home, shop), FAR).said


def test_its_minutes_are_a_tenth_of_the_evaluations(home: Home, shop: GitFolder) -> None:
    (live,) = registry_of(home, shop).versions()
    heard: list[Progress] = []
    retrained(home, shop, heard, evaluation_minutes=0.0)

    assert RECORD not in registry_of(home, shop).get(live.version).record
    assert max((line.step for line in heard if line.phase == "drift"), default=0) <= 1


def test_nothing_is_measured_of_an_adapter_of_this_very_code(home: Home, shop: GitFolder) -> None:
    heard: list[Progress] = []
    second = retrained(home, shop, heard)["adapter"]
    registry_of(home, shop).set_live(second)
    heard.clear()
    in_process(a_job(home, shop, "third", seed=1), heard.append)

    assert not [line for line in heard if line.phase == "drift"]
    assert RECORD not in registry_of(home, shop).get(second).record


def test_what_stands_in_the_way_is_noted_and_ends_no_training(home: Home, shop: GitFolder) -> None:
    (live,) = registry_of(home, shop).versions()
    with (live.folder / "adapter_model.safetensors").open("ab") as file:
        file.write(b"x")
    result = retrained(home, shop, [])

    assert result["adapter"] != live.version
    assert any(
        note.startswith(f"The loss of {live.version} on newer code was not measured") for note in result["notes"]
    )
