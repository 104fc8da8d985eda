"""Asking an engine for answers: what is asked, when it ends, and what happens when the engine does not answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support import fake_engine as fake
from tests.support.fake_engine import BASE, FakeEngine
from tests.support.tiny_model import TOKENS, write_manifest, write_tokenizer

from acclimate_indexer.errors import EngineUnavailable
from acclimate_indexer.models import LocalModel
from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_training.engine import PRIORITY_EVALUATION, EngineAddress, EngineClient
from acclimate_training.evaluation.generation import MAX_TOKENS, Contender, generate_answers, wait_until_healthy
from acclimate_training.evaluation.heldout import HeldOut
from acclimate_training.evaluation.results import ResultStore
from acclimate_training.evaluation.sample import Question, questions
from acclimate_training.lineage import Setting
from acclimate_training.recipe import Recipe
from acclimate_training.registry import Adapter


@asynccontextmanager
async def fake_engine() -> AsyncIterator[FakeEngine]:
    """A fake engine that ends when it has seen every client hang up: its sockets are closed then."""
    async with fake.fake_engine() as engine:
        others = asyncio.all_tasks()
        yield engine
        if connections := asyncio.all_tasks() - others:
            await asyncio.wait(connections, timeout=5.0)
        await asyncio.sleep(0.01)


@pytest.fixture
def local(tmp_path: Path) -> LocalModel:
    folder = tmp_path / "model"
    folder.mkdir()
    write_tokenizer(folder)
    return write_manifest(folder, BASE)


@pytest.fixture
def builder(local: LocalModel) -> PromptBuilder:
    return PromptBuilder.load(local.folder, TOKENS, PromptBudget())


@pytest.fixture
def asked(builder: PromptBuilder) -> list[Question]:
    pairs = [
        CompletionPair(
            kind="completion",
            language="python",
            path=f"shop_{number}.py",
            commit="0" * 40,
            prefix=f"def total_{number}(a, b):\n    return ",
            middle="a + b",
            suffix="\n",
            place="rest_of_line",
        )
        for number in range(6)
    ]
    return questions(pairs, builder, repository="shop", seed=0, at_most=100)


def contenders(folder: Path) -> list[Contender]:
    return [
        Contender(served_as=BASE, store=ResultStore(folder, model_identity="m")),
        Contender(served_as="shop-1", store=ResultStore(folder, model_identity="m", adapter="shop-1")),
    ]


async def ask(
    engine: FakeEngine, asked: list[Question], folder: Path, builder: PromptBuilder, *, seconds: float = 60.0
) -> list[Contender]:
    client = EngineClient(EngineAddress(url=engine.url))
    engine.adapters["shop-1"] = "/adapters/shop-1"
    found = contenders(folder)
    try:
        await generate_answers(client, asked, found, builder=builder, seconds=seconds, report=lambda _done, _left: None)
    finally:
        await client.aclose()
    return found


async def test_every_contender_is_asked_every_question_once(
    tmp_path: Path, asked: list[Question], builder: PromptBuilder
) -> None:
    async with fake_engine() as engine:
        engine.pieces = ["a +", " b"]
        found = await ask(engine, asked, tmp_path, builder)
        await ask(engine, asked, tmp_path, builder)

    assert len(engine.asked) == 2 * len(asked)
    assert {body["model"] for body in engine.asked} == {BASE, "shop-1"}
    assert all(body["max_tokens"] == MAX_TOKENS for body in engine.asked)
    assert all(body["stop_token_ids"] == list(builder.stop_ids) for body in engine.asked)
    assert any(body.get("priority") == PRIORITY_EVALUATION for body in engine.asked)
    for contender in found:
        assert {answer.text for answer in contender.store.generations.values()} == {"a + b"}
        assert all(answer.stopped for answer in contender.store.generations.values())


async def test_an_answer_that_goes_on_is_ended_as_the_server_ends_it(
    tmp_path: Path, asked: list[Question], builder: PromptBuilder
) -> None:
    async with fake_engine() as engine:
        engine.pieces = ["a + b", "\n", "def more():", " pass"] * 20
        engine.pause_seconds = 0.01
        base, _ = await ask(engine, asked, tmp_path, builder)

    answers = list(base.store.generations.values())
    assert len(answers) == len(asked)
    assert all(answer.text.startswith("a + b\n") and len(answer.text) < 60 for answer in answers)
    assert not any(answer.stopped for answer in answers)


async def test_an_answer_up_to_the_limit_did_not_stop_by_itself(
    tmp_path: Path, asked: list[Question], builder: PromptBuilder
) -> None:
    async with fake_engine() as engine:
        engine.pieces = ["qz" * MAX_TOKENS]
        base, _ = await ask(engine, asked, tmp_path, builder)

    assert not any(answer.stopped for answer in base.store.generations.values())


async def test_nothing_is_asked_when_the_time_is_up(
    tmp_path: Path, asked: list[Question], builder: PromptBuilder
) -> None:
    async with fake_engine() as engine:
        await ask(engine, asked, tmp_path, builder, seconds=-1.0)

    assert engine.asked == []


async def test_an_engine_that_never_gets_ready_is_given_up() -> None:
    async with fake_engine() as engine:
        engine.is_healthy = False
        client = EngineClient(EngineAddress(url=engine.url))

        waited: list[float] = []
        with pytest.raises(EngineUnavailable, match="is not ready after 0 s"):
            await wait_until_healthy(client, seconds=0.0, on_wait=waited.append)
        await client.aclose()

        assert len(waited) == 1


def held_out(asked: list[Question], folder: Path) -> HeldOut:
    base, adapter = contenders(folder)
    return HeldOut(split="test", questions=asked, base=base.store, adapter=adapter.store, seed=0)


def setting(model: LocalModel, builder: PromptBuilder) -> Setting:
    nothing: Any = None  # the data set: generation does not look at it
    return Setting(
        repository="shop",
        dataset=nothing,
        model=model,
        recipe=Recipe(),
        builder=builder,
        device="cpu",
        minutes=1.0,
        max_pairs=None,
        seed=0,
    )


async def generated(measured: HeldOut, engine: FakeEngine, used: Setting) -> str | None:
    """In a thread, since `generate` runs an event loop of its own."""
    adapter = Adapter(version="shop-1", folder=Path("/adapters/shop-1"), record={})
    address = EngineAddress(url=engine.url)
    return await asyncio.to_thread(
        lambda: measured.generate(
            address, used, adapter, seconds=60.0, report=lambda _done, _of, _left: None, on_wait=lambda _: None
        )
    )


async def test_the_adapter_is_loaded_before_it_is_asked(
    tmp_path: Path, asked: list[Question], local: LocalModel, builder: PromptBuilder
) -> None:
    measured = held_out(asked, tmp_path)
    async with fake_engine() as engine:
        problem = await generated(measured, engine, setting(local, builder))

    assert problem is None
    assert engine.loads == ["shop-1"]
    assert not measured.has_unanswered_questions
    assert measured.table().contenders["adapter"]["n"] == len(asked)


async def test_an_engine_that_refuses_is_a_sentence_and_what_was_answered_stays(
    tmp_path: Path, asked: list[Question], local: LocalModel, builder: PromptBuilder
) -> None:
    measured = held_out(asked, tmp_path)
    async with fake_engine() as engine:
        engine.forgets = ["shop-1"]
        problem = await generated(measured, engine, setting(local, builder))

    assert problem is not None and "does not exist" in problem
    assert measured.has_unanswered_questions


async def test_an_engine_with_another_base_is_not_asked(
    tmp_path: Path, asked: list[Question], local: LocalModel, builder: PromptBuilder
) -> None:
    other = write_manifest(local.folder, "another")
    async with fake_engine() as engine:
        problem = await generated(held_out(asked, tmp_path), engine, setting(other, builder))

    assert problem == f"The engine serves {BASE!r}, but the adapter is for 'another'."
    assert engine.asked == []
