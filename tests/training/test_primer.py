"""What a training begins from: the format, learnt once from other code, and kept for all repositories."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support.git_folder import GitFolder, module
from tests.support.quick_training import (
    FUNCTIONS,
    RECIPE,
    STEPS,
    copied,
    home_at,
    in_process,
    registry_of,
    shop_of,
    weights,
)
from tests.support.quick_training import (
    a_job as any_job,
)
from tests.support.tiny_model import tiny_model

from acclimate_indexer.general.sources import Root
from acclimate_indexer.home import Home
from acclimate_training.job import Progress
from acclimate_training.registry import Adapter

pytestmark = pytest.mark.tensor
pytest.importorskip("torch", reason="the runtime is not installed")
pytest.importorskip("peft", reason="the runtime is not installed")

PRIMER = 50  # steps: the most

a_job = partial(any_job, recipe=RECIPE | {"general_share": 0.0})  # all other code is the primer's and the control's

Killed = type("Killed", (BaseException,), {})


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> GitFolder:
    return shop_of(tmp_path_factory.mktemp("primer") / "shop")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Root:
    """Code that is not the repository's."""
    place = tmp_path_factory.mktemp("elsewhere")
    for name in (f"library{number}" for number in range(32)):
        (place / name).mkdir()
        for part in ("one", "two"):
            text = module(f"{name}_{part}", functions=FUNCTIONS * 2)
            (place / name / f"{part}.py").write_text(text, encoding="utf-8")
    return Root(name="elsewhere", place=place)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with a model and nothing else."""
    home = home_at(tmp_path_factory.mktemp("bare")).create()
    tiny_model(home)
    return home


@pytest.fixture(scope="module")
def whole(bare: Home, shop: GitFolder, elsewhere: Root, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home where an adapter was trained without interruption."""
    home = copied(bare, tmp_path_factory.mktemp("whole") / "home")
    in_process(a_job(home, shop, "first"), roots=[elsewhere])
    return home


def manifest(home: Home, version: str) -> dict[str, Any]:
    folder = home.controls / version.removeprefix("control-")
    found: dict[str, Any] = json.loads((folder / "control.json").read_text(encoding="utf-8"))
    return found


def primers(home: Home) -> list[Path]:
    return [place.parent for place in home.controls.glob("*/control.json") if "made_for" in place.read_text()]


def only(home: Home, shop: GitFolder) -> Adapter:
    (adapter,) = registry_of(home, shop).versions()
    return adapter


def test_an_adapter_and_its_control_begin_from_one_primer(whole: Home, shop: GitFolder) -> None:
    record = only(whole, shop).record
    primer, control = manifest(whole, record["primer"]), manifest(whole, record["control"])

    assert (primer["steps"], primer["total_steps"], primer["after"]) == (PRIMER, PRIMER, None)
    assert (record["steps"], record["total_steps"], record["parent"]) == (STEPS, PRIMER + STEPS, None)
    assert (control["steps"], control["total_steps"], control["after"]) == (STEPS, PRIMER + STEPS, record["primer"])
    assert record["learnt_from"] == [record["dataset"]["hash"]]


def test_what_is_learnt_lies_beside_what_the_primer_knew(whole: Home, shop: GitFolder) -> None:
    from safetensors.torch import load_file

    adapter = only(whole, shop)
    folder = whole.controls / str(adapter.record["primer"]).removeprefix("control-")
    known, learnt = load_file(folder / "adapter_model.safetensors"), weights(adapter)
    moved = sum(float((learnt[name] - value).norm() ** 2) for name, value in known.items() if "lora_B" in name)
    from_nothing = sum(float(value.norm() ** 2) for name, value in learnt.items() if "lora_B" in name)

    assert 0 < moved < from_nothing  # B is zero in an adapter that knows nothing


def test_another_training_begins_from_the_same(whole: Home, shop: GitFolder, elsewhere: Root, tmp_path: Path) -> None:
    home = copied(whole, tmp_path / "home")
    heard: list[Progress] = []
    second = in_process(a_job(home, shop, "second", seed=0, max_pairs=90, force=True), heard.append, roots=[elsewhere])

    first = registry_of(home, shop).versions()[0]
    assert registry_of(home, shop).get(second["adapter"]).record["primer"] == first.record["primer"]
    assert "train" in {line.phase for line in heard}
    assert "primer" not in {line.phase for line in heard}


@pytest.mark.parametrize("at", [("primer", 20), ("train", 12), ("control", 12)])
def test_a_kill_changes_neither_the_steps_nor_the_weights(
    bare: Home, whole: Home, shop: GitFolder, elsewhere: Root, tmp_path: Path, at: tuple[str, int]
) -> None:
    home = copied(bare, tmp_path / "home")

    def killed(progress: Progress) -> None:
        if (progress.phase, progress.step) == at:
            raise Killed

    with pytest.raises(Killed):
        in_process(a_job(home, shop, "killed"), killed, roots=[elsewhere])
    in_process(a_job(home, shop, "again"), roots=[elsewhere])

    resumed, uninterrupted = only(home, shop), only(whole, shop)
    assert len(primers(home)) == 1
    assert (resumed.record["steps"], resumed.record["total_steps"]) == (STEPS, PRIMER + STEPS)
    assert all((weights(resumed)[name] == value).all() for name, value in weights(uninterrupted).items())


def test_one_that_was_made_in_a_hurry_is_replaced_when_there_is_time(
    bare: Home, shop: GitFolder, elsewhere: Root, tmp_path: Path
) -> None:
    home = copied(bare, tmp_path / "home")
    hasty = in_process(a_job(home, shop, "hasty", minutes=0.0001), roots=[elsewhere])
    patient = in_process(a_job(home, shop, "patient", force=True), roots=[elsewhere])

    registry = registry_of(home, shop)
    steps = [manifest(home, registry.get(result["adapter"]).record["primer"])["steps"] for result in (hasty, patient)]
    assert steps == [5, PRIMER]


def test_a_damaged_one_is_made_again(whole: Home, shop: GitFolder, elsewhere: Root, tmp_path: Path) -> None:
    home = copied(whole, tmp_path / "home")
    (known,) = primers(home)
    with (known / "adapter_model.safetensors").open("ab") as file:
        file.write(b"x")
    second = in_process(a_job(home, shop, "second", max_pairs=90, force=True), roots=[elsewhere])

    (made,) = primers(home)
    assert made != known
    assert registry_of(home, shop).get(second["adapter"]).record["primer"] == f"control-{made.name}"
    assert any("is corrupt" in sentence for sentence in second["notes"])


def test_without_other_code_a_training_begins_from_nothing(bare: Home, shop: GitFolder, tmp_path: Path) -> None:
    home = copied(bare, tmp_path / "home")
    in_process(a_job(home, shop, "alone"))

    record = only(home, shop).record
    assert (record["primer"], record["total_steps"]) == (None, record["steps"])
