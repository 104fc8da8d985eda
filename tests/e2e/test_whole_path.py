"""The whole path: git, tree-sitter, a training, vLLM and an LSP client, all of them real, with a model of two layers.

The same with the real model, in an editor: `tests/vscode`, scenario `train`.
"""

from pathlib import Path

import pytest
from tests.conftest import MakeRepository
from tests.support.engine import START_SECONDS
from tests.support.lsp import connected
from tests.support.tiny_model import SERVED_HEAD_SIZE, TINY, tiny_model

import acclimate_indexer
import acclimate_server
import acclimate_training
from acclimate_indexer.home import Home
from acclimate_indexer.models import local_model
from acclimate_indexer.repository import Repository
from acclimate_server.engine.lease import EngineLease, read_engine_state
from acclimate_server.engine.options import EngineOptions
from acclimate_training.engine import EngineClient
from acclimate_training.registry import AdapterRegistry

pytestmark = [pytest.mark.engine, pytest.mark.tensor]

TRAINING_SECONDS = 400.0  # 100 beside another training
CODE = "def add(first, second):\n    return \n"
PAIRS = 100


@pytest.fixture
def repository(make_repository: MakeRepository) -> Path:
    """This project's own sources as a real git repository with a history."""
    commits = []
    for package in (acclimate_indexer, acclimate_training, acclimate_server):
        folder = Path(str(package.__file__)).parent
        files = {path.relative_to(folder.parent).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.py"))}
        commits.append({name: content for name, content in files.items() if content})
    return make_repository(*commits)


@pytest.mark.timeout(TRAINING_SECONDS + 2 * START_SECONDS)
async def test_a_repository_goes_in_and_its_own_completions_come_out(
    home: Home, engine_options: EngineOptions, repository: Path
) -> None:
    tiny_model(home, head_size=SERVED_HEAD_SIZE, is_endless=True)
    options = {
        "runtime": {"python": str(engine_options.runtime_python)},
        "model": {"name": TINY},
        "evaluation": {"minutes": 0.2},
    }
    async with connected(repository, options) as editor:
        await editor.status_where(lambda status: status["engine"]["state"] == "ready", START_SECONDS)
        engine_before = read_engine_state(home)
        editor.open(repository / "sums.py", CODE)
        await editor.inline(repository / "sums.py", 1, 11)

        token = "retraining"
        editor.client.progress_reports[token] = []
        request = {
            "repository": str(repository),
            "minutes": 0.2,
            "maxPairs": PAIRS,
            "force": True,
            "workDoneToken": token,
        }
        run = (await editor.command("acclimate.retrain", request))["run"]
        status = await editor.status_where(
            lambda status: (status["training"] or {}).get("state", "running") != "running", TRAINING_SECONDS
        )
        log = home.for_repository(Repository.open(repository).common_directory).runs / run / "run.log"
        assert status["training"]["state"] == "finished", (status["training"], log.read_text(encoding="utf-8"))
        version = status["training"]["adapter"]

        status = await editor.status_where(lambda status: status["adapter"]["state"] == "in use", 60)
        assert status["adapter"]["version"] == version
        await editor.inline(repository / "sums.py", 1, 11)
        status = await editor.command("acclimate.status")
        assert status["completed_by"] == version

    assert read_engine_state(home) == engine_before
    assert version in await _adapters_in_engine(home, engine_options)
    adapter = AdapterRegistry(home.for_repository(Repository.open(repository).common_directory)).get(version)
    assert (adapter.state, adapter.record["forced"]) == ("trial", True)
    assert len(editor.client.progress_reports[token]) > 2
    assert _names_in(repository) == {".git", "acclimate_indexer", "acclimate_server", "acclimate_training"}


async def _adapters_in_engine(home: Home, options: EngineOptions) -> set[str]:
    lease = await EngineLease.acquire(home, options, local_model(home, TINY))
    client = EngineClient(lease.address)
    try:
        return await client.adapters()
    finally:
        await client.aclose()
        await lease.release()


def _names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
