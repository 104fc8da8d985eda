"""One run of vLLM: start it, wait until it serves, see it end, say why."""

import asyncio
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path

import httpx
import psutil

from acclimate_indexer.errors import EngineError
from acclimate_training.engine_address import EngineAddress

from .command import check, vllm_command, vllm_environment
from .options import EngineSpec

READY_SECONDS = 900.0  # a 7B model from a slow disk; the 0.5B model on two cores takes 50
POLL_SECONDS = 0.25
HEALTH_SECONDS = 5.0  # for one answer while it starts
STOP_SECONDS = 15.0  # the guard gives vLLM 10, then kills
KILL_SECONDS = 1.5  # the kernel takes back gigabytes in less; half of what freeing the engine may take
KILL_AGAIN_SECONDS = 0.02  # what vLLM starts meanwhile is killed, too
LOG_BYTES = 1024 * 1024  # kept of earlier runs
LOG_TAIL_BYTES = 256 * 1024  # a traceback of every process of vLLM fits
ERROR_LINE = re.compile(r"\b([A-Za-z_][\w.]*(?:Error|Exception)): *(.+)")
NO_CAUSE = ("Engine core initialization failed", "See root cause above")  # what vLLM says last, and says nothing
REASON_CHARACTERS = 300


class VllmRun:
    """vLLM under its guard.

    Attributes:
        process: The guard; it ends with vLLM, and vLLM with it.
    """

    def __init__(self, process: Process, port: int, log: Path, log_start: int) -> None:
        self.process = process
        self._port = port
        self._log = log
        self._log_start = log_start

    @classmethod
    async def start(cls, spec: EngineSpec, *, port: int, key: str, log: Path) -> "VllmRun":
        """Starts it, its output in `log`; checks first what can be checked.

        Raises:
            AcclimateError: The model is damaged, the interpreter missing, the GPU too small, the port taken.
        """
        await asyncio.to_thread(check, spec)
        command = await asyncio.to_thread(vllm_command, spec, port)
        _check_port(port)
        log_start = await asyncio.to_thread(_bound, log)
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "acclimate_server.engine.guard", *command),
                stdin=PIPE,  # held open by us alone: its end is how the guard learns of ours
                stdout=output,
                stderr=output,
                cwd=log.parent,
                env=vllm_environment(key, spec),
                start_new_session=True,
            )
        return cls(process, port, log, log_start)

    async def wait_ready(self) -> bool:
        """Whether it serves; False once it has ended or taken too long."""
        async with EngineAddress(url=f"http://127.0.0.1:{self._port}").http(HEALTH_SECONDS) as http:
            with suppress(TimeoutError):
                async with asyncio.timeout(READY_SECONDS):
                    while self.process.returncode is None:
                        with suppress(httpx.HTTPError):
                            if (await http.get("/health")).status_code == httpx.codes.OK:
                                return True
                        await asyncio.sleep(POLL_SECONDS)
        return False

    async def stop(self) -> None:
        """Asks it to end, waits, kills. Twice does no harm."""
        process = self.process
        if process.stdin is not None:
            process.stdin.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # also what a killed guard left behind
        await process.wait()

    async def kill(self) -> None:
        """Ends it without asking, whatever it does: vLLM may take ten seconds to end by itself.

        The guard is left for last: it inherits what loses its parent, and ends when nothing is left.
        """
        process = self.process
        if process.stdin is not None:
            process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(KILL_SECONDS):
                while process.returncode is None:
                    await asyncio.to_thread(kill_below, process.pid)
                    with suppress(TimeoutError):
                        await asyncio.wait_for(process.wait(), KILL_AGAIN_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()

    def reason(self) -> str:
        """Why it ended, in vLLM's own words."""
        with self._log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(self._log_start, size - LOG_TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
        return last_error(text) or f"it ended with code {self.process.returncode}"


def kill_below(pid: int) -> None:
    """Kills all that descends from a process, but not itself."""
    with suppress(psutil.NoSuchProcess):
        for process in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                process.kill()


def last_error(text: str) -> str:
    """The last error line of a log that names a cause; empty if there is none."""
    found = ""
    for line in text.splitlines():
        match = ERROR_LINE.search(line)
        if match and not any(phrase in line for phrase in NO_CAUSE):
            found = f"{match[1].rpartition('.')[2]}: {match[2].strip()}"
    return found[:REASON_CHARACTERS]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of the last run may linger
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise EngineError(
                f"Port {port} is taken by another program. Set `engine.port` to another one, or to 0 for any free one."
            ) from error


def _bound(log: Path) -> int:
    """Keeps the end of a long log; returns its size. It is cut in place: others hold it open for appending."""
    if not log.exists():
        log.touch(mode=0o600)
    log.chmod(0o600)
    if log.stat().st_size > LOG_BYTES:
        with log.open("r+b") as file:
            file.seek(-LOG_TAIL_BYTES, os.SEEK_END)
            tail = file.read().partition(b"\n")[2]
            file.seek(0)
            file.write(tail)
            file.truncate()
    return log.stat().st_size
