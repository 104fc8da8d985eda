"""The extension in a real VS Code workbench and a real browser."""

import importlib.metadata
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import MakeRepository
from tests.support.engine import MODEL, START_SECONDS
from tests.support.fake_engine import FakeEngine, fake_engine
from tests.support.tiny_model import TINY, write_manifest, write_tokenizer
from tests.support.workbench import Profile, Tools, played, ready_tools

import acclimate_indexer
from acclimate_indexer.home import Home
from acclimate_indexer.repository import Repository
from acclimate_server.engine.options import EngineOptions
from acclimate_server.overview import known_uses

PAIRS = 120
TRAINING_SECONDS = 1500.0  # half a minute of training, half of one of comparison, and all that is loaded around them
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
        await engine.left_alone()

    state = home.for_repository(Repository.open(repository).common_directory)
    (use,) = known_uses(state)
    assert use.accepted >= 2  # by Tab; of what was taken by the word at least that much is known


@pytest.mark.engine
@pytest.mark.timeout(TRAINING_SECONDS + START_SECONDS)
async def test_a_training_is_followed_to_its_verdict_and_its_report(
    engine_home: Home,
    engine_options: EngineOptions,
    tools: Tools,
    make_repository: MakeRepository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ACCLIMATE_HOME", str(engine_home.data))
    package = Path(str(acclimate_indexer.__file__)).parent
    sources = {path.relative_to(package.parent).as_posix(): path.read_bytes() for path in sorted(package.rglob("*.py"))}
    sums = {"sums.py": "def add(first, second):\n    "}
    repository = make_repository({name: text for name, text in sources.items() if text}, sums, name="sources")
    wanted = {
        "acclimate.python": sys.executable,
        "acclimate.runtime.python": str(engine_options.runtime_python),
        "acclimate.model.name": MODEL,
        "acclimate.training.minutes": 0.5,
        "acclimate.training.max_pairs": PAIRS,
        "acclimate.evaluation.minutes": 0.5,
    }
    profile = Profile(tools=tools, folder=tmp_path / "profile", settings=wanted)
    profile.install()

    await played("train", profile, repository, seconds=TRAINING_SECONDS)


async def test_nothing_starts_untrusted_and_the_core_is_installed_when_the_user_says_so(
    home: Home, tools: Tools, make_repository: MakeRepository, tmp_path: Path
) -> None:
    profile = Profile(tools=tools, folder=tmp_path / "profile", is_trusting=False)
    profile.install()

    await played("setup", profile, make_repository({"app.py": CODE}), seconds=TRAINING_SECONDS)

    (core,) = profile.folder.glob("data/User/globalStorage/acclimate.acclimate/core/*")
    assert core.name == importlib.metadata.version("acclimate")


async def test_without_any_python_there_is_a_way_out(
    home: Home, tools: Tools, make_repository: MakeRepository, tmp_path: Path
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("git", "sh"):
        (programs / name).symlink_to(str(shutil.which(name)))
    profile = Profile(tools=tools, folder=tmp_path / "profile", environment={"PATH": str(programs)})
    profile.install()

    await played("nopython", profile, make_repository({"app.py": CODE}))
