"""Reviews of held-out code: what is asked of whom, what is kept, and where a stopped evaluation goes on."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support import fake_engine as fake
from tests.support.fake_engine import BASE, FakeEngine
from tests.support.tiny_model import TOKENS, write_tokenizer

from acclimate_indexer.languages.registry import language_named
from acclimate_indexer.mining.conventions.record import Conventions
from acclimate_indexer.pairs import ReviewComment, ReviewPair
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_indexer.review_answer import answer_text
from acclimate_training.engine import PRIORITY_EVALUATION, EngineAddress, EngineClient
from acclimate_training.evaluation.contenders import Model
from acclimate_training.evaluation.generation import Served
from acclimate_training.evaluation.results import ResultStore
from acclimate_training.evaluation.reviews.asking import MIN_CLEAN, ask_reviews, unasked, unpursued
from acclimate_training.evaluation.reviews.judged import Reviewed
from acclimate_training.evaluation.reviews.questions import ReviewQuestion
from acclimate_training.reviewing.prompts import CLEAN_EXAMPLES, TASK, ReviewPrompts

PYTHON = language_named("python")
SAID = ReviewComment(
    line=2, severity="critical", message="The sum is not returned", suggestion="    return sum(prices)"
)
COMMENTS, SILENT = {'{"': -0.1, "null": -2.3}, {"null": -0.01, '{"': -4.7}


def pair(number: int, comment: ReviewComment | None = None, *, language: str = "python") -> ReviewPair:
    body = "sum(prices)" if comment else "return sum(prices)"
    return ReviewPair(
        language=language,
        path=f"shop/part_{number}.py",
        commit="1" * 40,
        hunk=f"def total_{number}(prices):\n    {body}",
        comment=comment,
        source="fix" if comment else "ordinary",
    )


@pytest.fixture
def builder(tmp_path: Path) -> PromptBuilder:
    write_tokenizer(tmp_path)
    return PromptBuilder.load(tmp_path, TOKENS, PromptBudget(prefix=200, suffix=100, context=600))


@pytest.fixture
def base(builder: PromptBuilder) -> ReviewPrompts:
    trained_on = [pair(90), pair(91), pair(92), pair(93, SAID), pair(94, SAID), pair(95, SAID), pair(96, language="go")]
    return ReviewPrompts.of_base(
        builder, repository="shop", trained_on=trained_on, conventions=Conventions(), rules="Never divide."
    )


@pytest.fixture
def questions(builder: PromptBuilder, base: ReviewPrompts) -> list[ReviewQuestion]:
    """One hunk with a fault among clean ones."""
    assert PYTHON is not None
    adapter = ReviewPrompts.of_adapter(builder, repository="shop")
    pairs = [*(pair(number) for number in range(MIN_CLEAN)), pair(MIN_CLEAN, SAID)]
    return [ReviewQuestion(pair=each, language=PYTHON, prompts={"adapter": adapter, "base": base}) for each in pairs]


@asynccontextmanager
async def engine_with_adapter() -> AsyncIterator[tuple[FakeEngine, EngineClient]]:
    async with fake.fake_engine() as engine:
        engine.adapters["shop-1"] = "somewhere"
        engine.pieces = [answer_text(SAID)]
        client = EngineClient(EngineAddress(url=engine.url))
        yield engine, client
        await client.aclose()
        await engine.left_alone()


def stores_in(folder: Path) -> dict[Model, ResultStore]:
    return {
        "adapter": ResultStore(folder, model_identity="tiny@1", adapter="shop-1"),
        "base": ResultStore(folder, model_identity="tiny@1"),
    }


async def asked(
    client: EngineClient,
    questions: Sequence[ReviewQuestion],
    stores: dict[Model, ResultStore],
    builder: PromptBuilder,
    *,
    seconds: float = 60.0,
) -> None:
    names: dict[Model, str] = {"adapter": "shop-1", "base": BASE}
    served = {model: Served(name=names[model], store=store) for model, store in stores.items()}
    await ask_reviews(client, questions, served, stop_ids=builder.stop_ids, seconds=seconds, report=lambda *_: None)


async def test_only_the_likeliest_hunks_are_pursued(
    builder: PromptBuilder, questions: list[ReviewQuestion], tmp_path: Path
) -> None:
    stores: dict[Model, ResultStore] = {"adapter": stores_in(tmp_path)["adapter"]}
    async with engine_with_adapter() as (engine, client):
        engine.likeliest = [*[SILENT] * 5, *[{"null": -0.1, '{"': -2.4}] * 5, COMMENTS, SILENT]
        await asked(client, questions, stores, builder)

    said = [each for each in engine.asked if "structured_outputs" in each]
    pursued = [each for each in stores["adapter"].reviews.values() if each.text]
    assert len(pursued) == len(said)
    assert 0 < len(pursued) < len(questions)
    assert min(each.chance for each in pursued) >= max(
        each.chance for each in stores["adapter"].reviews.values() if not each.text
    )
    assert {each["priority"] for each in engine.asked} == {PRIORITY_EVALUATION}


async def test_nothing_is_asked_twice(builder: PromptBuilder, questions: list[ReviewQuestion], tmp_path: Path) -> None:
    async with engine_with_adapter() as (engine, client):
        engine.likeliest = [COMMENTS]
        await asked(client, questions, stores_in(tmp_path), builder)
        count = len(engine.asked)
        again = stores_in(tmp_path)
        await asked(client, questions, again, builder)

    assert len(engine.asked) == count
    assert not unasked(questions, again)
    assert not unpursued(questions, again)


async def test_a_stopped_evaluation_goes_on(
    builder: PromptBuilder, questions: list[ReviewQuestion], tmp_path: Path
) -> None:
    async with engine_with_adapter() as (engine, client):
        engine.likeliest = [COMMENTS]
        engine.dies_after = 7
        with pytest.raises(ExceptionGroup):
            await asked(client, questions, stores_in(tmp_path), builder)
    left = len(unasked(questions, stores_in(tmp_path)))
    async with engine_with_adapter() as (engine, client):
        engine.likeliest = [COMMENTS]
        await asked(client, questions, stores_in(tmp_path), builder)
        first_tokens = [each for each in engine.asked if each.get("logprobs")]

    assert 0 < left < 2 * len(questions)
    assert len(first_tokens) >= left
    assert not unasked(questions, stores_in(tmp_path))


async def test_no_time_asks_nothing(builder: PromptBuilder, questions: list[ReviewQuestion], tmp_path: Path) -> None:
    async with engine_with_adapter() as (engine, client):
        await asked(client, questions, stores_in(tmp_path), builder, seconds=-1.0)

    assert engine.asked == []


async def test_what_was_said_is_judged_on_hunks_that_both_were_asked(
    builder: PromptBuilder, questions: list[ReviewQuestion], tmp_path: Path
) -> None:
    stores = stores_in(tmp_path)
    async with engine_with_adapter() as (engine, client):
        engine.likeliest = [COMMENTS, SILENT]
        await asked(client, questions[-1:], {"adapter": stores["adapter"]}, builder)
        assert Reviewed.of(questions, stores).adapter == ()
        engine.likeliest = [SILENT]
        await asked(client, questions, stores, builder)

    found = Reviewed.of(questions, stores)

    assert len(found.adapter) == len(found.base) == len(found.everywhere) == len(questions)
    (fault,) = [each for each in found.adapter if not each.is_clean]
    assert fault.is_right
    assert fault.confidence > 0.8
    assert all(each.confidence < 0.1 for each in found.base)
    assert [each.is_right for each in found.everywhere] == [False] * MIN_CLEAN + [True]


def test_a_base_is_told_the_task_the_rules_and_shown_how_reviews_look(
    builder: PromptBuilder, base: ReviewPrompts, questions: list[ReviewQuestion]
) -> None:
    asked_of = builder.decode(base.prompt(questions[0].pair.hunk, path="shop/part_0.py", language="python"))

    assert TASK.rstrip() in asked_of
    assert "Never divide." in asked_of
    assert asked_of.count("review.json\nnull") == CLEAN_EXAMPLES
    assert asked_of.count(answer_text(SAID)) == 1
    assert asked_of.index("part_90") < asked_of.index("part_93") < asked_of.index("part_91")
    assert asked_of.endswith("shop/part_0.py.review.json\n")


def test_a_base_is_shown_no_review_of_the_file_that_it_is_asked_about(
    base: ReviewPrompts, builder: PromptBuilder
) -> None:
    asked_of = builder.decode(base.prompt("x = 1", path="shop/part_93.py", language="python"))

    assert "total_93" not in asked_of
    assert "total_94" in asked_of


def test_an_adapter_is_asked_just_as_it_was_trained(builder: PromptBuilder, questions: list[ReviewQuestion]) -> None:
    hunk = questions[0].pair.hunk

    asked_of = questions[0].prompt("adapter")(hunk)

    assert asked_of == builder.review_prompt(hunk, path="shop/part_0.py", repository="shop")
