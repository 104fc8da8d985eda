"""What a prompt shows of the rest of the repository while one works in it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.conftest import MakeRepository, run_git
from tests.server.test_completion import model, options, ready
from tests.support.fake_engine import FakeEngine, fake_engine
from tests.support.git_folder import GitFolder
from tests.support.lsp import Editor, Kind, connected
from tests.support.tiny_model import TINY, TOKENS

from acclimate_indexer.context.index import MAX_WINDOWS
from acclimate_indexer.context.origin import GitWorkTree
from acclimate_indexer.home import Home
from acclimate_indexer.mining.options import MiningOptions
from acclimate_indexer.pairs import Snippet
from acclimate_indexer.prompts import Cursor, PromptBudget, PromptBuilder
from acclimate_indexer.repository import Repository
from acclimate_server.completion import surroundings as room
from acclimate_server.completion.surroundings import RECENT_DOCUMENTS, Surroundings
from acclimate_server.status import IndexStatus

__all__ = ["model"]  # the fixture

PRICES = "def with_tax(price, rate):\n    return price + price * rate\n"
CART = "from shop.prices import with_tax\n\n\ndef total(prices):\n    return sum(with_tax(\n"
FILES: dict[str, str | bytes] = {"shop/prices.py": PRICES, "shop/cart.py": CART}
CURSOR = Cursor(path="shop/cart.py", language="python", prefix=CART[:-1], suffix="\n")
LINE = 4


INVOICES = [f"shop/invoice_{number}.py" for number in range(RECENT_DOCUMENTS + 2)]


def surroundings(home: Home, folder: Path, tell: Callable[[], object] = lambda: None) -> Surroundings:
    repository = Repository.open(folder)
    return Surroundings(
        GitWorkTree(repository), home.for_repository(repository.common_directory), MiningOptions(), tell
    )


@pytest.fixture
async def shop(home: Home, make_repository: MakeRepository) -> AsyncIterator[tuple[Surroundings, Path]]:
    folder = make_repository(FILES)
    opened = surroundings(home, folder)
    await opened.settled()
    yield opened, folder
    opened.close()


@pytest.fixture
async def invoices(home: Home, make_repository: MakeRepository) -> AsyncIterator[Surroundings]:
    """A repository of files that are all as similar to the cursor."""
    opened = surroundings(home, make_repository({path: invoice(number)() for number, path in enumerate(INVOICES)}))
    await opened.settled()
    yield opened
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
    monkeypatch.setattr(room, "STATE_SECONDS", 0.0)
    (shop[1] / "shop/prices.py").write_text(PRICES.replace("rate", "share"))
    run_git(shop[1], "commit", "--quiet", "--all", "--message", "Rename")

    assert "def with_tax(price, share):" in texts(await shop[0].snippets(CURSOR, LINE))


async def test_what_was_worked_on_last_comes_first(invoices: Surroundings) -> None:
    before = await order(invoices, "a.py")
    invoices.edited(INVOICES[-1], invoice(len(INVOICES) - 1))

    assert before == INVOICES[:MAX_WINDOWS]
    assert await order(invoices, "a.py") == before  # the cursor stayed, and so does the prompt
    assert await order(invoices, "b.py") == [INVOICES[-1], *before[:-1]]
    assert await order(invoices, INVOICES[-1]) == before


async def test_only_the_last_few_documents_count_as_worked_on(invoices: Surroundings) -> None:
    for number, path in enumerate(INVOICES):
        invoices.edited(path, invoice(number))
    invoices.edited(INVOICES[2], invoice(2))
    found = await order(invoices, "a.py")

    assert found[:RECENT_DOCUMENTS] == INVOICES[-RECENT_DOCUMENTS:][:MAX_WINDOWS]
    assert await order(invoices, "b.py") == found


async def test_an_index_tells_how_far_it_is(home: Home, make_repository: MakeRepository) -> None:
    folder = make_repository(FILES)
    told: list[IndexStatus] = []
    opened: list[Surroundings] = []
    opened.append(surroundings(home, folder, lambda: told.append(opened[0].status)))
    await opened[0].settled()
    opened[0].close()
    opened.clear()  # what hears of it refers to it: only garbage collection would end its git, and complain

    assert told[-1] == IndexStatus(state="ready", done=len(FILES), of=len(FILES))
    assert {status.state for status in told[:-1]} == {"building"}


async def test_an_index_that_cannot_be_built_says_why(home: Home, make_repository: MakeRepository) -> None:
    folder = make_repository(FILES)
    home.for_repository(folder / ".git").blobs.mkdir(parents=True)
    opened = surroundings(home, folder)
    await opened.settled()
    found = await opened.snippets(CURSOR, LINE)
    opened.close()

    assert opened.status.state == "failed"
    assert opened.status.reason
    assert found == ()


@pytest.mark.parametrize("setting", ["auto", "never"])
async def test_the_server_puts_it_into_the_prompt(
    home: Home, model: str, make_repository: MakeRepository, setting: str
) -> None:
    folder = make_repository(FILES)
    wanted = {"retrieval": setting}
    async with fake_engine() as engine, connected(folder, options(engine, completion=wanted)) as editor:
        await ready(editor)
        editor.open(folder / "shop/cart.py", CART)
        index = await indexed(editor)
        prompt = await prompt_at(editor, engine, home, folder / "shop/cart.py")

        assert index == ("ready" if setting == "auto" else "none")
        assert ("def with_tax(price, rate):" in prompt) == (setting == "auto")


async def test_unsaved_text_that_is_opened_counts(home: Home, model: str, make_repository: MakeRepository) -> None:
    folder = make_repository(FILES)
    async with fake_engine() as engine, connected(folder, options(engine)) as editor:
        await ready(editor)
        editor.open(folder / "shop/prices.py", PRICES.replace("rate", "share"))  # as editors restore it
        editor.open(folder / "shop/cart.py", CART)
        await indexed(editor)

        assert "def with_tax(price, share):" in await prompt_at(editor, engine, home, folder / "shop/cart.py")


async def test_unsaved_text_that_is_closed_at_once_does_not_count(
    home: Home, model: str, make_repository: MakeRepository
) -> None:
    folder = make_repository(FILES)
    async with fake_engine() as engine, connected(folder, options(engine)) as editor:
        await ready(editor)
        editor.open(folder / "shop/prices.py", PRICES.replace("rate", "share"))
        editor.close(folder / "shop/prices.py")  # before its folder was looked at
        editor.open(folder / "shop/cart.py", CART)
        await indexed(editor)

        assert "def with_tax(price, rate):" in await prompt_at(editor, engine, home, folder / "shop/cart.py")


async def test_a_folder_without_git_is_shown_too(home: Home, model: str, tmp_path: Path) -> None:
    folder = tmp_path / "scripts"
    GitFolder(folder).write(FILES)
    async with fake_engine() as engine, connected(folder, options(engine)) as editor:
        await ready(editor)
        editor.open(folder / "shop/cart.py", CART)
        index = await indexed(editor)
        prompt = await prompt_at(editor, engine, home, folder / "shop/cart.py")

        assert index == "ready"
        assert "def with_tax(price, rate):" in prompt
        assert "scripts" in prompt
        assert "shop/prices.py" in prompt


async def test_nothing_is_read_outside_the_folders_that_the_editor_has_open(
    home: Home, model: str, tmp_path: Path
) -> None:
    GitFolder(tmp_path / "other").write(FILES)
    (tmp_path / "scripts").mkdir()
    file = tmp_path / "other/shop/cart.py"
    async with fake_engine() as engine, connected(tmp_path / "scripts", options(engine)) as editor:
        await ready(editor)
        editor.open(file, CART)
        index = await indexed(editor)

        assert index == "none"
        assert "rate" not in await prompt_at(editor, engine, home, file)


async def test_the_home_folder_is_no_project(
    home: Home, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "people/ann"))
    GitFolder(tmp_path / "people/ann").write(FILES)
    async with fake_engine() as engine, connected(tmp_path / "people", options(engine)) as editor:
        await ready(editor)
        editor.open(tmp_path / "people/ann/shop/cart.py", CART)

        assert await indexed(editor) == "none"


async def indexed(editor: Editor) -> str:
    """The state of the index when nothing is being built any more."""
    status = await editor.status_where(lambda status: status["index"]["state"] != "building")
    return str(status["index"]["state"])


async def prompt_at(editor: Editor, engine: FakeEngine, home: Home, file: Path) -> str:
    """The prompt at the end of `CART`."""
    await editor.inline(file, LINE, len("    return sum(with_tax("), Kind.Invoked)
    return PromptBuilder.load(home.model(TINY), TOKENS, PromptBudget()).decode(engine.asked[-1]["prompt"])


def invoice(number: int) -> Callable[[], str]:
    """The text of one of several files that resemble each other."""
    return lambda: f"def part_{number}(order, customer):\n    return customer.invoice(order)\n"


async def order(opened: Surroundings, path: str) -> list[str]:
    """The paths that a cursor in a file is shown, the first first."""
    cursor = Cursor(path=path, language="python", prefix="order = customer.invoice.order(", suffix="")
    return [snippet.path for snippet in await opened.snippets(cursor, 0, is_automatic=False)]
