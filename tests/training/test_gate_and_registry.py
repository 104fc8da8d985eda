"""What may be used, and which adapter is in use."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from acclimate_indexer.errors import AdapterError
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.prompts import PromptBudget
from acclimate_training.gate import verdict
from acclimate_training.registry import LINEAGE, AdapterRegistry

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)


def test_a_lower_loss_beyond_doubt_is_a_trial() -> None:
    found = verdict({"loss": -0.5, "loss_interval": [-0.6, -0.4], "loss_n": 60})

    assert found.state == "trial"
    assert found.may_be_used
    assert found.reason == (
        "Held-out loss differs from the base's by -0.500 nats a token (95% interval -0.600 to -0.400, n 60): lower."
    )


@pytest.mark.parametrize("interval", [[-0.6, 0.0], [-0.1, 0.3], [0.1, 0.2]])
def test_anything_else_is_rejected(interval: list[float]) -> None:
    found = verdict({"loss": sum(interval) / 2, "loss_interval": interval, "loss_n": 60})

    assert found.state == "rejected"
    assert not found.may_be_used


def test_nothing_measured_is_rejected() -> None:
    assert verdict({"loss_n": 0}).state == "rejected"


def test_force_is_a_trial_that_says_what_was_measured() -> None:
    found = verdict({"loss": 0.2, "loss_interval": [0.1, 0.3], "loss_n": 5}, force=True)

    assert found.state == "trial"
    assert "forced" in found.reason
    assert "+0.200" in found.reason


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


def test_a_handful_of_pairs_proves_nothing() -> None:
    found = verdict({"loss": -0.5, "loss_interval": [-0.6, -0.4], "loss_n": 2})

    assert found.state == "rejected"
    assert "fewer than 20 pairs" in found.reason
