"""The server's line to the engine: takes a lease, watches it, and opens it again when it is lost.

Nothing waits for the engine: while `client` is None, a completion is answered with nothing at once, and `reason` says
why. Loading a model takes from seconds to a minute, and an editor must not hang for it.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

from acclimate_indexer.errors import AcclimateError, ModelError, RuntimeMissing
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel
from acclimate_indexer.prompts import PromptBudget
from acclimate_training.engine import EngineAddress, EngineClient
from acclimate_training.recipe import Recipe

from ..engine.lease import EngineLease
from ..engine.options import EngineOptions, EngineState
from ..runtime.find import find_runtime
from ..settings import Settings
from ..status import EngineStatus, ModelStatus, StatusBoard
from .base_model import Prompts, installed_model

log = logging.getLogger(__name__)

READY_SECONDS = 900.0  # a large model from a slow disk; the state says so meanwhile
RETRY_SECONDS = 30.0  # after a failure: a person needs about that long to mend something
MAX_RETRY_SECONDS = 600.0  # an engine that always fails must not keep the machine busy with trying


class EngineConnection:
    """Owns the lease and the client. `generation` counts engines: what was loaded into the last one is gone."""

    def __init__(self, home: Home, board: StatusBoard, executor: Executor) -> None:
        self._home = home
        self._board = board
        self._executor = executor
        self._task: asyncio.Task[None] | None = None
        self._lease: EngineLease | None = None
        self.on_ready: Callable[[], None] = lambda: None
        self.client: EngineClient | None = None
        self.prompts: Prompts | None = None
        self.base_name = ""
        self.base_budget = PromptBudget()
        self.generation = 0
        self.reason = "The engine was not started yet."

    @property
    def is_open(self) -> bool:
        """An engine is held, or being looked for."""
        return self._task is not None

    @property
    def model(self) -> LocalModel | None:
        return None if self.prompts is None else self.prompts.model

    @property
    def address(self) -> EngineAddress | None:
        """Where the engine is or will be, for a training child; None before the lease is there."""
        return None if self._lease is None else self._lease.address

    def open(self, settings: Settings) -> None:
        """Starts to hold the engine that `settings` ask for; another one is let go first."""
        self._task = asyncio.create_task(self._replace(self._task, settings))

    async def close(self) -> None:
        """Lets the engine go; it ends by itself after its last user."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _replace(self, previous: asyncio.Task[None] | None, settings: Settings) -> None:
        if previous is not None:
            previous.cancel()
            await asyncio.gather(previous, return_exceptions=True)
        pause = RETRY_SECONDS
        while True:
            try:
                await self._hold(settings)
                pause = RETRY_SECONDS
            except (ModelError, RuntimeMissing) as error:
                self._tell("failed", str(error))  # looking again costs nothing
            except AcclimateError as error:
                pause = min(2 * pause, MAX_RETRY_SECONDS)
                self._tell("failed", str(error))
            except Exception as error:  # a background task's boundary: without this nobody would hear of it
                pause = min(2 * pause, MAX_RETRY_SECONDS)
                log.exception("The engine could not be reached")
                self._tell("failed", f"The engine could not be started: {error!r}.")
            finally:
                await self._let_go()
            await asyncio.sleep(pause)

    async def _hold(self, settings: Settings) -> None:
        loop = asyncio.get_running_loop()
        self._tell("starting", "Looking for the base model.")
        model, options = await loop.run_in_executor(self._executor, _model_and_options, self._home, settings)
        self._board.update(
            model=ModelStatus(name=model.name, variant=model.variant, precision=model.precision),
        )
        prompts = Prompts(model=model)
        self._tell("starting", f"The engine is loading {model.name}; the first time takes about a minute.")
        self._lease = await EngineLease.acquire(self._home, options, model)
        self.base_budget = Recipe.for_device(options.device).budget  # what the base is compared with at evaluation
        await loop.run_in_executor(self._executor, prompts.of, self.base_budget)
        await self._lease.wait_ready(READY_SECONDS)
        client = EngineClient(self._lease.address)
        try:
            self.base_name, self.prompts, self.client = self._lease.base_model, prompts, client
            self.generation += 1
            self._tell("ready", "")
            self.on_ready()
            state = await _end_of_readiness(self._lease)
        finally:
            self.client = None
            await client.aclose()
        self._tell("stopped", state.reason or "The engine has ended; it is started again.")

    async def _let_go(self) -> None:
        lease, self._lease = self._lease, None
        if lease is not None:
            await lease.release()

    def _tell(self, state: str, reason: str) -> None:
        self.reason = reason
        if reason:
            log.info("engine %s: %s", state, reason)
        self._board.update(engine=EngineStatus(state=state, reason=reason))  # type: ignore[arg-type]  # a literal above


def engine_options(home: Home, settings: Settings) -> EngineOptions:
    """What an engine is started with.

    Raises:
        RuntimeMissing: A local engine is wanted and there is no vLLM on this machine.
    """
    engine = settings.engine
    local = None if engine.url else find_runtime(home, runtime_python(settings))
    return EngineOptions(
        url=engine.url,
        key=engine.key,
        port=engine.port,
        idle_seconds=engine.idle_seconds,
        gpu_memory_gb=engine.gpu_memory_gb or None,
        runtime_python=None if local is None else local.python,
        device="cpu" if local is None else local.device,
    )


def runtime_python(settings: Settings) -> Path | None:
    """The interpreter that the user configured, if any."""
    return Path(settings.runtime.python).expanduser() if settings.runtime.python else None


async def _end_of_readiness(lease: EngineLease) -> EngineState:
    changed = asyncio.Event()
    lease.on_change(lambda _: changed.set())
    while lease.state.state == "ready":
        changed.clear()
        await changed.wait()
    return lease.state


def _model_and_options(home: Home, settings: Settings) -> tuple[LocalModel, EngineOptions]:
    options = engine_options(home, settings)
    return installed_model(home, settings.model.name, options.device), options
