"""`Free the GPU now`: whatever the engine does, nothing of it is left, and nobody starts it again unasked."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from tests.engine.stand_in import stand_in_model, write_stand_in
from tests.support.engine import engine_processes, until

from acclimate_indexer.errors import EngineUnavailable
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel
from acclimate_server.engine.freed import why_freed
from acclimate_server.engine.freeing import free_engine
from acclimate_server.engine.lease import EngineLease, read_engine_state, running_engine, stop_engine
from acclimate_server.engine.options import EngineOptions


@pytest.fixture
async def engine_home(tmp_path: Path) -> AsyncIterator[Home]:
    home = Home.default({"ACCLIMATE_HOME": str(tmp_path / "home")}).create()
    yield home
    await free_engine(home, "the test")


@pytest.fixture
def options(tmp_path: Path) -> EngineOptions:
    return EngineOptions(runtime_python=write_stand_in(tmp_path), idle_seconds=600.0)


@pytest.fixture
def model(tmp_path: Path) -> LocalModel:
    return stand_in_model(tmp_path / "model")


async def test_nothing_is_left_of_an_engine_that_would_not_end_and_everybody_knows_why(
    engine_home: Home, options: EngineOptions, model: LocalModel
) -> None:
    (model.folder / "stubborn").touch()
    leases = [await EngineLease.acquire(engine_home, options, model) for _ in range(2)]
    await leases[0].wait_ready(20)
    await until(lambda: len(engine_processes(engine_home)) == 4)  # supervisor, guard, engine and its core

    assert await free_engine(engine_home, "a test")

    assert engine_processes(engine_home) == []
    assert read_engine_state(engine_home) is None
    for lease in leases:
        await until(lambda lease=lease: lease.state.state == "stopped")  # type: ignore[misc]  # mypy cannot infer it
        assert lease.state.reason.startswith("The engine was freed by a test.")
        await lease.release()


async def test_an_engine_that_still_loads_is_ended_too(
    engine_home: Home, options: EngineOptions, model: LocalModel
) -> None:
    (model.folder / "stubborn").touch()
    (model.folder / "loads").touch()
    lease = await EngineLease.acquire(engine_home, options, model)
    await until(lambda: len(engine_processes(engine_home)) == 4)
    waiting = asyncio.create_task(lease.wait_ready(20))

    assert await free_engine(engine_home, "a test")

    assert engine_processes(engine_home) == []
    with pytest.raises(EngineUnavailable, match="freed by a test"):
        await waiting
    await lease.release()


async def test_a_supervisor_that_hangs_goes_with_its_engine(
    engine_home: Home, options: EngineOptions, model: LocalModel
) -> None:
    lease = await EngineLease.acquire(engine_home, options, model)
    await lease.wait_ready(20)
    record = running_engine(engine_home)
    assert record is not None
    os.kill(record["pid"], signal.SIGSTOP)

    assert await free_engine(engine_home, "a test")

    assert engine_processes(engine_home) == []
    await lease.release()


async def test_an_engine_that_is_ending_in_its_own_time_is_ended_at_once(
    engine_home: Home, options: EngineOptions, model: LocalModel
) -> None:
    (model.folder / "stubborn").touch()
    lease = await EngineLease.acquire(engine_home, options, model)
    await lease.wait_ready(20)
    stopping = asyncio.create_task(stop_engine(engine_home))
    await until(lambda: running_engine(engine_home) is None)  # nobody finds it any more, and it is still there
    assert engine_processes(engine_home)

    assert await free_engine(engine_home, "a test")

    assert engine_processes(engine_home) == []
    assert await stopping
    await lease.release()


async def test_a_freed_engine_is_started_by_whoever_is_asked_to_and_by_nobody_else(
    engine_home: Home, options: EngineOptions, model: LocalModel
) -> None:
    assert await free_engine(engine_home, "a test") is False  # none ran, and the wish holds all the same

    with pytest.raises(EngineUnavailable, match="freed by a test"):
        await EngineLease.acquire(engine_home, options, model, is_asked_for=False)
    assert engine_processes(engine_home) == []

    lease = await EngineLease.acquire(engine_home, options, model)
    await lease.wait_ready(20)
    assert why_freed(engine_home) == ""
    other = await EngineLease.acquire(engine_home, options, model, is_asked_for=False)
    await other.release()
    await lease.release()


async def test_a_supervisor_that_was_just_started_takes_no_lease_that_nobody_asked_for(
    engine_home: Home, options: EngineOptions, model: LocalModel
) -> None:
    lease = await EngineLease.acquire(engine_home, replace(options, idle_seconds=30.0), model)
    await lease.wait_ready(20)
    await lease.release()
    engine_home.engine_freed.write_text("{}", encoding="utf-8")  # the wish came while it started

    with pytest.raises(Exception, match="freed by somebody"):
        await EngineLease.acquire(engine_home, options, model, is_asked_for=False)


async def test_a_shell_that_reads_the_log_is_left_alone(
    engine_home: Home, options: EngineOptions, model: LocalModel
) -> None:
    lease = await EngineLease.acquire(engine_home, options, model)
    await lease.wait_ready(20)
    reader = await asyncio.create_subprocess_exec("tail", "-f", "engine.log", cwd=engine_home.engine_log.parent)

    await free_engine(engine_home, "a test")

    assert psutil.pid_exists(reader.pid)
    assert reader.returncode is None
    reader.kill()
    await reader.wait()
    await lease.release()
