"""One real engine for the whole suite: vLLM with the real model takes most of a minute to start.

Tests take their own leases on `engine_home`; the fixture's lease keeps the engine up between them.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from acclimate_indexer.errors import ModelError, RuntimeMissing
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel
from acclimate_server.engine.lease import EngineLease, stop_engine
from acclimate_server.engine.options import EngineOptions
from acclimate_server.runtime.find import find_runtime

MODEL = "qwen2.5-coder-0.5b-instruct-gguf"
MODEL_FOLDER = "ACCLIMATE_TEST_MODEL"  # where the real model lies, if not in the user's cache
START_SECONDS = 400.0  # 40 on two idle cores; other tests may run beside


@pytest.fixture(scope="session")
def real_model_folder() -> Path:
    """The folder of the real model; skips where it is not."""
    folder = Path(os.environ.get(MODEL_FOLDER) or Home.default().model(MODEL))
    try:
        return LocalModel.from_manifest(folder).folder
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def engine_options() -> EngineOptions:
    """Options of an engine in the runtime of this machine; skips where there is none."""
    try:
        runtime = find_runtime(Home.default())
    except RuntimeMissing as error:
        pytest.skip(str(error))
    return EngineOptions(runtime_python=runtime.python, device=runtime.device, idle_seconds=5.0)


@pytest.fixture(scope="session")
def engine_home(
    real_model_folder: Path, engine_options: EngineOptions, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Home]:
    """A home whose engine serves the real model until the last test has ended."""
    home = home_with_model(tmp_path_factory.mktemp("engine"), real_model_folder)
    held = HeldLease(home, engine_options)
    try:
        held.start()
        yield home
    finally:
        held.end()


def home_with_model(root: Path, model_folder: Path) -> Home:
    """A new home that has the real model in its cache."""
    home = Home.default({"ACCLIMATE_HOME": str(root)}).create()
    home.model(MODEL).parent.mkdir(parents=True)
    home.model(MODEL).symlink_to(model_folder)
    return home


class HeldLease:
    """A lease on an event loop of its own, since each test has another one."""

    def __init__(self, home: Home, options: EngineOptions) -> None:
        self._home = home
        self._options = options
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._hold(), self._loop).result(START_SECONDS)

    def end(self) -> None:
        asyncio.run_coroutine_threadsafe(stop_engine(self._home), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _hold(self) -> None:
        self._lease = await EngineLease.acquire(
            self._home, self._options, LocalModel.from_manifest(self._home.model(MODEL))
        )
        await self._lease.wait_ready(START_SECONDS)


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Waits for what another process does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        await asyncio.sleep(0.05)


def engine_processes(home: Home) -> list[psutil.Process]:
    """Every process of this home's engine: supervisor, guard and vLLM's own share a working directory."""
    folder = str(home.engine_log.parent)
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.cwd() == folder:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found
