"""How a model is asked for reviews: what goes over the wire, and what becomes of its answers."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support import fake_engine as fake
from tests.support.fake_engine import BASE, FakeEngine
from tests.support.tiny_model import TOKENS, write_tokenizer

from acclimate_indexer.errors import EngineError
from acclimate_indexer.languages.registry import language_named
from acclimate_indexer.pairs import ReviewComment
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_indexer.review.finding import fixed
from acclimate_indexer.review.target import ReviewTarget, changed_lines
from acclimate_indexer.review_answer import answer_text
from acclimate_training.engine import PRIORITY_REVIEW, EngineAddress, EngineClient
from acclimate_training.reviewing.answers import COMMENT, chance_of
from acclimate_training.reviewing.reviewer import ModelReviewer

PYTHON = language_named("python")
BEFORE = '''class Till:
    def total(self, prices):
        """The sum of what is bought."""
        return sum(prices)

    def paid(self, amount):
        return amount > 0
'''
AFTER = BEFORE.replace("return sum(prices)", "sum(prices)")
SAID = ReviewComment(
    line=3, severity="critical", message="The sum is not returned", suggestion=" " * 8 + "return sum(prices)"
)
COMMENTS = {'{"': -0.1, "null": -2.3}
SILENT = {"null": -0.01, '{"': -4.7}


@pytest.fixture
def builder(tmp_path: Path) -> PromptBuilder:
    write_tokenizer(tmp_path)
    return PromptBuilder.load(tmp_path, TOKENS, PromptBudget(prefix=600, suffix=200))


@asynccontextmanager
async def reviewing(
    builder: PromptBuilder, *, threshold: float = 0.5
) -> AsyncIterator[tuple[FakeEngine, ModelReviewer]]:
    """An engine that comments once and is satisfied with its own suggestion, and who asks it."""
    async with fake.fake_engine() as engine:
        engine.pieces = [answer_text(SAID)]
        engine.likeliest = [COMMENTS, SILENT]
        client = EngineClient(EngineAddress(url=engine.url))
        yield (
            engine,
            ModelReviewer(
                client=client, builder=builder, model=BASE, repository="shop", threshold=threshold, least_chance=0.0
            ),
        )
        await client.aclose()
        await engine.left_alone()


def target(after: str = AFTER, *, path: str = "shop/till.py") -> ReviewTarget:
    assert PYTHON is not None
    return ReviewTarget(path=path, language=PYTHON, text=after, changed=changed_lines(BEFORE, after))


async def test_a_comment_becomes_a_finding_with_its_fix(builder: PromptBuilder) -> None:
    async with reviewing(builder) as (_, reviewer):
        (found,) = await reviewer.review(target())

    assert (found.reviewer, found.code, found.severity, found.message) == ("model", "model", "critical", SAID.message)
    assert AFTER[found.span.start : found.span.end] == "sum(prices)"
    assert fixed(AFTER, found.fix) == BEFORE
    assert found.confidence is not None
    assert found.confidence > 0.8


async def test_most_hunks_cost_one_token(builder: PromptBuilder) -> None:
    async with reviewing(builder) as (engine, reviewer):
        engine.likeliest = [SILENT]

        assert await reviewer.review(target()) == []

    (asked,) = engine.asked
    assert (asked["max_tokens"], asked["logprobs"], asked["priority"]) == (1, 20, PRIORITY_REVIEW)
    assert "structured_outputs" not in asked  # it would hide how sure the model is


async def test_a_hunk_less_likely_than_any_that_was_measured_costs_one_token(builder: PromptBuilder) -> None:
    async with reviewing(builder) as (engine, reviewer):
        assert await replace(reviewer, least_chance=0.99).review(target()) == []

    assert len(engine.asked) == 1


async def test_the_answer_is_held_to_its_structure(builder: PromptBuilder) -> None:
    async with reviewing(builder) as (engine, reviewer):
        await reviewer.review(target())

    first, said, again = engine.asked
    assert said["prompt"] == first["prompt"]
    assert said["structured_outputs"] == {"regex": COMMENT}
    assert said["priority"] == PRIORITY_REVIEW
    assert "return sum(prices)" in builder.decode(again["prompt"])
    assert "return sum(prices)" not in builder.decode(first["prompt"])


async def test_a_hunk_is_put_as_it_was_learnt(builder: PromptBuilder) -> None:
    async with reviewing(builder) as (engine, reviewer):
        await reviewer.review(target())

    hunk = "\n".join(AFTER.split("\n")[1:4])
    assert tuple(engine.asked[0]["prompt"]) == builder.review_prompt(hunk, path="shop/till.py", repository="shop")


async def test_the_teams_rules_stand_before_the_hunk(builder: PromptBuilder) -> None:
    async with reviewing(builder) as (engine, reviewer):
        await reviewer.review(target(), rules="Money is never a float.")

    asked = builder.decode(engine.asked[0]["prompt"])
    assert asked.index("Money is never a float.") < asked.index("1|    def total")


async def test_a_comment_that_its_own_fix_does_not_settle_is_not_shown(builder: PromptBuilder) -> None:
    async with reviewing(builder) as (engine, reviewer):
        engine.likeliest = [COMMENTS]

        assert await reviewer.review(target()) == []

    assert len(engine.asked) == 3


async def test_a_comment_whose_place_is_a_guess_is_not_shown(builder: PromptBuilder) -> None:
    async with reviewing(builder) as (engine, reviewer):
        engine.pieces = ['{"line": 3', answer_text(SAID).removeprefix('{"line": 3')]
        engine.costs = [1.5, 0.1]

        assert await reviewer.review(target()) == []

    assert len(engine.asked) == 2  # and is not looked at again


async def test_a_comment_on_lines_that_did_not_change_is_not_shown(builder: PromptBuilder) -> None:
    async with reviewing(builder) as (engine, reviewer):
        engine.pieces = [
            answer_text(
                ReviewComment(
                    line=1, severity="warning", message="total is no name", suggestion="    def sum_of(self, prices):"
                )
            )
        ]

        assert await reviewer.review(target()) == []


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "Approved, all is fine.",
        '{"line": 99, "lines": 1, "severity": "critical", "message": "sum", "suggestion": ""}',
        '{"line": 3, "lines": 1, "severity": "critical", "message": "sum", "sugges',
        "[" * 100_000,
    ],
)
async def test_what_is_no_comment_is_not_shown(builder: PromptBuilder, text: str) -> None:
    async with reviewing(builder) as (engine, reviewer):
        engine.pieces = [text]

        assert await reviewer.review(target()) == []


async def test_an_answer_that_did_not_end_is_not_shown(builder: PromptBuilder) -> None:
    async with reviewing(builder) as (engine, reviewer):
        engine.finish_reason = "length"

        assert await reviewer.review(target()) == []


@pytest.mark.parametrize("after", [0, 3])
async def test_an_engine_that_goes_away_is_no_silence(builder: PromptBuilder, after: int) -> None:
    async with reviewing(builder) as (engine, reviewer):
        engine.dies_after = after

        with pytest.raises(EngineError):
            await reviewer.review(target(AFTER.replace("amount > 0", "amount >= 0")))


async def test_a_cancelled_review_hangs_up(builder: PromptBuilder) -> None:
    came = asyncio.Event()
    hung_up = asyncio.Event()

    async def keep_waiting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        came.set()
        while await reader.read(1024):
            pass
        writer.close()
        hung_up.set()

    async with await asyncio.start_server(keep_waiting, "127.0.0.1", 0) as server:
        client = EngineClient(EngineAddress(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
        reviewer = ModelReviewer(
            client=client, builder=builder, model=BASE, repository="shop", threshold=0.5, least_chance=0.0
        )
        review = asyncio.create_task(reviewer.review(target()))
        await came.wait()
        review.cancel()

        with pytest.raises(asyncio.CancelledError):
            await review
        await hung_up.wait()
        await client.aclose()


def test_a_chance_is_what_the_first_token_leaves_to_a_comment() -> None:
    chance = chance_of({"null": 0.3, '{"': 0.15, "n": 0.1, "{": 0.05, "The": 0.4, "": 0.0})

    assert chance.comment == pytest.approx(0.2 / 0.6)
    assert chance.decided == pytest.approx(0.6)


def test_a_model_that_says_neither_does_not_comment() -> None:
    assert chance_of({"The": 0.9, "name": 0.1}).comment == 0.0


@pytest.mark.parametrize(
    "comment",
    [
        SAID,
        ReviewComment(line=60, lines=12, severity="suggestion", message='A "quoted" \\ path, é', suggestion=""),
        ReviewComment(line=1, severity="warning", message="tabs", suggestion="\tif a:\n\t\treturn\r"),
    ],
)
def test_every_answer_that_is_learnt_fits_the_structure(comment: ReviewComment) -> None:
    assert re.fullmatch(COMMENT, answer_text(comment))


def test_what_fits_the_structure_is_json() -> None:
    fitting = '{"line": 1, "lines": 2, "severity": "warning", "message": "a\\nb", "suggestion": "\\t\\""}'

    assert re.fullmatch(COMMENT, fitting)
    assert json.loads(fitting)["suggestion"] == '\t"'
    for broken in (fitting.replace("a", "a\n", 1), fitting.replace("\\t", "\\x"), fitting[:-1], f"{fitting} "):
        assert not re.fullmatch(COMMENT, broken)
