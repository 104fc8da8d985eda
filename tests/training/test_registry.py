"""Which adapters there are, and which one is in use."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from acclimate_indexer.errors import AdapterError
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.prompts import PromptBudget
from acclimate_training.adapter_files import LINEAGE
from acclimate_training.registry import AdapterRegistry

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> RepositoryHome:
    return RepositoryHome(root=tmp_path / "shop-12345678")


def record(version: str, **changes: Any) -> dict[str, Any]:
    return {
        "version": version,
        "created": NOW.isoformat(),
        "repository": "shop",
        "base": {"name": "tiny", "identity": "tiny@0+original"},
        "verdict": {"state": "trial", "reason": "lower"},
        "prompt_budget": PromptBudget().to_json(),
    } | changes


def published(registry: AdapterRegistry, version: str, **changes: Any) -> None:
    partial = registry.partial(version)
    (partial / "adapter_config.json").write_text("{}", encoding="utf-8")
    registry.publish(partial, record(version, **changes))


def test_a_published_adapter_can_be_taken_into_use(home: RepositoryHome) -> None:
    registry = AdapterRegistry(home)
    version = registry.new_version("shop", NOW)
    published(registry, version)
    registry.set_live(version)

    live = registry.live()
    assert version.startswith("shop-20260501T120000-")
    assert live is not None
    assert (live.version, live.state, live.base_identity) == (version, "trial", "tiny@0+original")
    assert live.prompt_budget == PromptBudget()
    assert live.folder == home.adapters / version


def test_a_half_written_adapter_is_never_live(home: RepositoryHome) -> None:
    registry = AdapterRegistry(home)
    partial = registry.partial("shop-1")
    (partial / "adapter_config.json").write_text("{}", encoding="utf-8")
    (home.adapters / "shop-2").mkdir()
    home.live.write_text('{"schema": 1, "version": "shop-2"}', encoding="utf-8")

    assert registry.versions() == []
    assert registry.live() is None
    with pytest.raises(AdapterError, match="No adapter is called 'shop-2'"):
        registry.set_live("shop-2")


def test_a_damaged_lineage_is_no_adapter(home: RepositoryHome) -> None:
    registry = AdapterRegistry(home)
    published(registry, "shop-1")
    registry.set_live("shop-1")
    (home.adapters / "shop-1" / LINEAGE).write_text("{", encoding="utf-8")

    assert registry.live() is None
    assert registry.versions() == []
    with pytest.raises(AdapterError, match="cannot be read"):
        registry.get("shop-1")


def test_a_version_is_never_written_twice(home: RepositoryHome) -> None:
    registry = AdapterRegistry(home)
    published(registry, "shop-1")

    with pytest.raises(AdapterError, match="exists already"):
        published(registry, "shop-1")
    assert len({registry.new_version("shop", NOW) for _ in range(20)}) > 10


def test_going_back_moves_the_pointer(home: RepositoryHome) -> None:
    registry = AdapterRegistry(home)
    published(registry, "shop-1")
    published(registry, "shop-2", created="2026-05-02T00:00:00+00:00")
    registry.set_live("shop-2")
    registry.set_live("shop-1")

    live = registry.live()
    assert live is not None and live.version == "shop-1"
    assert [adapter.version for adapter in registry.versions()] == ["shop-1", "shop-2"]
    registry.set_live(None)
    assert registry.live() is None


@pytest.mark.parametrize("version", ["../../elsewhere", "/etc", ".partial-shop-1", ""])
def test_a_version_is_a_name_and_not_a_path(home: RepositoryHome, version: str) -> None:
    with pytest.raises(AdapterError, match="No adapter is called"):
        AdapterRegistry(home).get(version)
