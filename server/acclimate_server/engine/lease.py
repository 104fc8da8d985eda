"""The client's side of the engine: a lease is an open connection to its supervisor.

Whoever needs the engine first starts the supervisor, detached. The kernel closes a connection when its process dies,
however it dies, so a lease never outlives its holder.
"""

import asyncio
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psutil

from acclimate_indexer.errors import EngineError, EngineUnavailable, RuntimeMissing
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel
from acclimate_training.engine import EngineClient
from acclimate_training.engine_address import EngineAddress

from .freed import forget_freed, why_freed
from .options import EngineOptions, EngineSpec, EngineState

CONNECT_SECONDS = 30.0  # the supervisor answers within a second of its start; an ending one takes up to 20 to go
START_AGAIN_SECONDS = 10.0  # a supervisor that finds another one running ends by itself
POLL_SECONDS = 0.05  # while the supervisor starts
STOP_SECONDS = 30.0  # vLLM gets 10 to end by itself, then it is killed
REMOTE_POLL_SECONDS = 5.0  # how soon a far engine's coming and going is noticed


class EngineLease:
    """The right to use an engine, until `release` or the end of this process.

    Attributes:
        address: Where to send requests; they are answered once `state` is ready.
        base_model: The name to ask for where no adapter is wanted.
        state: As last heard.
    """

    def __init__(self, address: EngineAddress, base_model: str) -> None:
        self.address = address
        self.base_model = base_model
        self.state = EngineState(state="starting")
        self._callbacks: list[Callable[[EngineState], None]] = []
        self._changed = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None

    @classmethod
    async def acquire(
        cls, home: Home, options: EngineOptions, model: LocalModel, *, is_asked_for: bool = True
    ) -> "EngineLease":
        """A lease on an engine that serves `model`; starts it if none runs. Does not wait for it to be ready.

        Takes up to a second when the supervisor must be started first.

        Args:
            is_asked_for: A person wants it now, even if somebody has freed the GPU before.

        Raises:
            RuntimeMissing: No interpreter with vLLM was given.
            EngineError: The supervisor cannot be started, or serves another base model to somebody else.
            EngineUnavailable: The engine was freed, and this one is not asked for.
        """
        if (remote := options.remote) is not None:
            lease = cls(remote, model.name)
            lease._follow(lease._ask_health(EngineClient(remote)))
            return lease
        if options.runtime_python is None:
            raise RuntimeMissing("vLLM is not installed here. Install it: `acclimate doctor --fix`.")
        if is_asked_for:
            forget_freed(home)
        spec = EngineSpec.of(options, model, options.runtime_python)
        reader, writer, first = await _joined(home.create(), spec)
        lease = cls(EngineAddress(url=first["url"], key=first["key"]), model.name)
        lease._hear(first)
        lease._writer = writer
        lease._follow(lease._listen(reader, writer))
        return lease

    def on_change(self, callback: Callable[[EngineState], None]) -> None:
        """Calls back, on the event loop, at every change of `state` from now on."""
        self._callbacks.append(callback)

    async def wait_ready(self, timeout_seconds: float) -> None:
        """Returns as soon as the engine serves.

        Raises:
            EngineUnavailable: It failed, ended, or did not become ready in time; the message says which and why.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                while self.state.state == "starting":
                    self._changed.clear()
                    await self._changed.wait()
        if self.state.state == "starting":
            raise EngineUnavailable(f"The engine is not ready after {timeout_seconds:.0f} seconds.")
        if self.state.state != "ready":
            raise EngineUnavailable(self.state.reason or f"The engine has {self.state.state}.")

    async def release(self) -> None:
        """Gives the lease back. Twice does no harm."""
        following, self._following = self._following, None
        if following is not None:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
        if self._writer is not None:
            self._writer.close()  # a task that is cancelled before its first step closes nothing
        self._set(EngineState(state="stopped", reason="The lease was released."))

    def _follow(self, coroutine: Any) -> None:
        self._following = asyncio.create_task(coroutine)

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                self._hear(json.loads(line))
        except (OSError, ValueError):
            pass  # said below
        finally:
            writer.close()
        if self.state.state != "stopped":  # it said why before it went
            self._set(EngineState(state="stopped", reason="The engine's supervisor has ended unasked."))

    async def _ask_health(self, client: EngineClient) -> None:
        try:
            while True:
                self._set(await self._remote_state(client))
                await asyncio.sleep(REMOTE_POLL_SECONDS)
        finally:
            await client.aclose()

    async def _remote_state(self, client: EngineClient) -> EngineState:
        try:
            self.base_model = await client.base_model()
            if await client.is_healthy():
                return EngineState(state="ready")
        except EngineUnavailable as error:
            return EngineState(state="starting", reason=str(error))
        except EngineError as error:
            return EngineState(state="failed", reason=str(error))
        return EngineState(state="starting", reason=f"The engine at {self.address.url!r} is not ready yet.")

    def _hear(self, message: dict[str, Any]) -> None:
        self._set(EngineState(state=message["state"], reason=message["reason"]))

    def _set(self, state: EngineState) -> None:
        if state == self.state:
            return
        self.state = state
        self._changed.set()
        for callback in self._callbacks:
            callback(state)


def read_engine_state(home: Home) -> dict[str, Any] | None:
    """What `acclimate status` shows of the local engine, without its key; None if none runs."""
    record = running_engine(home)
    return None if record is None else {name: value for name, value in record.items() if name != "key"}


async def stop_engine(home: Home) -> bool:
    """Ends the local engine whoever uses it; False if none ran.

    Raises:
        EngineError: It did not end.
    """
    record = running_engine(home)
    if record is None:
        return False
    with suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", record["control_port"])
        writer.write(json.dumps({"ask": "stop", "key": record["key"]}).encode() + b"\n")
        await writer.drain()
        writer.close()
    deadline = time.monotonic() + STOP_SECONDS
    while _process(record) is not None:
        if time.monotonic() > deadline:
            raise EngineError(f"The engine (process {record['pid']}) did not end. Kill it by hand.")
        await asyncio.sleep(POLL_SECONDS)
    return True


async def _joined(home: Home, spec: EngineSpec) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, dict[str, Any]]:
    """An open connection to the supervisor, started if need be, and its first message."""
    started_at = -math.inf
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            while True:
                if (joined := await _connected(home, spec)) is not None:
                    return joined
                if freed := why_freed(home):
                    raise EngineUnavailable(freed)
                if time.monotonic() - started_at > START_AGAIN_SECONDS:
                    started_at = time.monotonic()
                    await asyncio.to_thread(_start_supervisor, home)
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError as error:
        raise EngineUnavailable(
            f"The engine's supervisor is silent since {CONNECT_SECONDS:.0f} seconds. Its log: {str(home.engine_log)!r}."
        ) from error


async def _connected(
    home: Home, spec: EngineSpec
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, dict[str, Any]] | None:
    record = running_engine(home)
    if record is None:
        return None
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", record["control_port"])
        writer.write(json.dumps({"ask": "lease", "key": record["key"], "spec": spec.to_json()}).encode() + b"\n")
        line = await reader.readline()
    except OSError:
        return None
    if not line:  # it is ending
        writer.close()
        return None
    message: dict[str, Any] = json.loads(line)
    if refusal := message.get("refused"):
        writer.close()
        raise EngineError(refusal)
    return reader, writer, message


def _start_supervisor(home: Home) -> None:
    """
    Raises:
        EngineError: It ended before it began.
    """
    home.engine_log.parent.mkdir(mode=0o700, exist_ok=True)
    arguments = [str(path) for path in (home.data, home.cache, home.config)]
    with home.engine_log.open("ab") as log:
        started = subprocess.run(  # returns at once: the supervisor forks, so that it is nobody's child
            [sys.executable, "-P", "-m", "acclimate_server.engine", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=home.engine_log.parent,
            env={name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")},
            start_new_session=True,  # neither Ctrl-C in a terminal nor the end of the editor reaches it
            check=False,
        )
    if started.returncode:
        *_, last = home.engine_log.read_text(encoding="utf-8", errors="replace").splitlines() or [""]
        raise EngineError(f"The engine's supervisor cannot be started: {last}. Its log: {str(home.engine_log)!r}.")


def running_engine(home: Home) -> dict[str, Any] | None:
    """`engine.json` with the key, if the supervisor that wrote it lives."""
    try:
        record: dict[str, Any] = json.loads(home.engine_state.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if _process(record) is not None else None


def _process(record: dict[str, Any]) -> psutil.Process | None:
    """The supervisor that wrote the record, unless it is gone (its number may have been given to another)."""
    try:
        process = psutil.Process(record["pid"])
        alive = process.create_time() == record["created"] and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, KeyError, TypeError):
        return None
    return process if alive else None
