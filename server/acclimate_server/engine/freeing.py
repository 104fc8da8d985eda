"""Ends the local engine at once and gives its memory back, whoever uses it and whatever it is doing.

The supervisor is asked first, so that it can tell everybody why. What is still there after that is killed: a supervisor
that hangs, an engine that was ending in its own time, what a kill has left.
"""

import asyncio
import json
import time
from contextlib import suppress
from typing import Any

import psutil

from acclimate_indexer.errors import EngineError
from acclimate_indexer.home import Home

from .freed import note_freed
from .lease import running_engine

ASK_SECONDS = 2.0  # for the supervisor, which kills its engine within KILL_SECONDS
FREE_SECONDS = 3.0  # what a person is promised
POLL_SECONDS = 0.05
OURS = ("acclimate_server.engine", "vllm")  # in the command lines of the engine's processes


async def free_engine(home: Home, by: str) -> bool:
    """Ends every process of the engine; nobody starts it again unasked. False if none ran; that holds all the same.

    Raises:
        EngineError: A process of it is still there after three seconds.
    """
    note_freed(home, by)
    started = time.monotonic()
    record = running_engine(home)
    patience_seconds = ASK_SECONDS if record is not None and await _ask(record) else 0.0
    ran = False
    while rest := await asyncio.to_thread(engine_processes, home):
        ran, waited_seconds = True, time.monotonic() - started
        if waited_seconds > FREE_SECONDS:
            raise EngineError(f"The engine's process {rest[0].pid} does not end. Kill it by hand.")
        if waited_seconds > patience_seconds:
            _kill(rest)
        await asyncio.sleep(POLL_SECONDS)
    return ran


def engine_processes(home: Home) -> list[psutil.Process]:
    """Every process of this home's engine: supervisor, guard and vLLM's own share a working directory."""
    folder, found = str(home.engine_log.parent), []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.status() != psutil.STATUS_ZOMBIE and process.cwd() == folder and _is_ours(process):
                found.append(process)
    return found


def _is_ours(process: psutil.Process) -> bool:
    """A shell that somebody reads the log in is not. One without a command line is just ending, or just beginning."""
    line = " ".join(process.cmdline()).lower()
    return not line or any(name in line for name in OURS)


def _kill(processes: list[psutil.Process]) -> None:
    """In the order of their start: the supervisor goes first, and starts nothing more."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process.cmdline():  # else it is waited for: it ends, or shows what it is
                process.kill()


async def _ask(record: dict[str, Any]) -> bool:
    """Whether the supervisor could be told."""
    try:
        async with asyncio.timeout(ASK_SECONDS):
            _, writer = await asyncio.open_connection("127.0.0.1", record["control_port"])
            writer.write(json.dumps({"ask": "free", "key": record["key"]}).encode() + b"\n")
            await writer.drain()
            writer.close()
    except (OSError, TimeoutError):
        return False
    return True
