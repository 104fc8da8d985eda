"""The running server and the registry: what is damaged or withdrawn completes for nobody."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import MakeRepository
from tests.support.adapter_folder import publish
from tests.support.fake_engine import BASE, FakeEngine, fake_engine
from tests.support.lsp import connected
from tests.support.tiny_model import TINY, write_manifest, write_tokenizer

from acclimate_indexer.home import Home
from acclimate_indexer.repository import Repository
from acclimate_training.adapter_files import WEIGHTS
from acclimate_training.registry import AdapterRegistry

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
