"""From where a training begins: afresh, or from an earlier adapter that fits."""

import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support.git_folder import GitFolder, module
from tests.support.quick_training import (
    FUNCTIONS,
    RECIPE,
    STEPS,
    a_job,
    copied,
    home_at,
    in_process,
    made_noise,
    own,
    paths,
    registry_of,
    shop_of,
    weights,
)
from tests.support.tiny_model import TINY, tiny_model

from acclimate_indexer.dataset import latest_dataset
from acclimate_indexer.general.sources import Root
from acclimate_indexer.home import Home
from acclimate_indexer.models import local_model
from acclimate_training.job import Progress
from acclimate_training.lineage import Setting
from acclimate_training.parentage import Parentage
from acclimate_training.recipe import steps_for
from acclimate_training.registry import Adapter
from acclimate_training.start import Origin, Start, planned_start, start_record

pytestmark = pytest.mark.tensor
pytest.importorskip("torch", reason="the runtime is not installed")
pytest.importorskip("peft", reason="the runtime is not installed")

TRIED = 5  # a quarter of 25 steps, rounded down to a rung
ORIGIN = Origin(version="shop-1", weights=Path("/nowhere"), total_steps=100, learnt_from=("a",))

Killed = type("Killed", (BaseException,), {})


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> GitFolder:
    return shop_of(tmp_path_factory.mktemp("start") / "shop")


@pytest.fixture(scope="module")
def trained(shop: GitFolder, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with one adapter in use, and the data of a commit since."""
    home = home_at(tmp_path_factory.mktemp("home")).create()
    tiny_model(home)
    in_process(a_job(home, shop, "first", force=True))
    shop.commit({paths()[-1]: module("bargain", functions=FUNCTIONS)}, day=1)
    in_process(a_job(home, shop, "mined", phases=("mine",)))
    return home


@pytest.fixture(scope="module")
def again(trained: Home, shop: GitFolder, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home where a second adapter was trained on that commit, without interruption."""
    home = copied(trained, tmp_path_factory.mktemp("again") / "home")
    in_process(a_job(home, shop, "second"))
    return home


@pytest.fixture
def home(trained: Home, tmp_path: Path) -> Home:
    """A copy of the first."""
    return copied(trained, tmp_path / "home")


def test_an_earlier_adapter_that_does_better_is_gone_on_from(again: Home, shop: GitFolder) -> None:
    parent, second = registry_of(again, shop).versions()
    record = second.record

    assert (parent.record["parent"], parent.record["start"], parent.record["total_steps"]) == (None, None, STEPS)
    assert record["parent"] == parent.version
    assert record["start"]["continued"] < record["start"]["afresh"]
    assert record["start"]["pairs"] >= 24
    assert (record["steps"], record["total_steps"], record["resumed_at"]) == (STEPS, 2 * STEPS, 0)
    assert record["learnt_from"] == [parent.record["dataset"]["hash"], record["dataset"]["hash"]]
    assert [point["step"] for point in record["curve"]] == list(range(1, STEPS + 1))


def test_one_that_does_worse_is_left_where_it_is(home: Home, shop: GitFolder) -> None:
    registry = registry_of(home, shop)
    (good,) = registry.versions()
    registry.set_live(made_noise(registry, good).version)
    record = registry.get(in_process(a_job(home, shop, "second"))["adapter"]).record

    assert record["start"]["continued"] > record["start"]["afresh"]
    assert (record["parent"], record["total_steps"]) == (None, STEPS)
    assert record["learnt_from"] == [record["dataset"]["hash"]]


@pytest.mark.parametrize("at", [("trying", TRIED + 2), ("after", TRIED + 3)])
def test_a_training_killed_meanwhile_begins_where_it_would_have(
    home: Home, again: Home, shop: GitFolder, at: tuple[str, int]
) -> None:
    whole = registry_of(again, shop).versions()[-1]
    heard: list[Progress] = []

    def killed(progress: Progress) -> None:
        is_trying = progress.of == 2 * TRIED
        if progress.phase == "train" and progress.step == at[1] and is_trying == (at[0] == "trying"):
            raise Killed

    with pytest.raises(Killed):
        in_process(a_job(home, shop, "killed"), killed)
    resumed = registry_of(home, shop).get(in_process(a_job(home, shop, "again"), heard.append)["adapter"])

    assert resumed.record["start"] == whole.record["start"]
    assert resumed.record["parent"] == whole.record["parent"]
    assert len(resumed.record["curve"]) == STEPS
    assert all((weights(resumed)[name] == value).all() for name, value in weights(whole).items())
    tried_afresh = [line for line in heard if line.phase == "train" and line.of == 2 * TRIED and line.step <= TRIED]
    assert not tried_afresh


def origin(home: Home, shop: GitFolder, **changes: Any) -> Origin | None:
    """From where a training on the newest data would begin."""
    local, datasets = local_model(home, TINY), own(home, shop)
    job = a_job(home, shop, "asked", recipe=RECIPE | changes)
    setting = Setting.of(job, repository="shop", dataset=latest_dataset(datasets), model=local, device="cpu")
    return Parentage(setting=setting, home=datasets, repository=shop.open()).origin()


def test_the_adapter_in_use_is_what_a_training_may_begin_from(home: Home, shop: GitFolder) -> None:
    (parent,) = registry_of(home, shop).versions()
    found = origin(home, shop)

    assert found is not None
    assert (found.version, found.total_steps) == (parent.version, STEPS)


def without_data(home: Home, shop: GitFolder, adapter: Adapter) -> None:
    shutil.rmtree(own(home, shop).datasets / adapter.record["dataset"]["hash"])


def withdrawn(home: Home, shop: GitFolder, adapter: Adapter) -> None:
    registry_of(home, shop).withdraw(adapter.version, "It did not do well.")


def damaged(_home: Home, _shop: GitFolder, adapter: Adapter) -> None:
    with (adapter.folder / "adapter_model.safetensors").open("ab") as file:
        file.write(b"x")


@pytest.mark.parametrize(
    ("spoil", "recipe"),
    [
        (without_data, {}),
        (withdrawn, {}),
        (damaged, {}),
        (lambda *_: None, {"rank": 8}),
        (lambda *_: None, {"targets": ["q_proj", "v_proj"]}),
        (lambda *_: None, {"layers": "upper_half"}),
        (lambda *_: None, {"budget": {"prefix": 100, "suffix": 50, "context": 10}}),
    ],
    ids=["its data are gone", "withdrawn", "damaged", "rank", "targets", "layers", "prompts"],
)
def test_one_that_does_not_fit_is_not_looked_at(
    home: Home, shop: GitFolder, spoil: Callable[[Home, GitFolder, Adapter], None], recipe: dict[str, Any]
) -> None:
    (parent,) = registry_of(home, shop).versions()
    spoil(home, shop, parent)

    assert origin(home, shop, **recipe) is None


def test_one_of_newer_code_is_not_gone_on_from(again: Home, shop: GitFolder, tmp_path: Path) -> None:
    home = copied(again, tmp_path / "home")
    registry = registry_of(home, shop)
    first, _ = registry.versions()
    os.utime(own(home, shop).datasets / first.record["dataset"]["hash"] / "manifest.json")
    both = origin(home, shop)
    registry.delete(first.version, force=True)

    assert both is not None and both.version == first.version
    assert origin(home, shop) is None


@pytest.fixture
def elsewhere(tmp_path: Path) -> Root:
    """Code that is not the repository's: a control learns it."""
    for name in ("alpha", "beta", "gamma", "delta", "epsilon", "zeta"):
        (tmp_path / "elsewhere" / name).mkdir(parents=True)
        for part in ("one", "two"):
            text = module(f"{name}_{part}", functions=FUNCTIONS)
            (tmp_path / "elsewhere" / name / f"{part}.py").write_text(text, encoding="utf-8")
    return Root(name="elsewhere", place=tmp_path / "elsewhere")


def control_record(home: Home, adapter: Adapter) -> dict[str, Any]:
    folder = home.controls / str(adapter.record["control"]).removeprefix("control-")
    record: dict[str, Any] = json.loads((folder / "control.json").read_text(encoding="utf-8"))
    return record


def test_the_control_of_one_that_went_on_goes_on_from_its_parents(
    again: Home, shop: GitFolder, tmp_path: Path, elsewhere: Root
) -> None:
    home = copied(again, tmp_path / "home")
    registry = registry_of(home, shop)
    for number, adapter in enumerate(registry.versions()):
        data = adapter.record["dataset"]["hash"]
        in_process(a_job(home, shop, f"control-{number}", phases=("train",), dataset=data), roots=[elsewhere])
    parent, second = registry.versions()

    assert (control_record(home, parent)["total_steps"], control_record(home, parent)["after"]) == (STEPS, None)
    found = control_record(home, second)
    assert (found["steps"], found["total_steps"], found["after"]) == (STEPS, 2 * STEPS, parent.record["control"])


def test_where_the_parents_control_is_gone_one_of_as_many_steps_is_trained(
    again: Home, shop: GitFolder, tmp_path: Path, elsewhere: Root
) -> None:
    home = copied(again, tmp_path / "home")
    in_process(a_job(home, shop, "control"), roots=[elsewhere])
    _, second = registry_of(home, shop).versions()

    found = control_record(home, second)
    assert (found["steps"], found["total_steps"], found["after"]) == (2 * STEPS, 2 * STEPS, None)


@pytest.mark.parametrize(("steps", "tried"), [(10, None), (25, 5), (50, 10), (100, 25), (400, 25)])
def test_starts_are_tried_for_a_rung_where_four_times_as_many_steps_are_planned(steps: int, tried: int | None) -> None:
    start, left = planned(steps, minutes=1.399 * steps / 60, pairs=30)

    assert (None if start is None else start.steps, left) == (tried, steps)


def test_a_better_start_may_cost_a_rung_but_no_more() -> None:
    def tried(minutes: float, *, may_cost_a_rung: bool) -> tuple[int | None, int]:
        start, left = planned(100, minutes=minutes, pairs=30, may_cost_a_rung=may_cost_a_rung)
        return None if start is None else start.steps, left

    assert tried(101 / 60, may_cost_a_rung=False) == (None, 100)
    assert tried(101 / 60, may_cost_a_rung=True) == (10, 70)
    assert tried(112 / 60, may_cost_a_rung=True) == tried(112 / 60, may_cost_a_rung=False) == (10, 100)
    assert tried(74 / 60, may_cost_a_rung=True) == (None, 100)


def test_too_few_pairs_tell_no_better_start() -> None:
    assert planned(100, minutes=3.0, pairs=23) == (None, 100)


def planned(steps: int, *, minutes: float, pairs: int, may_cost_a_rung: bool = True) -> tuple[Start | None, int]:
    """On a machine that does a step a second."""
    return planned_start(
        ORIGIN,
        steps=steps,
        minutes=minutes,
        rung_for=partial(steps_for, seconds_per_step=1.0),
        seconds_per_step=1.0,
        seconds_per_pair=0.01,
        available=pairs,
        may_cost_a_rung=may_cost_a_rung,
    )


def test_a_tie_goes_to_afresh() -> None:
    start = Start(parent="shop-1", total_steps=100, learnt_from=("a",), steps=25, pairs=30)
    tie = start.decided(afresh=1.5, continued=1.5)

    assert tie.is_decided and not tie.continues
    assert start_record(tie, steps=100, dataset="b") == {
        "parent": None,
        "primer": None,
        "start": {"afresh": 1.5, "continued": 1.5, "pairs": 30},
        "total_steps": 100,
        "learnt_from": ["b"],
    }


def test_the_steps_of_what_a_training_began_from_count() -> None:
    primer = Origin(version="control-1", weights=Path("/nowhere"), total_steps=50, learnt_from=())
    start = Start(parent="shop-1", total_steps=150, learnt_from=("a",), steps=25, pairs=30)
    afresh = start_record(start.decided(afresh=1.4, continued=1.5), steps=100, dataset="b", begun_at=primer)
    continued = start_record(start.decided(afresh=1.5, continued=1.4), steps=100, dataset="b", begun_at=primer)

    assert (afresh["parent"], afresh["primer"], afresh["total_steps"]) == (None, "control-1", 150)
    assert (continued["parent"], continued["primer"], continued["total_steps"]) == ("shop-1", "control-1", 250)
    assert (afresh["learnt_from"], continued["learnt_from"]) == (["b"], ["a", "b"])
