"""`acclimate complete`: the prompt is the one that an editor's user would get, retrieval included."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import MakeRepository
from tests.server.test_cli import DONE, Done, acclimate
from tests.server.test_completion import model, options
from tests.server.test_surroundings import CART, FILES, LINE, PRICES
from tests.support.engine import until
from tests.support.fake_engine import FakeEngine, fake_engine
from tests.support.git_folder import GitFolder
from tests.support.tiny_model import TINY, TOKENS

from acclimate_indexer.blob_store import BlobStore
from acclimate_indexer.home import Home
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_server.cli import indexing
from acclimate_server.cli.ask import asked_server

__all__ = ["model"]  # the fixture

COLUMN = len("    return sum(with_tax(") + 1


async def completed(engine: FakeEngine, folder: Path, *more: str) -> Done:
    """The command, with its own event loop in another thread; the engine lives on this one."""
    place = f"{folder / 'shop/cart.py'}:{LINE + 1}:{COLUMN}"
    given = ("--set", f"engine.url={engine.url}", "--set", f"model.name={TINY}", *more)
    return await asyncio.to_thread(acclimate, "complete", place, "--json", *given)


def prompts(engine: FakeEngine, home: Home) -> list[str]:
    builder = PromptBuilder.load(home.model(TINY), TOKENS, PromptBudget())
    return [builder.decode(asked["prompt"]) for asked in engine.asked]


def with_git(make_repository: MakeRepository, tmp_path: Path) -> Path:
    return make_repository(FILES)


def without_git(make_repository: MakeRepository, tmp_path: Path) -> Path:
    """Only the file's own folder is opened in such a place."""
    folder = tmp_path / "scripts"
    GitFolder(folder).write({"shop/cart.py": CART, "shop/prices.py": PRICES})
    return folder


@pytest.mark.parametrize("made", [with_git, without_git])
async def test_the_rest_of_the_code_is_read_before_the_engine_is_asked(
    home: Home,
    model: str,
    make_repository: MakeRepository,
    tmp_path: Path,
    made: Callable[[MakeRepository, Path], Path],
) -> None:
    folder = made(make_repository, tmp_path)
    async with fake_engine() as engine:
        done = await completed(engine, folder)

        assert done.returncode == DONE, done.stderr
        assert json.loads(done.stdout)["completion"] == "name"
        (prompt,) = prompts(engine, home)
        assert "def with_tax(price, rate):" in prompt


async def test_an_index_is_waited_for_until_it_is_built(
    home: Home, model: str, make_repository: MakeRepository
) -> None:
    folder = make_repository(FILES)
    told: list[dict[str, Any]] = []
    async with fake_engine() as engine, asked_server(folder, options(engine)) as server:
        with held_up(home, folder):
            server.open(folder / "shop/cart.py", "python", CART)
            waiting = asyncio.ensure_future(server.wait_index(60.0, told.append))
            await until(lambda: len(told) > 1)
        found = await waiting

        assert {each["state"] for each in told} == {"building"}
        assert found == {"state": "ready", "done": len(FILES), "of": len(FILES), "reason": ""}


async def test_a_long_wait_is_told_and_ends(
    home: Home, model: str, make_repository: MakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "SILENT_SECONDS", 0.0)
    monkeypatch.setattr(indexing, "INDEX_SECONDS", 1.0)
    folder = make_repository(FILES)
    async with fake_engine() as engine:
        with held_up(home, folder):
            done = await completed(engine, folder)

        assert done.returncode == DONE, done.stderr
        assert json.loads(done.stdout)["completion"] == "name"
        assert "Reading the repository" in done.stderr
        assert "the prompt shows nothing of them" in done.stderr


@contextmanager
def held_up(home: Home, folder: Path) -> Iterator[None]:
    """Nothing is written to the index of a repository meanwhile."""
    blobs = home.for_repository(folder / ".git").blobs
    BlobStore.open(blobs).close()
    with closing(sqlite3.connect(blobs, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")


async def test_no_index_is_waited_for_where_nothing_is_retrieved(
    home: Home, model: str, make_repository: MakeRepository
) -> None:
    folder = make_repository(FILES)
    async with fake_engine() as engine:
        with held_up(home, folder):
            done = await completed(engine, folder, "--set", "completion.retrieval=never")

        assert json.loads(done.stdout)["completion"] == "name"
        assert "the prompt shows nothing" not in done.stderr
        assert "def with_tax(price, rate):" not in prompts(engine, home)[0]


async def test_an_index_that_cannot_be_built_is_told(home: Home, model: str, make_repository: MakeRepository) -> None:
    folder = make_repository(FILES)
    home.for_repository(folder / ".git").blobs.mkdir(parents=True)
    async with fake_engine() as engine:
        done = await completed(engine, folder)

        assert done.returncode == DONE, done.stderr
        assert "The prompt shows nothing of other files" in done.stderr
