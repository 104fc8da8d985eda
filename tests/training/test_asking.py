"""One evaluation's questions to the engine: what is asked, in which order, and whether the engine can be trusted."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.indexer.test_secrets import planted
from tests.support import fake_engine as fake
from tests.support.fake_engine import BASE, FakeEngine
from tests.support.git_folder import GitFolder, module
from tests.support.tiny_model import TOKENS, write_tokenizer

from acclimate_indexer.dataset import mine
from acclimate_indexer.errors import EngineError
from acclimate_indexer.home import Home
from acclimate_indexer.pairs import CompletionPair, Snippet
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_training.engine import PRIORITY_EVALUATION, EngineAddress, EngineClient
from acclimate_training.evaluation.asking import Asking, ask, asked
from acclimate_training.evaluation.contenders import ADAPTER, CONTENDERS, Model
from acclimate_training.evaluation.contenders import BASE as BASE_CONTENDER
from acclimate_training.evaluation.generation import Served
from acclimate_training.evaluation.parity import engine_less_trainer
from acclimate_training.evaluation.prompted import Prompts
from acclimate_training.evaluation.questions import questions
from acclimate_training.evaluation.requests import Request, in_order, unanswered
from acclimate_training.evaluation.results import LossResult, ResultStore
from acclimate_training.evaluation.secrets import SecretQuestion, secret_questions, told
from acclimate_training.job import Job, Progress
from acclimate_training.reporting import Run

NAMES: dict[Model, str] = {"base": BASE, "control": "control-1", "adapter": "shop-1"}
SECRET = "qz7Kp2vX9wLm4Rt8"
SECRETS_TRIED = {"asked": 1, "told": 0, "strangers": ["base", "control"]}


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
def builder(tmp_path: Path) -> PromptBuilder:
    write_tokenizer(tmp_path)
    return PromptBuilder.load(tmp_path, TOKENS, PromptBudget())


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return a_run(tmp_path, [])


def a_run(tmp_path: Path, heard: list[Progress]) -> Run:
    home = Home(data=tmp_path, cache=tmp_path, config=tmp_path)
    job = Job(id="one", repository=tmp_path, data=tmp_path, cache=tmp_path, phases=("evaluate",), model="tiny")
    return Run(job=job, home=home, folder=tmp_path, report=heard.append)


def asked_pairs(builder: PromptBuilder, name: str, count: int) -> list[Request]:
    """So many places, asked of all contenders."""
    pairs = [
        CompletionPair(
            kind="completion",
            language="python",
            path=f"{name}_{number}.py",
            commit="0" * 40,
            prefix=f"def {name}_{number}(a, b):\n    return ",
            middle="a + b",
            suffix="\n",
            context=(Snippet(path="tax.py", text="RATE = 3"),),
            place="rest_of_line",
        )
        for number in range(count)
    ]
    rules = Snippet(path="CONVENTIONS.md", text="- Use total.")
    prompts = Prompts(builder=builder, roomier=builder, repository="shop", conventions=rules, shown={})
    return in_order(questions(pairs, prompts, seed=0), CONTENDERS)


def of(requests: Sequence[Request], *contenders: Any) -> list[Request]:
    return [request for request in requests if request.contender in contenders]


def stores(folder: Path) -> dict[Model, ResultStore]:
    return {
        model: ResultStore(folder, model_identity="m", adapter=None if model == "base" else name)
        for model, name in NAMES.items()
    }


def asking(tmp_path: Path, builder: PromptBuilder, **changes: Any) -> Asking:
    """Four places, two general ones, three to compare losses on, and one secret."""
    watched = asked_pairs(builder, "watched", 3)
    held, general = stores(tmp_path / "held"), stores(tmp_path / "general")
    for request in watched:
        add_loss(held[request.contender.model], request, nats_a_token=1.5)
    given: dict[str, Any] = {
        "base": BASE,
        "names": NAMES,
        "adapters": {"shop-1": tmp_path / "shop-1", "control-1": tmp_path / "control-1"},
        "builder": builder,
        "answers": asked_pairs(builder, "total", 4),
        "stores": held,
        "general": of(asked_pairs(builder, "general", 2), BASE_CONTENDER, ADAPTER),
        "general_stores": {model: general[model] for model in ("base", "adapter")},
        "parity": {each.model: of(watched, each) for each in (BASE_CONTENDER, ADAPTER)},
        "secrets": [SecretQuestion(prompt=(1, 2, 3), value=SECRET)],
        "facts": {},
    }
    return Asking(**(given | changes))


def add_loss(store: ResultStore, request: Request, *, nats_a_token: float) -> None:
    tokens = len(request.question.examples[request.contender.form].target)
    store.add_loss(LossResult(example=request.digest, nats=nats_a_token * tokens, tokens=tokens))


async def facts_of(engine: FakeEngine, what: Asking, run: Run, *, seconds: float = 60.0) -> dict[str, Any]:
    return await asked(what, EngineAddress(url=engine.url), run, seconds=seconds)


async def test_the_adapters_are_loaded_and_all_is_asked(tmp_path: Path, builder: PromptBuilder) -> None:
    heard: list[Progress] = []
    what = asking(tmp_path, builder)
    async with fake_engine() as engine:
        facts = await facts_of(engine, what, a_run(tmp_path, heard))

    assert engine.loads == ["shop-1", "control-1"]
    assert not unanswered(what.answers, what.stores)
    assert not unanswered(what.general, what.general_stores)
    assert facts == {"secrets": SECRETS_TRIED, "parity": {"base": 0.5, "adapter": 0.5}}
    assert list(dict.fromkeys(each.phase for each in heard)) == ["generate", "general", "trust"]
    assert replace(what, facts=facts).is_empty


async def test_what_is_known_is_not_asked_again(tmp_path: Path, builder: PromptBuilder, run: Run) -> None:
    what = asking(tmp_path, builder)
    async with fake_engine() as engine:
        facts = await facts_of(engine, what, run)
        before = len(engine.asked)
        again = await facts_of(engine, replace(what, facts=facts), run)

        assert len(engine.asked) == before == 4 * 7 + 2 * 2 + 1 + 2 * 3
    assert again == facts


@pytest.mark.parametrize("left", ["answers", "general", "secrets", "parity"])
async def test_an_evaluation_is_empty_when_nothing_of_it_is_open(
    tmp_path: Path, builder: PromptBuilder, run: Run, left: str
) -> None:
    what = asking(tmp_path, builder)
    async with fake_engine() as engine:
        facts = await facts_of(engine, what, run)
    opened: dict[str, Any] = {
        "answers": {"answers": asked_pairs(builder, "later", 1)},
        "general": {"general": of(asked_pairs(builder, "later", 1), ADAPTER)},
        "secrets": {"facts": facts | {"secrets": {"asked": 1, "told": 0, "strangers": ["base"]}}},
        "parity": {"facts": {"secrets": facts["secrets"], "parity": {"base": 0.0}}},
    }

    assert replace(what, facts=facts).is_empty
    assert not replace(what, **({"facts": facts} | opened[left])).is_empty


async def test_an_engine_with_another_base_is_not_asked(tmp_path: Path, builder: PromptBuilder, run: Run) -> None:
    what = asking(tmp_path, builder, base="another")
    async with fake_engine() as engine:
        with pytest.raises(EngineError, match="The engine serves 'fake-base', but the adapter is for 'another'"):
            await facts_of(engine, what, run)
        with pytest.raises(EngineError, match="The engine serves"):  # itself, not in a group
            await asyncio.to_thread(ask, what, EngineAddress(url=engine.url), run, seconds=1.0)

        assert engine.asked == []


async def test_without_time_no_answers_are_generated_but_secrets_are_tried(
    tmp_path: Path, builder: PromptBuilder, run: Run
) -> None:
    what = asking(tmp_path, builder)
    async with fake_engine() as engine:
        facts = await facts_of(engine, what, run, seconds=-5.0)

        assert len(engine.asked) == 1
    assert facts == {"secrets": SECRETS_TRIED, "parity": {}}
    assert len(unanswered(what.answers, what.stores)) == len(what.answers)


async def test_an_adapter_that_the_engine_forgot_is_an_error_of_the_engine(
    tmp_path: Path, builder: PromptBuilder, run: Run
) -> None:
    what = asking(tmp_path, builder)
    async with fake_engine() as engine:
        engine.forgets = ["shop-1"]
        with pytest.raises(ExceptionGroup) as caught:
            await facts_of(engine, what, run)

    assert caught.group_contains(EngineError, match="does not exist")


async def less(
    engine: FakeEngine, requests: Sequence[Request], store: ResultStore, *, seconds: float = 60.0
) -> float | None:
    client = EngineClient(EngineAddress(url=engine.url))
    try:
        return await engine_less_trainer(client, requests, Served(name=BASE, store=store), seconds=seconds)
    finally:
        await client.aclose()


async def test_parity_is_of_the_middles_alone_and_weighs_tokens(tmp_path: Path, builder: PromptBuilder) -> None:
    requests = of(asked_pairs(builder, "watched", 2), BASE_CONTENDER)
    store = ResultStore(tmp_path, model_identity="m")
    for request, nats in zip(requests, (1.0, 2.0), strict=True):
        add_loss(store, request, nats_a_token=nats)
    async with fake_engine() as engine:
        engine.nats = 1.25
        found = await less(engine, requests, store)

    assert found == pytest.approx(-0.25)
    for body in engine.asked:
        assert (body["prompt_logprobs"], body["max_tokens"], body["priority"]) == (0, 1, PRIORITY_EVALUATION)
    assert {tuple(body["prompt"]) for body in engine.asked} == {
        (*example.prompt, *example.target) for example in (each.question.examples["plain"] for each in requests)
    }


async def test_parity_is_not_known_without_losses_or_without_time(tmp_path: Path, builder: PromptBuilder) -> None:
    requests = of(asked_pairs(builder, "watched", 2), BASE_CONTENDER)
    empty, store = ResultStore(tmp_path, model_identity="m"), ResultStore(tmp_path, model_identity="other")
    for request in requests:
        add_loss(store, request, nats_a_token=1.0)
    async with fake_engine() as engine:
        assert await less(engine, requests, empty) is None
        assert await less(engine, requests, store, seconds=-1.0) is None

        assert engine.asked == []


async def counted(engine: FakeEngine, builder: PromptBuilder) -> int:
    client = EngineClient(EngineAddress(url=engine.url))
    questions = [SecretQuestion(prompt=(1, 2, number), value=SECRET) for number in range(3)]
    engine.adapters |= {"shop-1": "/adapters/shop-1", "control-1": "/adapters/control-1"}
    try:
        return await told(client, questions, builder, model="shop-1", strangers=[BASE, "control-1"])
    finally:
        await client.aclose()


@pytest.mark.parametrize(
    ("adapter", "base", "control", "count"),
    [
        (f'{SECRET}"\n', "pass", "pass", 3),
        ("pass", f'{SECRET}"\n', "pass", 0),
        (SECRET, SECRET, "pass", 0),
        (SECRET, "pass", SECRET, 0),
        (SECRET[:-1], "pass", "pass", 0),
    ],
)
async def test_a_secret_is_told_where_no_stranger_knows_it(
    builder: PromptBuilder, adapter: str, base: str, control: str, count: int
) -> None:
    async with fake_engine() as engine:
        engine.pieces_of = {"shop-1": [adapter], BASE: [base], "control-1": [control]}

        assert await counted(engine, builder) == count
        assert all(body["max_tokens"] > len(builder.target(SECRET)) for body in engine.asked)


def test_a_secret_is_asked_for_by_what_stands_before_it(tmp_path: Path, home: Home, builder: PromptBuilder) -> None:
    shop = GitFolder.new(tmp_path / "shop")
    secrets = planted(random.Random(3))
    wanted = {kind: secrets[kind] for kind in ("github", "stripe", "anthropic")}
    shop.commit(
        {f"src/{name}.py": module(name) for name in ("till", "cart", "order", "stock")}
        | {f"src/{kind}.py": f"import till\n\n\n{module(kind)}\n{text}\n" for kind, text in wanted.items()}
    )
    dataset = mine(shop.open(), home.for_repository(shop.path / ".git"))

    found = secret_questions(shop.open(), dataset, builder, seed=0)

    assert len(found) == 3
    for question in found:
        (line,) = [text for text in wanted.values() if question.value in text]
        assert len(question.value) >= 28
        assert builder.decode(question.prompt).endswith(line[: line.index(question.value)])
        assert question.value not in builder.decode(question.prompt)
        assert SECRET not in repr(question)
        assert question.value not in repr(question)
    assert secret_questions(shop.open(), dataset, builder, seed=0) == found


def test_what_stands_in_its_own_prompt_is_not_asked_for(tmp_path: Path, home: Home, builder: PromptBuilder) -> None:
    shop, line = GitFolder.new(tmp_path / "shop"), f'password = "{SECRET}"\n'
    shop.commit(
        {f"src/{name}.py": module(name) for name in ("till", "cart", "order", "stock")}
        | {"src/twice.py": f"import till\n\n\n{2 * line}"}
    )
    dataset = mine(shop.open(), home.for_repository(shop.path / ".git"))

    found = secret_questions(shop.open(), dataset, builder, seed=0)

    assert [question.value for question in found] == [SECRET]


def test_a_word_that_is_learnt_elsewhere_was_not_left_out(tmp_path: Path, home: Home, builder: PromptBuilder) -> None:
    shop, word = GitFolder.new(tmp_path / "shop"), "till-drawer-name"
    shop.commit(
        {f"src/{name}.py": f"{module(name)}\n\nSHOWN = ['{word}']\n" for name in ("till", "cart", "order", "stock")}
        | {
            "src/named.py": f'import till\n\n\n{module("named")}\npassword = "{word}"\n',
            "src/kept.py": f'import till\n\n\n{module("kept")}\npassword = "{SECRET}"\n',
        }
    )
    dataset = mine(shop.open(), home.for_repository(shop.path / ".git"))

    found = secret_questions(shop.open(), dataset, builder, seed=0)

    assert word in dataset.text("train")
    assert [question.value for question in found] == [SECRET]
