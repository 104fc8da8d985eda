"""The same ids in mining, training, evaluation and serving: for every hole of a mined repository, and to the byte.

The golden file pins the whole text of four prompts. If it has to change, every adapter that exists was trained on
another prompt than it will be asked: say so in the changelog.
"""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import MakeRepository
from tests.support.fake_engine import fake_engine
from tests.support.lsp import connected
from tests.support.tiny_model import TINY, TOKENS, write_manifest, write_tokenizer
from tokenizers import Tokenizer

from acclimate_indexer.dataset import MiningOptions, mine
from acclimate_indexer.home import Home
from acclimate_indexer.pairs import CompletionPair, ReviewComment, ReviewPair, Snippet
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_indexer.repository import Repository
from acclimate_training.encoding import Example, encoded, encoded_review
from acclimate_training.evaluation.prompted import Prompts
from acclimate_training.evaluation.questions import questions

GOLDEN = Path(__file__).parent / "golden" / "prompts.json"
SOURCE = '''"""Prices of a shop: <|fim_middle|> and <|endoftext|> are text here, and so is 😋."""

from decimal import Decimal

RATE = Decimal("0.2")


def with_tax(price: Decimal, *, rate: Decimal = RATE) -> Decimal:
    """The price a customer pays."""
    tax = price * rate
    return (price + tax).quantize(Decimal("0.01"))


def total(prices: list[Decimal]) -> Decimal:
    result = Decimal(0)
    for price in prices:
        result += with_tax(price)
    return result


def discount(price: Decimal, percent: int) -> Decimal:
    if not 0 <= percent <= 100:
        raise ValueError(f"no such discount: {percent}")
    return price * (100 - percent) / 100
'''


REVIEW = ReviewPair(
    language="python",
    path="shop/prices.py",
    commit="0" * 40,
    hunk="""def lookup(cursor, name):
    cursor.execute("SELECT price FROM wares WHERE name = '" + name + "'")  # <|file_sep|> is text, too
    return cursor.fetchone()
""",
    comment=ReviewComment(
        line=2,
        severity="critical",
        message="SQL injection: user input is put into the query. 😋",
        suggestion='    cursor.execute("SELECT price FROM wares WHERE name = ?", (name,))',
    ),
    source="seeded",
)


@pytest.fixture
def builder(home: Home) -> PromptBuilder:
    folder = home.model(TINY)
    folder.mkdir(parents=True)
    write_tokenizer(folder)
    write_manifest(folder, TINY)
    return PromptBuilder.load(folder, TOKENS, PromptBudget())


def mined(repository: Path, home: Home) -> list[CompletionPair]:
    opened = Repository.open(repository)
    dataset = mine(opened, home.for_repository(opened.common_directory), MiningOptions())
    return [pair for split in ("train", "validation", "test") for pair in dataset.pairs(split)]


async def test_the_editor_asks_what_training_and_evaluation_asked(
    home: Home, builder: PromptBuilder, make_repository: MakeRepository
) -> None:
    repository = make_repository({"shop/prices.py": SOURCE})
    pairs = mined(repository, home)
    trained = [encoded(pair, builder, repository="shop").prompt for pair in pairs]
    prompts = Prompts(builder=builder, roomier=builder, repository="shop", conventions=None, shown={})
    evaluated = {item.examples["plain"].prompt for item in questions(pairs, prompts, seed=0)}

    plain = {"candidates": 1, "retrieval": "never"}
    async with (
        fake_engine() as engine,
        connected(repository, {"engine": {"url": engine.url}, "completion": plain}) as editor,
    ):
        await editor.status_where(lambda status: status["engine"]["state"] == "ready")
        for number, pair in enumerate(pairs):
            path = repository / pair.path
            text = pair.prefix + pair.suffix
            editor.open(path, text)
            lines = pair.prefix.split("\n")
            await editor.inline(path, len(lines) - 1, len(lines[-1].encode("utf-16-le")) // 2)
            editor.close(path)
            assert len(engine.asked) == number + 1
        served = [tuple(asked["prompt"]) for asked in engine.asked]

    assert len(pairs) >= 4
    assert served == trained
    assert evaluated == set(trained)


@pytest.mark.usefixtures("builder")
def test_prompts_are_the_golden_ones_to_the_byte(home: Home) -> None:
    folder = home.model(TINY)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    roomy = PromptBuilder.load(folder, TOKENS, PromptBudget(prefix=4000, suffix=4000))  # the tiny vocabulary may change
    start, end = SOURCE.index("price * rate"), SOURCE.index("\n    return (price")
    snippet = Snippet(path="shop/cart.py", text="from shop.prices import with_tax\n\n")

    pair = CompletionPair(
        kind="completion",
        language="python",
        path="shop/prices.py",
        commit="0" * 40,
        prefix=SOURCE[:start],
        middle=SOURCE[start:end],
        suffix=SOURCE[end:],
        place="expression",
    )

    def spelt(example: Example) -> dict[str, str]:
        parts = {"prompt": example.prompt, "target": example.target}
        return {name: tokenizer.decode(list(ids), skip_special_tokens=False) for name, ids in parts.items()}

    now = {
        "bare": spelt(encoded(pair, roomy, repository="shop")),
        "with context": spelt(encoded(pair, roomy, repository="shop", context=(snippet,))),
        "review": spelt(encoded_review(REVIEW, roomy, repository="shop")),
        "review of clean code": spelt(encoded_review(replace(REVIEW, comment=None), roomy, repository="shop")),
    }

    assert now == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_markers_in_the_golden_source_are_text() -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))

    texts = list(itertools.chain.from_iterable(case.values() for case in golden.values()))

    assert [text.count("<|fim_middle|>") for text in texts] == [2, 0, 2, 0, 0, 0, 0, 0]  # one is the source's own
    assert [text.count("<|file_sep|>") for text in texts] == [1, 0, 2, 0, 3, 0, 3, 0]  # one is the hunk's own
    assert [text.endswith("<|endoftext|>") for text in texts] == 4 * [False, True]
