"""Which adapters there are, what is known of them, and which one is in use."""

import json
import logging
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.adapter_folder import publish, record, write_peft_folder

from acclimate_indexer.errors import AdapterError
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.prompts import PromptBudget
from acclimate_training.adapter_files import LINEAGE, WEIGHTS
from acclimate_training.registry import AdapterRegistry

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
TRIAL = {"state": "trial", "reason": "lower"}
REJECTED = {"state": "rejected", "reason": "Held-out loss rose."}
PROMOTED = {"state": "promoted", "reason": "Better by 3 points."}


@pytest.fixture
def home(tmp_path: Path) -> RepositoryHome:
    return RepositoryHome(root=tmp_path / "shop-12345678")


@pytest.fixture
def registry(home: RepositoryHome) -> AdapterRegistry:
    return AdapterRegistry(home)


def live(registry: AdapterRegistry) -> str | None:
    adapter = registry.live()
    return None if adapter is None else adapter.version


def published_pointer(home: RepositoryHome) -> str | None:
    version: str | None = json.loads(home.live.read_text(encoding="utf-8"))["version"]
    return version


def actions(registry: AdapterRegistry) -> list[str]:
    return [event.action for event in registry.history()]


# What there is.


def test_a_published_adapter_can_be_taken_into_use(home: RepositoryHome, registry: AdapterRegistry) -> None:
    version = registry.new_version("shop", NOW)
    publish(registry, version)
    registry.set_live(version)

    found = registry.live()
    assert version.startswith("shop-20260501T120000-")
    assert found is not None
    assert (found.version, found.state, found.base_identity) == (version, "trial", "tiny@0+original")
    assert found.prompt_budget == PromptBudget()
    assert found.folder == home.adapters / version
    assert published_pointer(home) == version


def test_a_half_written_adapter_is_never_live(home: RepositoryHome, registry: AdapterRegistry) -> None:
    write_peft_folder(registry.partial("shop-1"))
    (home.adapters / "shop-2").mkdir()
    home.live.write_text('{"schema": 1, "version": "shop-2"}', encoding="utf-8")

    assert registry.versions() == []
    assert registry.live() is None
    with pytest.raises(AdapterError, match="No adapter is called 'shop-2'"):
        registry.set_live("shop-2")


def test_a_damaged_lineage_is_no_adapter_and_can_be_deleted(home: RepositoryHome, registry: AdapterRegistry) -> None:
    publish(registry, "shop-1")
    registry.set_live("shop-1")
    (home.adapters / "shop-1" / LINEAGE).write_text("{", encoding="utf-8")

    assert registry.live() is None
    assert registry.versions() == []
    with pytest.raises(AdapterError, match="cannot be read"):
        registry.get("shop-1")
    registry.delete(registry.resolve("shop"), force=True)
    with pytest.raises(AdapterError, match="No adapter is called"):
        registry.resolve("shop-1")


def test_a_version_is_never_written_twice_not_even_when_it_was_deleted(registry: AdapterRegistry) -> None:
    publish(registry, "shop-1")
    with pytest.raises(AdapterError, match="exists already"):
        publish(registry, "shop-1")
    registry.delete("shop-1")

    with pytest.raises(AdapterError, match="exists already"):
        publish(registry, "shop-1")
    assert len({registry.new_version("shop", NOW) for _ in range(20)}) > 10


@pytest.mark.parametrize("version", ["../../elsewhere", "/etc", ".partial-shop-1", ""])
def test_a_version_is_a_name_and_not_a_path(registry: AdapterRegistry, version: str) -> None:
    publish(registry, "shop-1")
    for use in (registry.get, registry.resolve, registry.delete, registry.set_live):
        with pytest.raises(AdapterError, match="No adapter is called"):
            use(version)


def test_looking_makes_nothing(home: RepositoryHome, registry: AdapterRegistry) -> None:
    assert (registry.versions(), registry.live(), registry.history()) == ([], None, [])
    assert not home.root.exists()


# What is known.


def test_what_changes_is_never_written_into_the_folder(home: RepositoryHome, registry: AdapterRegistry) -> None:
    adapter = publish(registry, "shop-1", forced=True)
    written = (adapter.folder / LINEAGE).read_bytes()
    registry.update(adapter, {"metrics": {"n": 1}})
    changed = registry.update(adapter, {"verdict": PROMOTED})

    lineage = json.loads(written)
    assert not {"verdict", "metrics", "forced", "tag"} & set(lineage)
    assert set(lineage["files"]) == {"adapter_config.json", "adapter_model.safetensors"}
    assert (adapter.folder / LINEAGE).read_bytes() == written
    assert (changed.state, changed.record["metrics"], changed.record["forced"]) == ("promoted", {"n": 1}, True)
    assert home.registry.stat().st_mode & 0o777 == 0o600


def test_what_an_earlier_version_wrote_is_read_and_taken_over(home: RepositoryHome, registry: AdapterRegistry) -> None:
    folder = write_peft_folder(home.adapters / "shop-1")
    metrics = {"split": "test"}
    (folder / LINEAGE).write_text(json.dumps(record("shop-1", metrics=metrics)), encoding="utf-8")
    home.live.write_text('{"schema": 1, "version": "shop-1"}', encoding="utf-8")

    assert (live(registry), registry.versions()[0].record["metrics"]) == ("shop-1", metrics)
    assert not home.registry.exists()
    registry.update(registry.get("shop-1"), {"verdict": PROMOTED})
    adapter = registry.get("shop-1")
    assert (live(registry), adapter.state, adapter.record["metrics"], adapter.tag) == (
        "shop-1",
        "promoted",
        metrics,
        "v1",
    )
    adapter.verify()


def lose(home: RepositoryHome) -> None:
    home.registry.unlink()


def empty(home: RepositoryHome) -> None:
    home.registry.write_bytes(b"")


def overwrite(home: RepositoryHome) -> None:
    home.registry.write_bytes(b"no database at all" * 1_000)


def damage_inside(home: RepositoryHome) -> None:
    data = bytearray(home.registry.read_bytes())
    data[5_000:] = b"x" * (len(data) - 5_000)
    home.registry.write_bytes(data)


@pytest.mark.parametrize("harm", [lose, empty, overwrite, damage_inside])
def test_without_the_registry_adapters_are_found_again_as_not_measured(
    home: RepositoryHome,
    registry: AdapterRegistry,
    caplog: pytest.LogCaptureFixture,
    harm: Callable[[RepositoryHome], None],
) -> None:
    for number in (1, 2):
        publish(registry, f"shop-{number}", verdict=PROMOTED)
    registry.set_live("shop-2")
    harm(home)
    before = {path.name for path in home.root.iterdir() if "damaged" in path.name}
    with caplog.at_level(logging.WARNING):
        found = registry.versions()
        registry.set_live("shop-1")

    assert [adapter.version for adapter in found] == ["shop-1", "shop-2"]
    assert {adapter.state for adapter in found} == {"rejected"}
    assert "Not measured" in found[0].reason
    assert live(registry) == "shop-1"
    assert [event.version for event in registry.history()] == ["shop-2", "shop-1"]  # the pointer's copy was there
    assert "judges them anew" in caplog.text
    aside = {path.name for path in home.root.iterdir() if "damaged" in path.name} - before
    assert len(aside) == (0 if harm is lose else 1)


def test_a_registry_of_a_newer_version_is_left_alone(home: RepositoryHome, registry: AdapterRegistry) -> None:
    publish(registry, "shop-1")
    with closing(sqlite3.connect(home.registry)) as connection:
        connection.execute("PRAGMA user_version = 99")

    with pytest.raises(AdapterError, match="has schema 99"):
        registry.versions()


def test_every_adapter_has_a_tag_and_is_found_by_it(registry: AdapterRegistry) -> None:
    for number in (1, 2):
        publish(registry, f"shop-{number}x")
    registry.tag("shop-2x", "good")

    assert [adapter.tag for adapter in registry.versions()] == ["v1", "good"]
    assert [registry.resolve(text) for text in ("v1", "good", "shop-2", "shop-2x")] == ["shop-1x", *["shop-2x"] * 3]
    with pytest.raises(AdapterError, match="begins 2 versions"):
        registry.resolve("shop")
    with pytest.raises(AdapterError, match="No adapter is called 'v2'"):
        registry.resolve("v2")
    with pytest.raises(AdapterError, match="'good' is the tag of 'shop-2x'"):
        registry.tag("shop-1x", "good")
    with pytest.raises(AdapterError, match="is no tag"):
        registry.tag("shop-1x", "auto")
    assert registry.tag("shop-2x", None).tag is None
    assert registry.tag("shop-1x", "good").tag == "good"


@pytest.mark.parametrize("name", [WEIGHTS, "adapter_config.json", LINEAGE])
def test_a_changed_file_is_corrupt(registry: AdapterRegistry, name: str) -> None:
    publish(registry, "shop-1").verify()
    file = registry.get("shop-1").folder / name
    file.write_bytes(file.read_bytes() + b" ")

    with pytest.raises(AdapterError, match=rf"corrupt: '{name}'.*acclimate adapters delete shop-1.*train again"):
        registry.get_verified("shop-1")


def test_a_missing_file_is_corrupt(registry: AdapterRegistry) -> None:
    (publish(registry, "shop-1").folder / WEIGHTS).unlink()

    with pytest.raises(AdapterError, match=f"corrupt: '{WEIGHTS}'"):
        registry.get_verified("shop-1")


def test_pickles_are_refused_wherever_they_come_from(registry: AdapterRegistry) -> None:
    folder = write_peft_folder(registry.partial("shop-1"))
    (folder / "adapter_model.bin").write_bytes(b"x")
    with pytest.raises(AdapterError, match="only safetensors"):
        registry.publish(folder, record("shop-1"))
    adapter = publish(registry, "shop-2")
    (adapter.folder / "adapter_model.pt").write_bytes(b"x")

    with pytest.raises(AdapterError, match="only safetensors"):
        adapter.verify()


# Which one is in use.


def test_going_back_moves_the_pointer(home: RepositoryHome, registry: AdapterRegistry) -> None:
    publish(registry, "shop-1")
    publish(registry, "shop-2", created="2026-05-02T00:00:00+00:00")
    registry.set_live("shop-2")
    registry.set_live("shop-1", "It was better.")

    assert live(registry) == "shop-1"
    assert [adapter.version for adapter in registry.versions()] == ["shop-1", "shop-2"]
    registry.set_live(None)
    assert (live(registry), published_pointer(home)) == (None, None)
    assert [(event.from_version, event.version, event.reason) for event in registry.history()] == [
        (None, "shop-2", ""),
        ("shop-2", "shop-1", "It was better."),
        ("shop-1", None, ""),
    ]


def test_a_copy_of_the_pointer_that_was_left_behind_is_brought_up_to_date(
    home: RepositoryHome, registry: AdapterRegistry
) -> None:
    publish(registry, "shop-1")
    registry.set_live("shop-1")
    home.live.unlink()

    assert (live(registry), published_pointer(home)) == ("shop-1", "shop-1")


def test_a_verdict_is_followed_at_once(registry: AdapterRegistry) -> None:
    first, second = (publish(registry, f"shop-{number}", verdict=REJECTED) for number in (1, 2))
    used = []
    for adapter, verdict in ((first, PROMOTED), (second, TRIAL), (second, PROMOTED), (second, REJECTED)):
        registry.judge(adapter, {"verdict": verdict, "metrics": {"split": "test"}})
        used.append(live(registry))

    assert used == ["shop-1", "shop-2", "shop-2", "shop-1"]
    assert actions(registry) == ["promote", "trial", "promote", "reject", "rollback"]
    assert registry.get("shop-2").record["metrics"] == {"split": "test"}
    assert registry.history()[-1].reason == REJECTED["reason"]


def test_rollback_goes_to_what_was_in_use_before(registry: AdapterRegistry) -> None:
    for number in (1, 2, 3):
        publish(registry, f"shop-{number}", created=f"2026-05-0{number}T00:00:00+00:00")
        registry.set_live(f"shop-{number}")
    found = registry.rollback("Fewer completions were accepted.")

    assert found is not None and found.version == live(registry) == "shop-2"
    third = registry.get("shop-3")
    assert (third.is_withdrawn, third.reason) == (True, "Withdrawn: Fewer completions were accepted.")
    assert (third.state, third.may_be_used) == ("trial", False)
    newest = registry.newest_usable()
    assert newest is not None and newest.version == "shop-2"
    event = registry.history()[-1]
    assert (event.action, event.version, event.from_version) == ("rollback", "shop-2", "shop-3")
    assert event.reason == "Fewer completions were accepted."


def test_rollback_passes_over_what_may_not_return(registry: AdapterRegistry) -> None:
    publish(registry, "whole")
    publish(registry, "rejected")
    publish(registry, "withdrawn")
    publish(registry, "damaged")
    publish(registry, "deleted")
    publish(registry, "other", base={"name": "other", "identity": "other@1+original"})
    publish(registry, "bad")
    for version in ("whole", "rejected", "withdrawn", "damaged", "deleted", "other", "bad"):
        registry.set_live(version)
    registry.update(registry.get("rejected"), {"verdict": REJECTED})
    registry.withdraw("withdrawn", "It made things up.")
    (registry.get("damaged").folder / WEIGHTS).write_bytes(b"")
    registry.delete("deleted")

    found = registry.rollback("Bad.")
    assert found is not None and found.version == "whole"
    assert registry.rollback("Bad, too.") is None
    assert live(registry) is None
    with pytest.raises(AdapterError, match="No adapter is in use"):
        registry.rollback("Still bad.")


def test_of_two_who_watch_one_rolls_back(registry: AdapterRegistry) -> None:
    for number in (1, 2, 3):
        publish(registry, f"shop-{number}")
        registry.set_live(f"shop-{number}")
    registry.rollback("Bad.", of="shop-3")
    again = registry.rollback("Bad.", of="shop-3")

    assert again is not None and again.version == live(registry) == "shop-2"
    assert not registry.get("shop-2").is_withdrawn
    assert actions(registry).count("rollback") == 1


def test_what_was_withdrawn_comes_back_by_hand_only(registry: AdapterRegistry) -> None:
    adapter = publish(registry, "shop-1")
    registry.set_live("shop-1")
    assert registry.withdraw("shop-1", "Held-out loss rose on newer code.") is None
    registry.judge(adapter, {"verdict": TRIAL})
    assert (live(registry), registry.newest_usable()) == (None, None)
    promoted = registry.promote("shop-1", "I like it.")

    assert (live(registry), promoted.is_withdrawn) == ("shop-1", False)
    assert (promoted.state, promoted.record["forced"]) == ("promoted", True)
    assert promoted.reason == "Promoted by hand: I like it."


def test_what_the_gate_promoted_was_not_forced(registry: AdapterRegistry) -> None:
    adapter = registry.update(publish(registry, "shop-1"), {"verdict": PROMOTED})
    promoted = registry.promote(adapter.version, "The gate says so.")

    assert (promoted.record["forced"], promoted.reason) == (False, PROMOTED["reason"])


def test_what_is_damaged_is_not_promoted(registry: AdapterRegistry) -> None:
    (publish(registry, "shop-1").folder / WEIGHTS).write_bytes(b"")

    with pytest.raises(AdapterError, match="corrupt"):
        registry.promote("shop-1", "I like it.")
    assert (live(registry), registry.history()) == (None, [])


def test_what_is_in_use_is_not_deleted_unless_forced(home: RepositoryHome, registry: AdapterRegistry) -> None:
    folder = publish(registry, "shop-1").folder
    registry.set_live("shop-1")
    with pytest.raises(AdapterError, match="is in use"):
        registry.delete("shop-1")
    registry.delete("shop-1", force=True)

    assert (live(registry), published_pointer(home), registry.versions()) == (None, None, [])
    assert not folder.exists()
    assert list(home.adapters.iterdir()) == []


def test_what_was_interrupted_is_removed_but_not_an_import_that_runs(
    home: RepositoryHome, registry: AdapterRegistry
) -> None:
    publish(registry, "shop-1")
    registry.partial("shop-2")
    for name in (".incoming-now", ".incoming-old", ".deleted-shop-0"):
        (home.adapters / name).mkdir()
    two_days_ago = time.time() - 2 * 86_400
    os.utime(home.adapters / ".incoming-old", (two_days_ago, two_days_ago))
    registry.remove_partials()

    assert sorted(path.name for path in home.adapters.iterdir()) == [".incoming-now", "shop-1"]


def test_the_registry_lets_others_read_while_one_writes(home: RepositoryHome, registry: AdapterRegistry) -> None:
    publish(registry, "shop-1")
    with closing(sqlite3.connect(home.registry)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_history_is_only_added_to(home: RepositoryHome, registry: AdapterRegistry) -> None:
    publish(registry, "shop-1")
    registry.set_live("shop-1")
    with closing(sqlite3.connect(home.registry)) as connection:
        for statement in ("DELETE FROM history", "UPDATE history SET reason = 'other'"):
            with pytest.raises(sqlite3.IntegrityError, match="only added to"):
                connection.execute(statement)

    assert datetime.fromisoformat(registry.history()[0].at).tzinfo == UTC
