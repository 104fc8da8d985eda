"""The extension in a real VS Code workbench and a real browser."""

import sys
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import MakeRepository
from tests.support.fake_engine import FakeEngine, fake_engine
from tests.support.tiny_model import TINY, write_manifest, write_tokenizer
from tests.support.workbench import Profile, Tools, played, ready_tools

from acclimate_indexer.home import Home
from acclimate_indexer.repository import Repository
from acclimate_server.overview import known_uses

CODE = 'def greet(name):\n    return f"hello {name}"\n\n\n'


@pytest.fixture(scope="session")
def tools() -> Tools:
    return ready_tools()


@pytest.fixture
def model(home: Home) -> str:
    """A model without weights: the server needs its tokenizer only."""
    folder = home.model(TINY)
    folder.mkdir(parents=True)
    write_tokenizer(folder)
    return write_manifest(folder, TINY).identity


def settings(engine: FakeEngine, **more: Any) -> dict[str, Any]:
    """Of a window whose server runs here and asks this engine."""
    return {
        "acclimate.python": sys.executable,
        "acclimate.engine.url": engine.url,
        "acclimate.completion.automatic": "always",
        "acclimate.completion.precision": 0,
        "acclimate.completion.candidates": 1,
        **more,
    }


async def test_completions_are_shown_taken_paused_and_outlive_the_server(
    home: Home, model: str, tools: Tools, make_repository: MakeRepository, tmp_path: Path
) -> None:
    repository = make_repository({"app.py": CODE})
    async with fake_engine() as engine:
        engine.pieces = ['et("world")', "\n"]
        profile = Profile(tools=tools, folder=tmp_path / "profile", settings=settings(engine))
        profile.install()
        await played("complete", profile, repository)

    state = home.for_repository(Repository.open(repository).common_directory)
    (use,) = known_uses(state)
    assert use.accepted >= 2  # by Tab; of what was taken by the word at least that much is known
