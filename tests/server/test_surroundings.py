"""What a prompt shows of the rest of the repository while one works in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.conftest import MakeRepository, run_git
from tests.server.test_completion import model, options, ready
from tests.support.fake_engine import FakeEngine, fake_engine
from tests.support.lsp import Editor, Kind, connected
from tests.support.tiny_model import TINY, TOKENS

from acclimate_indexer.home import Home
from acclimate_indexer.mining.options import MiningOptions
from acclimate_indexer.pairs import Snippet
from acclimate_indexer.prompts import Cursor, PromptBudget, PromptBuilder
from acclimate_indexer.repository import Repository
from acclimate_server.completion import surroundings as room
from acclimate_server.completion.surroundings import Surroundings

__all__ = ["model"]  # the fixture

PRICES = "def with_tax(price, rate):\n    return price + price * rate\n"
CART = "from shop.prices import with_tax\n\n\ndef total(prices):\n    return sum(with_tax(\n"
FILES: dict[str, str | bytes] = {"shop/prices.py": PRICES, "shop/cart.py": CART}
CURSOR = Cursor(path="shop/cart.py", language="python", prefix=CART[:-1], suffix="\n")
LINE = 4


@pytest.fixture
async def shop(home: Home, make_repository: MakeRepository) -> AsyncIterator[tuple[Surroundings, Path]]:
    folder = make_repository(FILES)
    repository = Repository.open(folder)
    opened = Surroundings(repository, home.for_repository(repository.common_directory), MiningOptions())
    await opened.settled()
    yield opened, folder
    opened.close()


def texts(snippets: tuple[Snippet, ...]) -> str:
    return "\n".join(snippet.text for snippet in snippets)


async def test_the_signature_of_what_is_called_is_shown(shop: tuple[Surroundings, Path]) -> None:
    assert "def with_tax(price, rate):" in texts(await shop[0].snippets(CURSOR, LINE))


async def test_what_is_unsaved_elsewhere_counts_and_stops_to_when_its_file_is_closed(
    shop: tuple[Surroundings, Path],
) -> None:
    shop[0].edited("shop/prices.py", lambda: PRICES.replace("rate", "share"))
    assert "def with_tax(price, share):" in texts(await shop[0].snippets(CURSOR, LINE))

    shop[0].closed("shop/prices.py")
    shop[0].closed("shop/cart.py")  # opened anew it is asked for anew
    assert "def with_tax(price, rate):" in texts(await shop[0].snippets(CURSOR, LINE))


async def test_what_was_saved_counts(shop: tuple[Surroundings, Path]) -> None:
    (shop[1] / "shop/prices.py").write_text(PRICES.replace("rate", "share"))
    shop[0].saved("shop/prices.py")

    assert "def with_tax(price, share):" in texts(await shop[0].snippets(CURSOR, LINE))


async def test_the_head_of_the_prompt_stays_while_one_types(shop: tuple[Surroundings, Path]) -> None:
    first = await shop[0].snippets(CURSOR, LINE)
    shop[0].edited("shop/prices.py", lambda: PRICES.replace("rate", "share"))
    typed = Cursor(path=CURSOR.path, language="python", prefix=f"{CURSOR.prefix}prices[0], ", suffix="\n")

    assert await shop[0].snippets(typed, LINE) == first
    assert await shop[0].snippets(typed, LINE + 3) != first  # another place


async def test_a_name_that_comes_up_is_looked_up(shop: tuple[Surroundings, Path]) -> None:
    plain = Cursor(path="shop/report.py", language="python", prefix="def report():\n    return ", suffix="\n")
    assert "def with_tax(price, rate):" not in [snippet.text for snippet in await shop[0].snippets(plain, 1)]
    called = Cursor(path="shop/report.py", language="python", prefix="def report():\n    return with_tax(", suffix="\n")

    assert "def with_tax(price, rate):" in [snippet.text for snippet in await shop[0].snippets(called, 1)]


async def test_another_commit_is_noticed(shop: tuple[Surroundings, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "HEAD_SECONDS", 0.0)
    (shop[1] / "shop/prices.py").write_text(PRICES.replace("rate", "share"))
    run_git(shop[1], "commit", "--quiet", "--all", "--message", "Rename")

    assert "def with_tax(price, share):" in texts(await shop[0].snippets(CURSOR, LINE))


@pytest.mark.parametrize("setting", ["auto", "never"])
async def test_the_server_puts_it_into_the_prompt(
    home: Home, model: str, make_repository: MakeRepository, setting: str
) -> None:
    folder = make_repository(FILES)
    wanted = options_with(setting)
    async with fake_engine() as engine, connected(folder, options(engine, completion=wanted)) as editor:
        await ready(editor)
        editor.open(folder / "shop/cart.py", CART)
        prompt = await prompt_at(editor, engine, home, folder / "shop/cart.py")

        assert ("def with_tax(price, rate):" in prompt) == (setting == "auto")


def options_with(setting: str) -> dict[str, str]:
    return {"retrieval": setting}


async def prompt_at(editor: Editor, engine: FakeEngine, home: Home, file: Path) -> str:
    """The prompt, once the index has been built; until then there is one without it."""
    builder = PromptBuilder.load(home.model(TINY), TOKENS, PromptBudget())
    for number in range(20):
        editor.type(file, 0, 0, "#")  # another prompt, or the answer were known
        await editor.inline(file, LINE, len("    return sum(with_tax("), Kind.Invoked)
        prompt = builder.decode(engine.asked[-1]["prompt"])
        if "price, rate" in prompt or number == 19:
            break
    return prompt
