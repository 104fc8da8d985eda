"""Asking an engine for answers: what is asked, when it ends, and what happens when the engine does not answer."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support import fake_engine as fake
from tests.support.fake_engine import BASE, FakeEngine
from tests.support.tiny_model import TOKENS, write_tokenizer

from acclimate_indexer.confidence import confidence_of
from acclimate_indexer.errors import EngineUnavailable
from acclimate_indexer.pairs import CompletionPair, Snippet
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_training.engine import PRIORITY_EVALUATION, EngineAddress, EngineClient
from acclimate_training.evaluation.contenders import CONTENDERS, Model
from acclimate_training.evaluation.generation import MAX_TOKENS, Served, generate_answers, wait_until_healthy
from acclimate_training.evaluation.prompted import Prompts
from acclimate_training.evaluation.questions import questions
from acclimate_training.evaluation.requests import Request, in_order
from acclimate_training.evaluation.results import ResultStore

NAMES: dict[Model, str] = {"base": BASE, "control": "control-1", "adapter": "shop-1"}


@asynccontextmanager
async def fake_engine() -> AsyncIterator[FakeEngine]:
    """A fake engine that ends when it has seen every client hang up: its sockets are closed then."""
    async with fake.fake_engine() as engine:
        engine.adapters |= {"control-1": "/controls/1", "shop-1": "/adapters/shop-1"}
        others = asyncio.all_tasks()
        yield engine
        if connections := asyncio.all_tasks() - others:
            await asyncio.wait(connections, timeout=5.0)
        await asyncio.sleep(0.01)


@pytest.fixture
def builder(tmp_path: Path) -> PromptBuilder:
    write_tokenizer(tmp_path)
    return PromptBuilder.load(tmp_path, TOKENS, PromptBudget())


@pytest.fixture
def asked(builder: PromptBuilder) -> list[Request]:
    """Six places, asked of all seven contenders."""
    pairs = [
        CompletionPair(
            kind="completion",
            language="python",
            path=f"shop_{number}.py",
            commit="0" * 40,
            prefix=f"def total_{number}(a, b):\n    return ",
            middle="a + b",
            suffix="\n",
            context=(Snippet(path="tax.py", text="RATE = 3"),),
            place="rest_of_line",
        )
        for number in range(6)
    ]
    rules = Snippet(path="CONVENTIONS.md", text="- Use total instead of sum.")
    prompts = Prompts(builder=builder, roomier=builder, repository="shop", conventions=rules, shown={})
    return in_order(questions(pairs, prompts, seed=0), CONTENDERS)


def servings(folder: Path) -> Mapping[Model, Served]:
    return {
        model: Served(
            name=name, store=ResultStore(folder, model_identity="m", adapter=None if model == "base" else name)
        )
        for model, name in NAMES.items()
    }


async def ask(
    engine: FakeEngine, asked: list[Request], folder: Path, builder: PromptBuilder, *, seconds: float = 60.0
) -> Mapping[Model, Served]:
    client = EngineClient(EngineAddress(url=engine.url))
    served = servings(folder)
    try:
        await generate_answers(
            client, asked, served, builder=builder, seconds=seconds, report=lambda _done, _of, _left: None
        )
    finally:
        await client.aclose()
    return served


async def test_every_contender_is_asked_every_question_once(
    tmp_path: Path, asked: list[Request], builder: PromptBuilder
) -> None:
    async with fake_engine() as engine:
        engine.pieces = ["a +", " b"]
        served = await ask(engine, asked, tmp_path, builder)
        await ask(engine, asked, tmp_path, builder)

    assert len(engine.asked) == len(asked) == 7 * 6
    assert {(body["model"], tuple(body["prompt"])) for body in engine.asked} == {
        (NAMES[each.contender.model], each.question.examples[each.contender.form].prompt) for each in asked
    }
    assert all(body["max_tokens"] == MAX_TOKENS for body in engine.asked)
    assert all(body["stop_token_ids"] == list(builder.stop_ids) for body in engine.asked)
    assert any(body.get("priority") == PRIORITY_EVALUATION for body in engine.asked)
    assert [len(each.store.generations) for each in served.values()] == [18, 12, 12]
    for each in served.values():
        assert {answer.text for answer in each.store.generations.values()} == {"a + b"}
        assert all(answer.stopped and answer.milliseconds > 0 for answer in each.store.generations.values())


async def test_what_a_prompt_costs_is_kept_with_its_answer(
    tmp_path: Path, asked: list[Request], builder: PromptBuilder
) -> None:
    async with fake_engine() as engine:
        served = await ask(engine, asked, tmp_path, builder)

    for request in asked:
        answer = served[request.contender.model].store.generations[request.digest]
        assert answer.prompt_tokens == len(request.question.examples[request.contender.form].prompt)
    lengths = {each.contender.name: len(each.question.examples[each.contender.form].prompt) for each in asked}
    assert lengths["base"] < lengths["base+retrieval"] < lengths["prompted"]


async def test_two_forms_that_are_one_prompt_are_asked_once(
    tmp_path: Path, asked: list[Request], builder: PromptBuilder
) -> None:
    bare = [replace(each.question.pair, context=()) for each in asked[:6:3]]
    prompts = Prompts(builder=builder, roomier=builder, repository="shop", conventions=None, shown={})
    async with fake_engine() as engine:
        served = await ask(engine, in_order(questions(bare, prompts, seed=0), CONTENDERS), tmp_path, builder)

    assert len(engine.asked) == len(bare) * 3
    assert [len(each.store.generations) for each in served.values()] == [len(bare)] * 3


async def test_an_answer_that_goes_on_is_ended_as_the_server_ends_it(
    tmp_path: Path, asked: list[Request], builder: PromptBuilder
) -> None:
    async with fake_engine() as engine:
        engine.pieces = ["a + b", "\n", "def more():", " pass"] * 20
        engine.pause_seconds = 0.01
        served = await ask(engine, asked, tmp_path, builder)

    answers = list(served["base"].store.generations.values())
    assert len(answers) == 18
    assert all(answer.text.startswith("a + b\n") and len(answer.text) < 60 for answer in answers)
    assert not any(answer.stopped for answer in answers)


async def test_the_confidence_in_what_is_shown_is_kept_with_an_answer(
    tmp_path: Path, asked: list[Request], builder: PromptBuilder
) -> None:
    async with fake_engine() as engine:
        engine.pieces = ["a", " + b", "\n", "def more():", " pass"]
        engine.costs = [0.5, 0.25, 3.0, 5.0, 7.0]
        engine.pause_seconds = 0.01
        served = await ask(engine, asked, tmp_path, builder)

    for each in (served["base"].store, servings(tmp_path)["base"].store):
        assert {answer.confidence for answer in each.generations.values()} == {confidence_of([0.5, 0.25])}


async def test_an_engine_that_tells_no_costs_leaves_the_confidence_open(
    tmp_path: Path, asked: list[Request], builder: PromptBuilder
) -> None:
    async with fake_engine() as engine:
        engine.pieces = ["a +", " b"]
        served = await ask(engine, asked, tmp_path, builder)

    assert {answer.confidence for answer in served["base"].store.generations.values()} == {None}


async def test_an_answer_up_to_the_limit_did_not_stop_by_itself(
    tmp_path: Path, asked: list[Request], builder: PromptBuilder
) -> None:
    async with fake_engine() as engine:
        engine.pieces = ["qz" * MAX_TOKENS]
        served = await ask(engine, asked, tmp_path, builder)

    assert not any(answer.stopped for answer in served["base"].store.generations.values())


async def test_nothing_is_asked_when_the_time_is_up(
    tmp_path: Path, asked: list[Request], builder: PromptBuilder
) -> None:
    async with fake_engine() as engine:
        await ask(engine, asked, tmp_path, builder, seconds=-1.0)

    assert engine.asked == []


async def test_progress_counts_what_was_answered_before(
    tmp_path: Path, asked: list[Request], builder: PromptBuilder
) -> None:
    heard: list[tuple[int, int]] = []
    async with fake_engine() as engine:
        served = await ask(engine, asked[:10], tmp_path, builder)
        client = EngineClient(EngineAddress(url=engine.url))
        await generate_answers(
            client, asked, served, builder=builder, seconds=60.0, report=lambda done, of, _: heard.append((done, of))
        )
        await client.aclose()

    assert heard == [(done, 42) for done in range(11, 43)]


async def test_what_was_answered_before_an_engine_refused_stays(
    tmp_path: Path, asked: list[Request], builder: PromptBuilder
) -> None:
    async with fake_engine() as engine:
        await ask(engine, asked[:9], tmp_path, builder)
        engine.forgets = ["shop-1"]
        with pytest.raises(ExceptionGroup, match="TaskGroup") as caught:
            await ask(engine, asked, tmp_path, builder)

    assert any("does not exist" in str(error) for error in caught.value.exceptions)
    assert len(servings(tmp_path)["adapter"].store.generations) == 3


async def test_an_engine_that_never_gets_ready_is_given_up() -> None:
    async with fake_engine() as engine:
        engine.is_healthy = False
        client = EngineClient(EngineAddress(url=engine.url))

        waited: list[float] = []
        with pytest.raises(EngineUnavailable, match="is not ready after 0 s"):
            await wait_until_healthy(client, seconds=0.0, on_wait=waited.append)
        await client.aclose()

        assert len(waited) == 1
