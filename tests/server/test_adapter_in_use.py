"""The running server and the registry: what is damaged or withdrawn completes for nobody."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import MakeRepository
from tests.support.adapter_folder import publish, write_peft_folder
from tests.support.engine import until
from tests.support.fake_engine import BASE, FakeEngine, fake_engine
from tests.support.lsp import connected
from tests.support.tiny_model import TINY, write_manifest, write_tokenizer

from acclimate_indexer.home import Home
from acclimate_indexer.repository import Repository
from acclimate_training.adapter_files import WEIGHTS
from acclimate_training.registry import AdapterRegistry
from acclimate_training.shared_adapters import KEPT_COPIES, MARK, SharedFolder

CODE = "def total(prices):\n    return sum(prices)\n"
CURSOR = (1, 11)


@pytest.fixture
def repository(make_repository: MakeRepository) -> Path:
    return make_repository({"app.py": CODE})


@pytest.fixture
def registry(home: Home, repository: Path) -> AdapterRegistry:
    """Two adapters for the model that is here, the second in use."""
    folder = home.model(TINY)
    folder.mkdir(parents=True)
    write_tokenizer(folder)
    base = {"name": TINY, "identity": write_manifest(folder, TINY).identity}
    registry = AdapterRegistry(home.for_repository(Repository.open(repository).common_directory))
    for number in (1, 2):
        publish(registry, f"shop-{number}", base=base)
        registry.set_live(f"shop-{number}")
    return registry


def options(engine: FakeEngine, **more: Any) -> dict[str, Any]:
    return {"engine": {"url": engine.url}, **more}


def engine_is_ready(status: dict[str, Any]) -> bool:
    return bool(status["engine"]["state"] == "ready")


def adapter_is(state: str, version: str | None) -> Callable[[dict[str, Any]], bool]:
    return lambda status: (status["adapter"]["state"], status["adapter"]["version"]) == (state, version)


async def test_a_corrupt_adapter_is_never_loaded_and_the_base_answers(
    repository: Path, registry: AdapterRegistry
) -> None:
    weights = registry.get("shop-2").folder / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    async with fake_engine() as engine, connected(repository, options(engine)) as editor:
        await editor.status_where(engine_is_ready)
        editor.open(repository / "app.py", CODE)
        await editor.inline(repository / "app.py", *CURSOR)
        status = await editor.status_where(adapter_is("failed", None))
        await editor.inline(repository / "app.py", *CURSOR)

    assert "is corrupt" in status["adapter"]["reason"]
    assert "acclimate adapters delete shop-2" in status["adapter"]["reason"]
    assert engine.loads == []
    assert {asked["model"] for asked in engine.asked} == {BASE}


async def test_a_rollback_reaches_the_running_server(repository: Path, registry: AdapterRegistry) -> None:
    async with fake_engine() as engine, connected(repository, options(engine)) as editor:
        await editor.status_where(engine_is_ready)
        editor.open(repository / "app.py", CODE)
        await editor.inline(repository / "app.py", *CURSOR)
        await editor.status_where(adapter_is("in use", "shop-2"))
        registry.rollback("It repeats itself.")
        await editor.inline(repository / "app.py", *CURSOR)
        await editor.status_where(adapter_is("in use", "shop-1"))
        await editor.inline(repository / "app.py", *CURSOR)

    assert engine.asked[-1]["model"] == "shop-1"


async def test_the_setting_may_be_a_tag(repository: Path, registry: AdapterRegistry) -> None:
    registry.tag("shop-1", "spring")
    async with fake_engine() as engine, connected(repository, options(engine, adapter="spring")) as editor:
        await editor.status_where(engine_is_ready)
        editor.open(repository / "app.py", CODE)
        await editor.inline(repository / "app.py", *CURSOR)
        await editor.status_where(adapter_is("in use", "shop-1"))

    assert engine.loads == ["shop-1"]


async def test_an_engine_elsewhere_is_given_a_copy_by_the_name_that_it_knows(
    repository: Path, registry: AdapterRegistry, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    async with fake_engine() as engine:
        given = {"url": engine.url, "adapters_folder": str(shared), "adapters_folder_there": "/mnt/adapters"}
        async with connected(repository, {"engine": given}) as editor:
            await editor.status_where(engine_is_ready)
            editor.open(repository / "app.py", CODE)
            await editor.inline(repository / "app.py", *CURSOR)
            await editor.status_where(adapter_is("in use", "shop-2"))

    assert engine.adapters == {"shop-2": "/mnt/adapters/shop-2"}
    assert (shared / "shop-2" / WEIGHTS).read_bytes() == (registry.get("shop-2").folder / WEIGHTS).read_bytes()


async def test_old_copies_are_forgotten_by_the_engine_and_deleted(
    home: Home, repository: Path, registry: AdapterRegistry, tmp_path: Path
) -> None:
    shared = SharedFolder(here=tmp_path / "shared", there="/mnt")
    shared.here.mkdir()
    state = home.for_repository(Repository.open(repository).common_directory)
    names = [f"old-{number}" for number in range(KEPT_COPIES + 1)]
    for second, name in enumerate(names):
        shared.place(name, write_peft_folder(state.adapters / name))
        os.utime(shared.here / name / MARK, (second, second))
    async with fake_engine() as engine:
        engine.adapters = {name: f"/mnt/{name}" for name in names}
        given = {"url": engine.url, "adapters_folder": str(shared.here), "adapters_folder_there": "/mnt"}
        async with connected(repository, {"engine": given}) as editor:
            await editor.status_where(engine_is_ready)
            editor.open(repository / "app.py", CODE)
            await editor.inline(repository / "app.py", *CURSOR)
            await editor.status_where(adapter_is("in use", "shop-2"))
            await until(lambda: not (shared.here / "old-0").exists())

    assert set(engine.adapters) == {*names[1:], "shop-2"}
    assert {folder.name for folder in shared.here.iterdir()} == {*names[1:], "shop-2"}
