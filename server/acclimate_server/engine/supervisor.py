"""The engine's one owner: starts vLLM for whoever holds a lease, and ends it some time after the last one.

A client connects over loopback, shows the key from `engine.json` (which only this user can read) and asks with one
line of JSON: `{"ask": "lease", "key": …, "spec": …}`, `{"ask": "stop", "key": …}` or `{"ask": "free", "key": …}`, which
kills vLLM where `stop` asks it to end. A lease lasts as long as its connection; every change of state is pushed to it
as one line.
"""

import asyncio
import contextlib
import json
import logging
import secrets
import signal
import time
from typing import Any

import filelock
import psutil

from acclimate_indexer.durable import write_json
from acclimate_indexer.errors import AcclimateError
from acclimate_indexer.home import Home
from acclimate_training.engine_address import EngineAddress
from acclimate_training.engine_sleep import wake_after_training

from .child import VllmRun, free_port
from .freed import why_freed
from .lease import CONNECT_SECONDS, running_engine
from .options import Device, EngineSpec, EngineState, StateName

ASK_SECONDS = 5.0  # a client asks at once; who does not is none
UNUSED_SECONDS = 30.0  # without any lease yet: whoever started us has died meanwhile
BACKOFF_SECONDS = (1.0, 5.0, 15.0)  # before each restart after a crash; then it is given up
AWAKE_SECONDS = 10.0  # between looking whether a GPU's engine was left asleep
STEADY_SECONDS = 600.0  # after so long a life, crashes are counted anew

log = logging.getLogger(__name__)


class Supervisor:
    """Everything that changes: the leases, the engine's task, the state."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._key = secrets.token_urlsafe(32)
        self._port = 0
        self._control_port = 0
        self._spec: EngineSpec | None = None
        self._state = EngineState(state="stopped")
        self._engine: asyncio.Task[None] | None = None
        self._one_engine = asyncio.Lock()  # held until the last process has ended
        self._leases: set[asyncio.StreamWriter] = set()
        self._stopping = asyncio.Event()
        self._is_freed = False
        self._idle_timer: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Serves until the idle time has passed, a client asks to stop, or a signal comes."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._stopping.set)
        server = await asyncio.start_server(self._serve_client, "127.0.0.1", 0)
        self._control_port = server.sockets[0].getsockname()[1]
        self._write_state()
        self._start_idle_timer(UNUSED_SECONDS)
        try:
            await self._stopping.wait()
        finally:
            log.info("ending")
            server.close()
            self._home.engine_state.unlink(missing_ok=True)  # from now on nobody finds us
            await self._end_engine()
            self._set_state("stopped", why_freed(self._home) if self._is_freed else "The engine was stopped.")
            for writer in self._leases:
                writer.close()

    async def _serve_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            question = await _question(reader, self._key)
            if question is None:
                return
            if question["ask"] in ("stop", "free"):
                self._is_freed = question["ask"] == "free"
                self._stopping.set()
            elif question["ask"] == "lease" and not self._stopping.is_set():
                await self._hold_lease(EngineSpec.from_json(question["spec"]), reader, writer)
        except (KeyError, TypeError, OSError) as error:
            log.info("a client was turned away: %r", error)
        finally:
            writer.close()

    async def _hold_lease(self, spec: EngineSpec, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if refusal := self._refusal(spec):
            writer.write(_line({"refused": refusal}))
            return
        self._leases.add(writer)
        self._stop_idle_timer()
        self._adopt(spec)
        writer.write(_line(self._message()))
        log.info("lease taken, %d held", len(self._leases))
        try:
            while await reader.read(1024):
                pass  # a lease has nothing more to say
        finally:
            self._leases.discard(writer)
            log.info("lease ended, %d held", len(self._leases))
            if not self._leases:
                self._start_idle_timer(spec.idle_seconds)

    def _refusal(self, spec: EngineSpec) -> str:
        if freed := why_freed(self._home):
            return freed
        if self._spec is None or not self._leases or self._spec.identity == spec.identity:
            return ""
        return (
            f"The engine serves the base model {self._spec.model_name!r} to somebody else; {spec.model_name!r} needs "
            "it to end first: close the other editor, or run `acclimate engine stop`."
        )

    def _adopt(self, spec: EngineSpec) -> None:
        """Starts what is asked for, unless it runs; who asks after a failure causes another try."""
        is_running = self._engine is not None and not self._engine.done()
        if is_running and self._spec is not None and (self._spec.identity == spec.identity):
            return
        if self._spec is None or self._spec.port != spec.port or not self._port:
            self._port = spec.port or free_port()
        if self._engine is not None:
            self._engine.cancel()  # now: one step more, and it might say "ready" to who asked for another
        self._spec = spec
        self._set_state("starting")
        self._engine = asyncio.create_task(self._keep_running(spec))

    async def _keep_running(self, spec: EngineSpec) -> None:
        try:
            async with self._one_engine:
                await self._restart_until_given_up(spec)
        except (AcclimateError, OSError) as error:
            self._set_state("failed", str(error))
        except Exception as error:  # the task's end would go unnoticed, and every client wait
            log.exception("the engine's task failed")
            self._set_state("failed", f"The engine could not be run: {error!r}.")

    async def _restart_until_given_up(self, spec: EngineSpec) -> None:
        crashes = 0
        while True:
            self._home.engine_canary.unlink(missing_ok=True)  # it was about the one before
            run, changed = await VllmRun.start(spec, port=self._port, key=self._key, log=self._home.engine_log), ""
            try:
                is_ready, since = await run.wait_ready(), time.monotonic()
                if is_ready:
                    log.info("ready: %s on port %d", spec.model_name, self._port)
                    self._set_state("ready")
                    changed = await self._end_of(run, spec.device)
            finally:
                await (run.kill() if self._is_freed else run.stop())
            crashes = 1 if is_ready and time.monotonic() - since > STEADY_SECONDS else crashes + 1
            reason = changed or await asyncio.to_thread(run.reason)
            log.warning("vLLM ended: %s", reason)
            if not is_ready or crashes > len(BACKOFF_SECONDS):
                what = "has crashed too often" if is_ready else "could not start"
                self._set_state("failed", f"The engine {what}: {reason}. Its log: {str(self._home.engine_log)!r}.")
                return
            self._set_state("starting", f"The engine is restarted after a crash: {reason}.")
            await asyncio.sleep(BACKOFF_SECONDS[crashes - 1])

    async def _end_of(self, run: VllmRun, device: Device) -> str:
        """Returns when vLLM ends, or must: with a reason if it woke up as another than it fell asleep.

        Meanwhile one that a killed training left asleep is woken; only a GPU's can sleep.
        """
        address = EngineAddress(url=f"http://127.0.0.1:{self._port}", key=self._key)
        while device == "cuda":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(run.process.wait(), AWAKE_SECONDS)
                return ""
            if not await asyncio.to_thread(wake_after_training, address, self._home):
                return "after its sleep for a training it does not answer as before"
        await run.process.wait()
        return ""

    async def _end_engine(self) -> None:
        if self._engine is not None:
            self._engine.cancel()
        async with self._one_engine:  # also the one before it may still be ending
            self._engine = None

    def _set_state(self, state: StateName, reason: str = "") -> None:
        self._state = EngineState(state=state, reason=reason)
        if not self._stopping.is_set():
            self._write_state()
        for writer in self._leases:
            writer.write(_line(self._message()))

    def _message(self) -> dict[str, Any]:
        return {
            "state": self._state.state,
            "reason": self._state.reason,
            "url": f"http://127.0.0.1:{self._port}",
            "key": self._key,
        }

    def _write_state(self) -> None:
        process = psutil.Process()
        record = self._message() | {
            "schema": 1,
            "pid": process.pid,
            "created": process.create_time(),
            "control_port": self._control_port,
            "model": self._spec.model_name if self._spec else "",
            "base": self._spec.identity if self._spec else "",
        }
        write_json(self._home.engine_state, record, mode=0o600)

    def _start_idle_timer(self, seconds: float) -> None:
        self._stop_idle_timer()
        self._idle_timer = asyncio.get_running_loop().call_later(seconds, self._stopping.set)

    def _stop_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None


def run_supervisor(home: Home) -> None:
    """Runs the supervisor in this process, or returns at once if another one runs."""
    lock = filelock.FileLock(home.engine_lock, mode=0o600)
    deadline = time.monotonic() + CONNECT_SECONDS
    while True:
        try:
            with lock.acquire(timeout=0.1):
                asyncio.run(Supervisor(home).run())
                return
        except filelock.Timeout:  # one runs, or is just ending
            if running_engine(home) is not None or time.monotonic() > deadline:
                return


async def _question(reader: asyncio.StreamReader, key: str) -> dict[str, Any] | None:
    """The client's one line, if it comes in time and knows the key."""
    try:
        question: Any = json.loads(await asyncio.wait_for(reader.readline(), ASK_SECONDS))
    except (TimeoutError, ValueError):
        return None
    knows_key = isinstance(question, dict) and secrets.compare_digest(str(question.get("key")).encode(), key.encode())
    return question if knows_key else None


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"
