"""Several editors, two repositories, one engine: each gets its own adapter, and nothing is left behind."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.conftest import MakeRepository
from tests.support.engine import MODEL, START_SECONDS, engine_processes, home_with_model
from tests.support.random_adapter import write_random_adapter

from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel
from acclimate_indexer.prompts import PromptBudget
from acclimate_indexer.repository import Repository
from acclimate_server.cli.ask import AskedServer, asked_server
from acclimate_server.engine.options import EngineOptions
from acclimate_training.registry import AdapterRegistry

pytestmark = [pytest.mark.engine, pytest.mark.tensor]

CODE = "def add(first, second):\n    return \n"
OFFSET = CODE.index("return ") + len("return ")
IDLE_SECONDS = 2.0
LEFT_SECONDS = 30.0  # for the idle time, and for vLLM to end


@pytest.fixture
def own_home(
    real_model_folder: Path, engine_options: EngineOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Home:
    """A home whose engine nobody else holds; only the servers of this test find it."""
    home = home_with_model(tmp_path / "own", real_model_folder)
    monkeypatch.setenv("ACCLIMATE_HOME", str(home.data))
    (home.config / "config.toml").write_text(
        f'[runtime]\npython = "{engine_options.runtime_python}"\n[engine]\nidle_seconds = {IDLE_SECONDS}\n'
        f'[model]\nname = "{MODEL}"\n[completion]\ncandidates = 1\n',
        encoding="utf-8",
    )
    return home


def adapted(home: Home, folder: Path, version: str, *, seed: int, model: LocalModel) -> None:
    """Puts an adapter of random weights into use for a repository."""
    registry = AdapterRegistry(home.for_repository(Repository.open(folder).common_directory))
    partial = registry.partial(version)
    partial.rmdir()
    write_random_adapter(model.folder, partial, seed=seed)
    registry.publish(
        partial,
        {
            "version": version,
            "base": {"name": MODEL, "identity": model.identity},
            "verdict": {"state": "trial", "reason": ""},
            "prompt_budget": PromptBudget().to_json(),
            "repository": folder.name,
        },
    )
    registry.set_live(version)


async def adapter_of(server: AskedServer, file: Path) -> str | None:
    """Which adapter completes there, once it has been loaded."""
    server.open(file, "python", CODE)
    async with asyncio.timeout(120):
        while (asked := await server.complete(file, CODE, OFFSET)).adapter is None:  # noqa: ASYNC110  # it is loaded behind the requests
            await asyncio.sleep(0.3)
    return asked.adapter


async def test_each_of_four_windows_has_its_own_adapter_and_no_process_is_left(
    own_home: Home, make_repository: MakeRepository, real_model_folder: Path
) -> None:
    model = LocalModel.from_manifest(real_model_folder)
    folders = [make_repository({"sums.py": CODE}, name=name) for name in ("shop", "library")]
    for number, folder in enumerate(folders):
        adapted(own_home, folder, f"{folder.name}-1", seed=number, model=model)

    async with AsyncExitStack() as stack:
        windows = [(await stack.enter_async_context(asked_server(folder, {})), folder) for folder in folders * 2]
        for server, _ in windows:
            await server.wait_engine(START_SECONDS)
        versions = await asyncio.gather(*(adapter_of(server, folder / "sums.py") for server, folder in windows))

        assert versions == [f"{folder.name}-1" for _, folder in windows]
        supervisors = [each for each in engine_processes(own_home) if "acclimate_server.engine" in each.cmdline()]
        assert len(supervisors) == 1

    async with asyncio.timeout(LEFT_SECONDS):
        while engine_processes(own_home):  # noqa: ASYNC110  # other processes set no event
            await asyncio.sleep(0.3)
