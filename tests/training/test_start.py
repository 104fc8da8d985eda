"""From where a training begins: afresh, or from an earlier adapter that fits."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support.git_folder import GitFolder, module
from tests.support.tiny_model import TINY, tiny_model

from acclimate_indexer.dataset import latest_dataset
from acclimate_indexer.home import Home
from acclimate_indexer.mining.split import path_hash
from acclimate_indexer.models import local_model
from acclimate_training.job import Job, Progress
from acclimate_training.lineage import Setting
from acclimate_training.parentage import Parentage
from acclimate_training.phases import Pipeline
from acclimate_training.recipe import steps_for
from acclimate_training.registry import Adapter, AdapterRegistry
from acclimate_training.start import Origin, Start, planned_start, start_record

pytestmark = pytest.mark.tensor
pytest.importorskip("torch", reason="the runtime is not installed")
pytest.importorskip("peft", reason="the runtime is not installed")

# 25 steps, however fast the machine is: the pairs end before the minutes do. Both starts are then tried for 5.
RECIPE = {"batch": 4, "micro_batch": 4, "layers": "all", "max_epochs": 1.0, "learning_rate": 1e-3}
STEPS, TRIED = 25, 5
ORIGIN = Origin(version="shop-1", weights=Path("/nowhere"), total_steps=100, learnt_from=("a",))

Killed = type("Killed", (BaseException,), {})


def paths() -> list[str]:
    """Three files that validate, one that tests, and more that are learnt from: their hashes decide."""
    named = [f"ware{number}.py" for number in range(200)]
    validating = [path for path in named if path_hash(path) < 0.05][:3]
    testing = [path for path in named if 0.05 <= path_hash(path) < 0.15][:1]
    return [*validating, *testing, *[path for path in named if path_hash(path) >= 0.15][:16]]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> GitFolder:
    folder = GitFolder.new(tmp_path_factory.mktemp("start") / "shop")
    folder.commit({path: module(path.removesuffix(".py"), functions=8) for path in paths()})
    return folder


@pytest.fixture(scope="module")
def trained(shop: GitFolder, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with one adapter in use, and the data of a commit since."""
    folder = tmp_path_factory.mktemp("home")
    home = Home(data=folder, cache=folder / "cache", config=folder).create()
    tiny_model(home)
    in_process(a_job(home, shop, "first"))
    shop.commit({paths()[-1]: module("bargain", functions=8)}, day=1)
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


def copied(home: Home, folder: Path) -> Home:
    shutil.copytree(home.data, folder)
    return Home(data=folder, cache=folder / "cache", config=folder)


def a_job(home: Home, shop: GitFolder, name: str, **changes: Any) -> Job:
    job = Job(
        id=name,
        repository=shop.path,
        data=home.data,
        cache=home.cache,
        phases=("mine", "train"),
        model=TINY,
        minutes=2.0,
        max_pairs=100,
        force=True,
        recipe=RECIPE,
        threads=1,
    )
    return replace(job, **changes)


def in_process(
    job: Job, heard: list[Progress] | None = None, report: Callable[[Progress], None] | None = None
) -> dict[str, Any]:
    folder = Home(data=job.data, cache=job.cache, config=job.data).for_repository(job.repository / ".git").runs / job.id
    folder.mkdir(parents=True)
    told = report or (heard if heard is not None else []).append
    return Pipeline(job, told, folder, general_roots=()).run()


def registry_of(home: Home, shop: GitFolder) -> AdapterRegistry:
    return AdapterRegistry(home.for_repository(shop.path / ".git"))


def made(home: Home, shop: GitFolder, job: Job) -> Adapter:
    return registry_of(home, shop).get(in_process(job)["adapter"])


def weights(adapter: Adapter) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(adapter.folder / "adapter_model.safetensors"))


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
    registry.set_live(turned_round(registry, good).version)
    record = made(home, shop, a_job(home, shop, "second")).record

    assert record["start"]["continued"] > record["start"]["afresh"]
    assert (record["parent"], record["total_steps"]) == (None, STEPS)
    assert record["learnt_from"] == [record["dataset"]["hash"]]


def turned_round(registry: AdapterRegistry, adapter: Adapter) -> Adapter:
    """An adapter that does the opposite of what another one does, and a hundred times as much of it."""
    from safetensors.torch import save_file

    version = f"{adapter.version}-copy"
    partial_folder = registry.partial(version)
    shutil.copyfile(adapter.folder / "adapter_config.json", partial_folder / "adapter_config.json")
    changed = {name: value * -100 if "lora_B" in name else value for name, value in weights(adapter).items()}
    save_file(changed, partial_folder / "adapter_model.safetensors")
    return registry.publish(partial_folder, adapter.record | {"version": version, "fingerprint": "another"})


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
        in_process(a_job(home, shop, "killed"), report=killed)
    resumed = registry_of(home, shop).get(in_process(a_job(home, shop, "again"), heard)["adapter"])

    assert resumed.record["start"] == whole.record["start"]
    assert resumed.record["parent"] == whole.record["parent"]
    assert len(resumed.record["curve"]) == STEPS
    assert all((weights(resumed)[name] == value).all() for name, value in weights(whole).items())
    tried_afresh = [line for line in heard if line.phase == "train" and line.of == 2 * TRIED and line.step <= TRIED]
    assert not tried_afresh


def origin(home: Home, shop: GitFolder, **changes: Any) -> Origin | None:
    """From where a training on the newest data would begin."""
    repository, local = shop.open(), local_model(home, TINY)
    own = home.for_repository(repository.common_directory)
    job = a_job(home, shop, "asked", recipe=RECIPE | changes)
    setting = Setting.of(job, repository="shop", dataset=latest_dataset(own), model=local, device="cpu")
    return Parentage(setting=setting, home=own, repository=repository).origin()


def test_the_adapter_in_use_is_what_a_training_may_begin_from(home: Home, shop: GitFolder) -> None:
    (parent,) = registry_of(home, shop).versions()
    found = origin(home, shop)

    assert found is not None
    assert (found.version, found.total_steps) == (parent.version, STEPS)


def without_data(home: Home, shop: GitFolder, adapter: Adapter) -> None:
    shutil.rmtree(home.for_repository(shop.path / ".git").datasets / adapter.record["dataset"]["hash"])


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
    os.utime(home.for_repository(shop.path / ".git").datasets / first.record["dataset"]["hash"] / "manifest.json")
    both = origin(home, shop)
    registry.delete(first.version)

    assert both is not None and both.version == first.version
    assert origin(home, shop) is None


@pytest.mark.parametrize(("steps", "tried"), [(10, None), (25, 5), (50, 10), (100, 25), (400, 25)])
def test_starts_are_tried_for_a_rung_where_four_times_as_many_steps_are_planned(steps: int, tried: int | None) -> None:
    start = planned(steps, minutes=1.4 * steps / 60, pairs=30)

    assert (None if start is None else start.steps) == tried


def test_no_rung_is_given_for_a_better_start() -> None:
    assert planned(100, minutes=101 / 60, pairs=30) is None
    assert planned(100, minutes=112 / 60, pairs=30) is not None


def test_too_few_pairs_tell_no_better_start() -> None:
    assert planned(100, minutes=3.0, pairs=23) is None


def planned(steps: int, *, minutes: float, pairs: int) -> Start | None:
    """On a machine that does a step a second."""
    return planned_start(
        ORIGIN,
        steps=steps,
        minutes=minutes,
        rung_for=partial(steps_for, seconds_per_step=1.0),
        seconds_per_step=1.0,
        seconds_per_pair=0.01,
        available=pairs,
    )


def test_a_tie_goes_to_afresh() -> None:
    start = Start(parent="shop-1", total_steps=100, learnt_from=("a",), steps=25, pairs=30)
    tie = start.decided(afresh=1.5, continued=1.5)

    assert tie.is_decided and not tie.continues
    assert start_record(tie, steps=100, dataset="b") == {
        "parent": None,
        "start": {"afresh": 1.5, "continued": 1.5, "pairs": 30},
        "total_steps": 100,
        "learnt_from": ["b"],
    }
