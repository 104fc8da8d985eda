"""The adapter among the reviewers: it speaks only by its own verdict, in the editor and on the command line."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from tests.conftest import MakeRepository
from tests.server.test_cli import DONE, FORESEEN, Done, acclimate
from tests.support.adapter_folder import publish
from tests.support.fake_engine import FakeEngine, fake_engine
from tests.support.lsp import Editor, connected
from tests.support.tiny_model import TINY, write_manifest, write_tokenizer

from acclimate_indexer.home import Home
from acclimate_indexer.models import MANIFEST
from acclimate_indexer.pairs import ReviewComment
from acclimate_indexer.repository import Repository
from acclimate_indexer.review_answer import answer_text
from acclimate_training.registry import AdapterRegistry

FINDINGS = 1
PATH = "shop/till.py"
BEFORE = "class Till:\n    def total(self, prices):\n        return sum(prices)\n"
AFTER = BEFORE.replace("return sum(prices)", "sum(prices)")
SAID = ReviewComment(
    line=2, severity="critical", message="The result of sum is not returned", suggestion=" " * 8 + "return sum(prices)"
)
ON = {
    "review_verdict": {"state": "on", "reason": "Half of what it says is right."},
    "calibration": {"review": {"threshold": 0.1, "least_chance": 0.0, "budget": 0.1, "n": 80}},
}
OFF = {"review_verdict": {"state": "off", "reason": "It finds no more than chance does."}}


@pytest.fixture
def shop(make_repository: MakeRepository) -> Path:
    return make_repository({PATH: BEFORE})


def registry_with(home: Home, shop: Path, **record: Any) -> AdapterRegistry:
    """One adapter in use, with this in its record."""
    folder = home.model(TINY)
    folder.mkdir(parents=True)
    write_tokenizer(folder)
    base = {"name": TINY, "identity": write_manifest(folder, TINY).identity}
    registry = AdapterRegistry(home.for_repository(Repository.open(shop).common_directory))
    publish(registry, "shop-1", base=base, **record)
    registry.set_live("shop-1")
    return registry


def speaking(engine: FakeEngine) -> None:
    """Comments on the first hunk that it sees, and is satisfied with what it suggested itself."""
    engine.pieces = [answer_text(SAID)]
    engine.likeliest = [{'{"': -0.1, "null": -2.3}, {"null": -0.01, '{"': -4.7}]


async def reviewed(shop: Path, engine: FakeEngine, *options: str) -> tuple[Done, dict[str, Any]]:
    """What the command line says of the fault."""
    (shop / PATH).write_text(AFTER, encoding="utf-8")
    speaking(engine)
    setting = f"engine.url={engine.url}"
    done = await asyncio.to_thread(acclimate, "review", "--repository", shop, "--json", "--set", setting, *options)
    return done, json.loads(done.stdout.splitlines()[-1])


def with_a_rule(shop: Path) -> None:
    """Conventions have something to say of the fault, too."""
    (shop / ".acclimate").mkdir()
    (shop / ".acclimate/review.md").write_text("- use `total_of` instead of `sum`.\n", encoding="utf-8")


@asynccontextmanager
async def saved(shop: Path) -> AsyncIterator[tuple[FakeEngine, Editor]]:
    """A document with a fault is saved while the adapter is in use; what the engine was asked before is forgotten."""
    async with fake_engine() as engine:
        speaking(engine)
        async with connected(shop, {"engine": {"url": engine.url}}) as editor:
            await editor.status_where(lambda status: status["engine"]["state"] == "ready")
            editor.open(shop / PATH, AFTER)
            await editor.inline(shop / PATH, 2, 8)
            await editor.status_where(lambda status: status["adapter"]["state"] == "in use")
            engine.asked.clear()
            editor.save(shop / PATH, types.TextDocumentSaveReason.Manual)
            yield engine, editor


async def test_an_adapter_that_was_proven_speaks_on_save(home: Home, shop: Path) -> None:
    registry_with(home, shop, **ON)
    async with saved(shop) as (engine, editor):
        (said,) = await editor.diagnostics_where(shop / PATH, bool)
        status = await editor.status_where(lambda status: status["review"]["state"] == "idle")

    assert (said.message, said.code, said.range.start.line) == (SAID.message, "model", 2)
    assert status["review"]["reviewers"]["model"] == "the adapter shop-1"
    assert all(each["model"] == "shop-1" and each["priority"] > 0 for each in engine.asked)


async def test_what_puts_everything_right_on_saving_makes_none_of_its_edits(home: Home, shop: Path) -> None:
    registry_with(home, shop, **ON)
    async with saved(shop) as (_, editor):
        await editor.diagnostics_where(shop / PATH, bool)
        (mending, *_) = await editor.actions(shop / PATH, 2)

        assert (mending.edit is not None, mending.kind, mending.is_preferred) == (True, "quickfix", False)
        assert await editor.actions(shop / PATH, 2, only="source.fixAll") == []


async def test_one_that_was_not_is_asked_nothing_and_the_status_says_why(home: Home, shop: Path) -> None:
    registry_with(home, shop, **OFF)
    async with saved(shop) as (engine, editor):
        status = await editor.status_where(lambda status: "model" in status["review"]["reviewers"])

    assert status["review"]["reviewers"]["model"] == "off: It finds no more than chance does."
    assert engine.asked == []


@pytest.mark.parametrize(("record", "code", "comments"), [(ON, FINDINGS, 1), (OFF, DONE, 0)])
async def test_the_command_line_goes_by_the_same_verdict(
    home: Home, shop: Path, record: dict[str, Any], code: int, comments: int
) -> None:
    registry_with(home, shop, **record)
    async with fake_engine() as engine:
        done, said = await reviewed(shop, engine)

    assert done.returncode == code, done.stderr
    assert [each["message"] for each in said["findings"]] == [SAID.message] * comments
    assert bool(engine.asked) == bool(comments)
    shown = acclimate("status", shop)
    assert ("Review by model: the adapter shop-1" if comments else "Review by model: off: It finds") in shown.stdout


def no_model(home: Home, registry: AdapterRegistry, engine: FakeEngine) -> str:
    shutil.rmtree(home.model(TINY))
    return "No base model is on this machine yet"


def another_model(home: Home, registry: AdapterRegistry, engine: FakeEngine) -> str:
    manifest = home.model(TINY) / MANIFEST
    told = json.loads(manifest.read_text(encoding="utf-8")) | {"source_sha256": "1" * 64}
    manifest.write_text(json.dumps(told), encoding="utf-8")
    return "The adapter shop-1 was made for"


def damaged_adapter(home: Home, registry: AdapterRegistry, engine: FakeEngine) -> str:
    (registry.get("shop-1").folder / "adapter_model.safetensors").write_bytes(b"")
    return "The adapter 'shop-1' is corrupt"


def refusing_engine(home: Home, registry: AdapterRegistry, engine: FakeEngine) -> str:
    engine.refuses = "LoRA rank 8 is greater than max_lora_rank 4."
    return "rank"


@pytest.mark.parametrize("broken", [no_model, another_model, damaged_adapter, refusing_engine])
async def test_an_adapter_that_cannot_be_asked_silences_nobody_else(
    home: Home, shop: Path, broken: Callable[[Home, AdapterRegistry, FakeEngine], str]
) -> None:
    registry = registry_with(home, shop, **ON)
    with_a_rule(shop)
    async with fake_engine() as engine:
        why = broken(home, registry, engine)
        done, said = await reviewed(shop, engine)

    assert done.returncode == FINDINGS, done.stderr
    assert [each["reviewer"] for each in said["findings"]] == ["conventions"]
    assert said["reviewers"]["model"].startswith("off: ")
    assert why in said["reviewers"]["model"]
    assert f"Review by model {said['reviewers']['model']}" in done.stderr
    assert engine.asked == []


async def test_the_adapter_that_the_settings_name_speaks(home: Home, shop: Path) -> None:
    registry = registry_with(home, shop, **ON)
    publish(registry, "shop-2", base=registry.get("shop-1").record["base"], **ON)
    async with fake_engine() as engine:
        done, said = await reviewed(shop, engine, "--set", "adapter=shop-2")

    assert (done.returncode, said["reviewers"]["model"]) == (FINDINGS, "the adapter shop-2")
    assert {each["model"] for each in engine.asked} == {"shop-2"}


@pytest.mark.parametrize(
    ("setting", "why"), [("none", "no adapter of this repository is in use"), ("shop-9", "shop-9")]
)
async def test_one_that_the_settings_rule_out_is_asked_nothing(home: Home, shop: Path, setting: str, why: str) -> None:
    registry_with(home, shop, **ON)
    async with fake_engine() as engine:
        done, said = await reviewed(shop, engine, "--set", f"adapter={setting}")

    assert (done.returncode, said["findings"], engine.asked) == (DONE, [], [])
    assert said["reviewers"]["model"].startswith("off: ")
    assert why in said["reviewers"]["model"]
    shown = json.loads(acclimate("status", shop, "--json", "--set", f"adapter={setting}").stdout.splitlines()[-1])
    assert shown["repository"]["review"]["model"] == said["reviewers"]["model"]


@pytest.mark.parametrize(("has_rule", "code"), [(False, FORESEEN), (True, FINDINGS)])
async def test_a_review_that_a_reviewer_did_not_finish_says_so(
    home: Home, shop: Path, has_rule: bool, code: int
) -> None:
    registry_with(home, shop, **ON)
    if has_rule:
        with_a_rule(shop)
    async with fake_engine() as engine:
        engine.dies_after = 0
        done, said = await reviewed(shop, engine)

    assert (done.returncode, len(said["findings"])) == (code, int(has_rule))
    assert said["reviewers"]["model"].startswith(f"failed in 1 file: {PATH}: ")
    assert f"Review by model {said['reviewers']['model']}" in done.stderr


async def test_a_team_can_switch_the_model_off(home: Home, shop: Path) -> None:
    registry_with(home, shop, **ON)
    (shop / ".acclimate").mkdir()
    (shop / ".acclimate/review.md").write_text("- off: model\n", encoding="utf-8")
    async with fake_engine() as engine:
        done, _ = await reviewed(shop, engine)
    assert done.returncode == DONE, done.stdout
