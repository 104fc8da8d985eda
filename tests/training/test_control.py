"""Controls: when one that was trained before may stand in, and how one is kept."""

import json
import shutil
import sysconfig
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.adapter_folder import write_peft_folder
from tests.support.git_folder import GitFolder, module
from tests.support.tiny_model import TINY, TOKENS, write_manifest, write_tokenizer

from acclimate_indexer.dataset import mine
from acclimate_indexer.general.code import GeneralCode
from acclimate_indexer.general.own import OwnCode
from acclimate_indexer.general.sources import Root
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel
from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_training.control import Controls, General, language_mix
from acclimate_training.control_training import control_of
from acclimate_training.job import Job, Progress
from acclimate_training.lineage import Setting
from acclimate_training.recipe import Recipe
from acclimate_training.registry import Adapter
from acclimate_training.reporting import Run

STDLIB = Path(sysconfig.get_path("stdlib"))


@pytest.fixture
def installed(tmp_path: Path) -> Root:
    """A package of others' code, whose files are the standard library's."""
    folder = tmp_path / "site-packages" / "alpha"
    folder.mkdir(parents=True)
    for file in sorted(STDLIB.glob("[a-f]*.py")):
        if 2_000 < file.stat().st_size < 20_000:
            shutil.copy(file, folder / file.name)
    return Root(name="site-packages", place=folder.parent)


@pytest.fixture
def model(home: Home) -> LocalModel:
    folder = home.model(TINY)
    folder.mkdir(parents=True)
    write_tokenizer(folder)
    return write_manifest(folder, TINY)


@pytest.fixture
def run(home: Home, tmp_path: Path) -> Run:
    return a_run(home, tmp_path, [])


def a_run(home: Home, tmp_path: Path, heard: list[Progress]) -> Run:
    job = Job(id="one", repository=tmp_path, data=home.data, cache=home.cache, phases=("train",), model=TINY)
    return Run(job=job, home=home, folder=tmp_path, report=heard.append)


@pytest.fixture
def controls(home: Home, model: LocalModel, installed: Root) -> Controls:
    nothing: Any = None  # the data set: no control depends on it but by its languages
    setting = Setting(
        repository="shop",
        dataset=nothing,
        model=model,
        recipe=Recipe(),
        builder=PromptBuilder.load(model.folder, TOKENS, PromptBudget()),
        device="cpu",
        minutes=1.0,
        max_pairs=None,
        seed=0,
    )
    code = GeneralCode.found(exclude=OwnCode(), roots=[installed], cache=home.general_code)
    return Controls(
        folder=home.controls,
        setting=setting,
        general=General(code=code, languages=language_mix({"python": 90, "go": 10})),
    )


PAIRS = [
    CompletionPair(
        kind="completion",
        language="python",
        path="alpha/one.py",
        commit="",
        prefix="a = ",
        middle=middle,
        suffix="",
        place="rest_of_line",
    )
    for middle in ("1", "2")
]


def published(controls: Controls, steps: int, pairs: list[CompletionPair]) -> str:
    partial = controls.partial()
    write_peft_folder(partial)
    return controls.publish(partial, steps, pairs, {}).version


def test_a_control_is_found_again_by_its_steps_and_its_very_pairs(controls: Controls) -> None:
    version = published(controls, 25, PAIRS)

    found = controls.found(25, PAIRS)

    assert found is not None
    assert (found.version, f"control-{found.folder.name}") == (version, version)
    assert (found.folder / "adapter_config.json").is_file()
    manifest = json.loads((found.folder / "control.json").read_text(encoding="utf-8"))
    assert (manifest["schema"], manifest["steps"]) == (1, 25)
    assert set(manifest["files"]) == {"adapter_config.json", "adapter_model.safetensors"}
    assert controls.rungs() == {25}
    assert controls.found(50, PAIRS) is None
    assert controls.found(25, PAIRS[:1]) is None
    assert controls.found(2, PAIRS) is None


def other_recipe(controls: Controls) -> Controls:
    return replace(controls, setting=replace(controls.setting, recipe=Recipe(rank=8)))


def other_seed(controls: Controls) -> Controls:
    return replace(controls, setting=replace(controls.setting, seed=1))


def other_device(controls: Controls) -> Controls:
    return replace(controls, setting=replace(controls.setting, device="cuda"))


def other_base(controls: Controls) -> Controls:
    model = replace(controls.setting.model, source_sha256="1" * 64)
    return replace(controls, setting=replace(controls.setting, model=model))


def other_languages(controls: Controls) -> Controls:
    return replace(controls, general=replace(controls.general, languages={"python": 50.0, "go": 50.0}))


@pytest.mark.parametrize("other", [other_recipe, other_seed, other_device, other_base, other_languages])
def test_a_control_of_another_setting_is_no_control(controls: Controls, other: Any) -> None:
    published(controls, 25, PAIRS)

    assert other(controls).found(25, PAIRS) is None
    assert other(controls).rungs() == set()
    assert other(controls).fingerprint(25, PAIRS) != controls.fingerprint(25, PAIRS)


def test_repositories_of_one_setting_share_a_control(controls: Controls) -> None:
    published(controls, 25, PAIRS)
    another = replace(
        controls,
        setting=replace(controls.setting, repository="stall", minutes=9.0, max_pairs=700),
        general=replace(controls.general, languages=language_mix({"python": 905, "go": 98, "css": 3})),
    )

    assert another.found(25, PAIRS) is not None


@pytest.mark.parametrize(
    ("pairs", "mix"),
    [
        ({"python": 4938, "javascript": 11, "shellscript": 8}, {"python": 20.0}),
        ({"python": 6, "go": 3, "css": 1, "rust": 0}, {"python": 12.0, "go": 6.0, "css": 2.0}),
        ({f"language_{number}": 1 for number in range(50)}, {f"language_{number}": 1.0 for number in range(50)}),
        ({}, {}),
    ],
)
def test_a_language_with_hardly_any_pairs_is_left_out_of_the_mix(pairs: dict[str, int], mix: dict[str, float]) -> None:
    assert language_mix(pairs) == mix


def test_a_name_is_never_used_twice(controls: Controls) -> None:
    assert published(controls, 25, PAIRS) != published(controls, 25, PAIRS)


def test_a_half_written_control_is_none_and_is_cleared_away(controls: Controls) -> None:
    write_peft_folder(controls.partial())

    assert controls.found(25, PAIRS) is None
    assert controls.rungs() == set()
    controls.remove_partials()
    assert list(controls.folder.iterdir()) == []


def test_a_control_learns_as_many_pairs_as_its_steps_see(controls: Controls, run: Run) -> None:
    pairs = controls.pairs(5, run)

    assert len(pairs) == int(1.25 * 5 * controls.setting.recipe.batch)  # some may prove too long
    assert controls.pairs(5, run) == pairs
    assert {pair.path.partition("/")[0] for pair in pairs} == {"alpha"}


def test_what_had_to_stand_in_for_a_language_is_said(controls: Controls, run: Run) -> None:
    controls.pairs(5, run)

    assert run.notes == ["Too little general code on this machine in go (3 pairs); used instead: python 25."]


def test_general_code_is_in_the_languages_that_are_trained_on(
    home: Home, run: Run, tmp_path: Path, installed: Root
) -> None:
    shop = GitFolder.new(tmp_path / "shop")
    shop.commit({f"src/{name}.py": module(name) for name in ("till", "cart", "order", "stock", "shelf", "ware")})
    dataset = mine(shop.open(), home.for_repository(shop.path / ".git"))

    general = General.beside(shop.open(), dataset, run, roots=[installed])

    assert general.languages == {"python": 20.0}
    assert {file.root for file in general.code.of_language("python")} == {installed}
    assert "general code" in run.seconds


def test_a_repository_that_is_installed_is_not_general_code(
    home: Home, run: Run, tmp_path: Path, installed: Root
) -> None:
    shop = GitFolder.new(tmp_path / "shop")
    shop.commit({f"alpha/{name}.py": module(name) for name in ("__init__", "cart", "order", "stock", "shelf", "ware")})
    dataset = mine(shop.open(), home.for_repository(shop.path / ".git"))

    general = General.beside(shop.open(), dataset, run, roots=[installed])

    assert general.pairs("control", 5, run) == ()


def an_adapter(**record: Any) -> Adapter:
    return Adapter(version="shop-1", folder=Path("/adapters/shop-1"), record=record)


def test_an_adapter_knows_its_control_while_that_is_there(controls: Controls, run: Run) -> None:
    version = published(controls, 25, PAIRS)

    found = control_of(an_adapter(control=version), run)

    assert found == controls.found(25, PAIRS)
    assert control_of(an_adapter(), run) is None
    assert control_of(an_adapter(control="control-gone"), run) is None
