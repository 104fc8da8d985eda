"""The server's line to the engine: takes a lease, watches it, and opens it again when it is lost.

It rests while a person has freed the GPU, and on battery: then there is no local engine until somebody asks for it, or
the machine is on mains power again. An engine on another machine is not concerned.

Nothing waits for the engine: while `client` is None, a completion is answered with nothing at once, and `reason` says
why. Loading a model takes from seconds to a minute, and an editor must not hang for it.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import cast

from acclimate_indexer.errors import AcclimateError, ModelError, RuntimeMissing
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel
from acclimate_indexer.prompts import PromptBudget
from acclimate_training.engine import EngineClient
from acclimate_training.engine_address import EngineAddress
from acclimate_training.recipe import Recipe
from acclimate_training.shared_adapters import SharedFolder

from ..engine.freed import forget_freed, why_freed
from ..engine.lease import EngineLease
from ..engine.options import EngineOptions, EngineState, Speculative
from ..power import is_on_mains
from ..runtime.find import find_runtime
from ..settings import Settings
from ..status import EngineStatus, ModelStatus, StatusBoard
from .base_model import Prompts, installed_model

log = logging.getLogger(__name__)

READY_SECONDS = 900.0  # a large model from a slow disk; the state says so meanwhile
RETRY_SECONDS = 30.0  # after a failure: a person needs about that long to mend something
MAX_RETRY_SECONDS = 600.0  # an engine that always fails must not keep the machine busy with trying
POLL_SECONDS = 30.0  # between looks at the power and at a note of freeing; a look may take milliseconds of a laptop
ON_BATTERY = (
    "The machine is on battery: the engine comes back with mains power. Set `engine.on_battery` to run it all the same."
)


class EngineConnection:
    """Owns the lease and the client. `generation` counts engines: what was loaded into the last one is gone."""

    def __init__(
        self,
        home: Home,
        board: StatusBoard,
        executor: Executor,
        *,
        poll_seconds: float = POLL_SECONDS,
        wanted: "Callable[[Home, Settings], tuple[LocalModel, EngineOptions]] | None" = None,
    ) -> None:
        self._home = home
        self._board = board
        self._executor = executor
        self._task: asyncio.Task[None] | None = None
        self._lease: EngineLease | None = None
        self._poll_seconds = poll_seconds
        self._wanted = wanted or model_and_options
        self._woken = asyncio.Event()
        self._is_waiting = False  # for the power, for somebody to ask, or to try again
        self._is_freed = False
        self._began_freed = False  # the GPU had been freed before this editor was there
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

    def wake(self, *, is_asked_for: bool) -> None:
        """The user is here: an engine that was freed or has failed is tried again at once. Cheap; call it often.

        Args:
            is_asked_for: A person wants completions: the editor got the focus, a completion was asked for by hand.
                Without it the user is merely at work, which does not bring back what somebody has just freed; only in
                an editor that was started later it does, since that was the editor's way of getting the focus.
        """
        if not self._is_waiting:
            return
        if is_asked_for or self._began_freed:
            forget_freed(self._home)
            self._woken.set()
        elif self._is_freed and not self._home.engine_freed.exists():
            self._woken.set()  # somebody else wanted it back

    async def close(self) -> None:
        """Lets the engine go; it ends by itself after its last user."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _replace(self, previous: asyncio.Task[None] | None, settings: Settings) -> None:
        if previous is not None:
            previous.cancel()
            await asyncio.gather(previous, return_exceptions=True)
        self._began_freed = previous is None and self._home.engine_freed.exists()
        pause = RETRY_SECONDS
        while True:
            await self._until_allowed(settings)
            self._is_waiting = False
            self._woken.clear()
            try:
                await self._hold_while_allowed(settings)
                pause = RETRY_SECONDS
            except (ModelError, RuntimeMissing) as error:
                await self._fail(settings, str(error))  # looking again costs nothing
            except AcclimateError as error:
                pause = min(2 * pause, MAX_RETRY_SECONDS)
                await self._fail(settings, str(error))
            except Exception as error:  # a background task's boundary: without this nobody would hear of it
                pause = min(2 * pause, MAX_RETRY_SECONDS)
                log.exception("The engine could not be reached")
                await self._fail(settings, f"The engine could not be started: {error!r}.")
            finally:
                self._is_waiting = True
                await self._let_go()
            if not await self._why_not(settings):
                await self._wait(pause)

    async def _until_allowed(self, settings: Settings) -> None:
        """Returns when a local engine may be held, or another one is wanted."""
        while reason := await self._why_not(settings):
            self._is_waiting = True
            self._tell("stopped", reason)
            await self._wait(self._poll_seconds)
        self._is_freed = self._began_freed = False

    async def _hold_while_allowed(self, settings: Settings) -> None:
        hold = asyncio.create_task(self._hold(settings))
        try:
            while not hold.done():
                await asyncio.wait({hold}, timeout=self._poll_seconds)
                if not hold.done() and await self._why_not(settings):
                    return
            await hold
        finally:
            hold.cancel()
            await asyncio.gather(hold, return_exceptions=True)

    async def _why_not(self, settings: Settings) -> str:
        """Why no local engine may run now; empty if one may."""
        if settings.engine.url:
            return ""
        if freed := why_freed(self._home):
            self._is_freed = True
            return freed
        may_run = settings.engine.on_battery or await asyncio.get_running_loop().run_in_executor(
            self._executor, is_on_mains
        )
        return "" if may_run else ON_BATTERY

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), seconds)
        self._woken.clear()

    async def _fail(self, settings: Settings, reason: str) -> None:
        if not await self._why_not(settings):  # else that is the reason, and is said next
            self._tell("failed", reason)

    async def _hold(self, settings: Settings) -> None:
        loop = asyncio.get_running_loop()
        self._tell("starting", "Looking for the base model.")
        model, options = await loop.run_in_executor(self._executor, self._wanted, self._home, settings)
        self._board.update(
            model=ModelStatus(name=model.name, variant=model.variant, precision=model.precision),
        )
        prompts = Prompts(model=model)
        self._tell("starting", f"The engine is loading {model.name}; the first time takes about a minute.")
        self._lease = await EngineLease.acquire(self._home, options, model, is_asked_for=False)
        self._lease.on_change(self._tell_why_it_takes_long)
        self.base_budget = Recipe.for_device(options.device).budget  # what the base is compared with at evaluation
        await loop.run_in_executor(self._executor, prompts.of, self.base_budget)
        await self._lease.wait_ready(READY_SECONDS)
        client = EngineClient(self._lease.address)
        try:
            self.base_name, self.prompts, self.client = self._lease.base_model, prompts, client
            self.generation += 1
            self._tell("ready", " ".join([*options.remarks(), *_mismatch(self._lease, model)]))
            self.on_ready()
            state = await _end_of_readiness(self._lease)
        finally:
            self.client = None
            await client.aclose()
        if not await self._why_not(settings):
            self._tell("stopped", state.reason or "The engine has ended; it is started again.")

    def _tell_why_it_takes_long(self, state: EngineState) -> None:
        if state.state == "starting" and state.reason:
            self._tell("starting", state.reason)

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
        ca_file=Path(engine.ca_file).expanduser() if engine.ca_file else None,
        shared=SharedFolder.of(engine.adapters_folder, engine.adapters_folder_there),
        port=engine.port,
        idle_seconds=engine.idle_seconds,
        gpu_memory_gb=engine.gpu_memory_gb or None,
        speculative=cast("Speculative", engine.speculative),  # one of its choices: the settings say so
        runtime_python=None if local is None else local.python,
        device="cpu" if local is None else local.device,
    )


def runtime_python(settings: Settings) -> Path | None:
    """The interpreter that the user configured, if any."""
    return Path(settings.runtime.python).expanduser() if settings.runtime.python else None


def _mismatch(lease: EngineLease, model: LocalModel) -> list[str]:
    """An engine that somebody else started may serve anything; only its name can be seen from here."""
    if lease.base_model == model.name:
        return []
    return [
        f"The engine calls its model {lease.base_model!r}; prompts and adapters here are for {model.name!r}. "
        f"If it is that, start it with `--served-model-name {model.name}`."
    ]


async def _end_of_readiness(lease: EngineLease) -> EngineState:
    changed = asyncio.Event()
    lease.on_change(lambda _: changed.set())
    while lease.state.state == "ready":
        changed.clear()
        await changed.wait()
    return lease.state


def model_and_options(home: Home, settings: Settings) -> tuple[LocalModel, EngineOptions]:
    """What these settings ask for. Raises ModelError or RuntimeMissing where it is not on this machine."""
    options = engine_options(home, settings)
    return installed_model(home, settings.model.name, options.device), options
