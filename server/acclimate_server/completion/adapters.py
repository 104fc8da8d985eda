"""Which adapter completes in a repository, loaded into the running engine behind the requests' back.

A request never waits for an adapter: until it is loaded the base model answers. The command line and other editors may
move the live pointer and judge adapters anew, so the time stamps of what they write are looked at with every request;
that costs microseconds.

The adapter before is not unloaded: requests that run finish on it, and a rollback finds it. The engine keeps as many as
it has room for and drops what was used least (`--max-cpu-loras`).
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path

from acclimate_indexer.errors import AcclimateError, AdapterError
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.prompts import PromptBudget
from acclimate_training.adapter import base_calibration
from acclimate_training.engine import EngineClient
from acclimate_training.evaluation.calibration import Calibration, calibration_for
from acclimate_training.evaluation.contenders import ADAPTER, ADAPTER_RETRIEVAL, BASE, BASE_RETRIEVAL
from acclimate_training.registry import Adapter, AdapterRegistry

from ..status import AdapterWord
from .connection import EngineConnection

log = logging.getLogger(__name__)

AUTO = "auto"
NONE = "none"

Copy = tuple[int, int]  # time stamp and inode: two copies within one tick of the clock differ in the second
Stamp = tuple[str, Copy, Copy, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Whom to ask: the name in the engine, and how it is asked best.

    Attributes:
        budget: What it was trained with.
        uses_retrieval: The base, which knows nothing of the repository, and an adapter that was better with it.
        calibrations: By contender, how far its confidence can be trusted, as far as that was measured.
    """

    model: str
    budget: PromptBudget
    version: str | None
    uses_retrieval: bool = True
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)

    def calibration(self, *, with_retrieval: bool) -> Calibration:
        """How far its confidence can be trusted where it is asked like this."""
        asked = (BASE, BASE_RETRIEVAL) if self.version is None else (ADAPTER, ADAPTER_RETRIEVAL)
        return calibration_for(self.calibrations, asked[with_retrieval])


class AdapterInUse:
    """The adapter of one repository."""

    def __init__(
        self,
        home: RepositoryHome,
        connection: EngineConnection,
        executor: Executor,
        on_change: Callable[[], None],
    ) -> None:
        self._home = home
        self._connection = connection
        self._executor = executor
        self._on_change = on_change
        self._seen: Stamp | None = None
        self._loaded: Adapter | None = None
        self._calibrations: Mapping[str, Calibration] = {}
        self._loading: asyncio.Task[None] | None = None
        self.state: AdapterWord = "none"
        self.reason = ""

    @property
    def loaded(self) -> Adapter | None:
        """The adapter that the engine has, if one is in use."""
        return self._loaded

    @property
    def version(self) -> str | None:
        return None if self._loaded is None else self._loaded.version

    def choose(self, setting: str) -> Chosen:
        """Whom to ask now. What has changed since the last call is loaded in the background."""
        self.refresh(setting)
        if self._loaded is None or setting == NONE:
            return Chosen(
                model=self._connection.base_name,
                budget=self._connection.base_budget,
                version=None,
                calibrations=self._calibrations,
            )
        return Chosen(
            model=self._loaded.version,
            budget=self._loaded.prompt_budget,
            version=self._loaded.version,
            uses_retrieval=self._loaded.uses_retrieval,
            calibrations=self._calibrations,
        )

    def refresh(self, setting: str) -> None:
        """Looks whether another adapter is wanted, or the engine is a new one, and loads it in the background."""
        stamp = (setting, _copy(self._home.live), _copy(self._home.registry), self._connection.generation)
        if stamp == self._seen or self._connection.client is None:
            return
        if self._seen is not None and self._seen[-1] != stamp[-1]:
            self._loaded = None  # the engine that had it is gone
        self._seen = stamp
        if self._loading is not None:
            self._loading.cancel()
        self.state, self.reason = "loading", ""
        self._loading = asyncio.create_task(self._load(setting))
        self._on_change()

    def lost(self) -> None:
        """The engine does not know the adapter (any more): the base answers until it is loaded once more."""
        self._loaded = None
        self._seen = None

    async def close(self) -> None:
        """Stops loading."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)

    async def _load(self, setting: str) -> None:
        loop = asyncio.get_running_loop()
        client, prompts = self._connection.client, self._connection.prompts
        assert client is not None
        assert prompts is not None
        try:
            wanted, self._calibrations = await loop.run_in_executor(
                self._executor, _wanted, self._home, setting, prompts.model.identity
            )
            if wanted is not None:
                await client.load_adapter(wanted.version, wanted.folder)
                await loop.run_in_executor(self._executor, prompts.of, wanted.prompt_budget)
            self._loaded, self.state = wanted, "none" if wanted is None else "in use"
            if wanted is not None:
                await self._remove_old_copies(client, wanted)
        except AcclimateError as error:
            self._loaded, self.state, self.reason = None, "failed", str(error)
            log.warning("The adapter is not in use: %s", error)
        except Exception as error:  # a background task's boundary: without this nobody would hear of it
            self._loaded, self.state, self.reason = None, "failed", f"The adapter cannot be used: {error!r}."
            log.warning("The adapter is not in use", exc_info=True)
        self._on_change()

    async def _remove_old_copies(self, client: EngineClient, in_use: Adapter) -> None:
        """A far engine was given copies. What goes wrong here hinders no completion."""
        if client.address.shared is None:
            return
        loop = asyncio.get_running_loop()
        try:
            live = await loop.run_in_executor(self._executor, AdapterRegistry(self._home).live)
            keep = {in_use.version, in_use.version if live is None else live.version}
            await client.remove_old_copies(self._home.adapters, keep)
        except AcclimateError as error:
            log.warning("Old copies of adapters were not removed: %s", error)


def _copy(file: Path) -> Copy:
    """Which copy of a file lies there."""
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_ino


def _wanted(home: RepositoryHome, setting: str, base_identity: str) -> tuple[Adapter | None, Mapping[str, Calibration]]:
    """The adapter that the setting asks for, None being the base model, and what is known of its confidence.

    Raises:
        AdapterError: It does not exist, is damaged, or was made for another base model.
    """
    registry = AdapterRegistry(home)
    adapter = chosen_adapter(registry, setting)
    if adapter is None:
        return None, base_calibration(registry.versions(), base_identity)
    check_usable(adapter, base_identity)
    return adapter, adapter.calibration


def chosen_adapter(registry: AdapterRegistry, setting: str) -> Adapter | None:
    """The adapter that the setting `adapter` asks for; None is the base model.

    Raises:
        AdapterError: It does not exist.
    """
    if setting == NONE:
        return None
    return registry.live() if setting in (AUTO, "") else registry.get(registry.resolve(setting))


def check_usable(adapter: Adapter, base_identity: str) -> None:
    """To be asked whenever it is about to be loaded into an engine.

    Raises:
        AdapterError: It is damaged, or was made for another base model.
    """
    adapter.verify()
    if adapter.base_identity != base_identity:
        raise AdapterError(
            f"The adapter {adapter.version} was made for {adapter.base_identity}, and the engine serves"
            f" {base_identity}. Train again, or set `model.name`."
        )
