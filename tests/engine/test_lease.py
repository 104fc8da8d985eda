"""Leases, idle time, restarts and refusals: the supervisor's own logic, over a stand-in for vLLM's command."""

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.engine.stand_in import stand_in_model, write_nvidia_smi, write_stand_in
from tests.support.engine import engine_processes, until

from acclimate_indexer.errors import EngineError, EngineUnavailable, RuntimeMissing
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel
from acclimate_server.engine.child import VllmRun
from acclimate_server.engine.lease import EngineLease, read_engine_state, running_engine, stop_engine
from acclimate_server.engine.options import EngineOptions, EngineSpec, EngineState
from acclimate_server.engine.supervisor import Supervisor

HOLDER = """
import asyncio, pathlib, sys
sys.path.insert(0, sys.argv[1])
from acclimate_indexer.home import Home
from acclimate_server.engine.lease import EngineLease
from acclimate_server.engine.options import EngineOptions
from tests.engine.stand_in import stand_in_model
async def hold():
    home = Home.default({"ACCLIMATE_HOME": sys.argv[2]})
    options = EngineOptions(runtime_python=pathlib.Path(sys.argv[3]), idle_seconds=0.5)
    lease = await EngineLease.acquire(home, options, stand_in_model(pathlib.Path(sys.argv[4])))
    await lease.wait_ready(20)
    print("ready", flush=True)
    await asyncio.Event().wait()
asyncio.run(hold())
"""


@pytest.fixture
async def engine_home(tmp_path: Path) -> AsyncIterator[Home]:
    home = Home.default({"ACCLIMATE_HOME": str(tmp_path / "home")}).create()
    yield home
    await stop_engine(home)


@pytest.fixture
def options(tmp_path: Path) -> EngineOptions:
    return EngineOptions(runtime_python=write_stand_in(tmp_path), idle_seconds=0.5)


@pytest.fixture
def model(tmp_path: Path) -> LocalModel:
    return stand_in_model(tmp_path / "model")


async def test_the_first_lease_starts_the_engine_and_the_last_one_ends_it(
    engine_home: Home, options: EngineOptions, model: LocalModel
) -> None:
    first = await EngineLease.acquire(engine_home, options, model)
    second = await EngineLease.acquire(engine_home, options, model)
    await first.wait_ready(20)
    await second.wait_ready(20)

    assert first.address == second.address
    assert first.address.key
    await first.release()
    assert running_engine(engine_home) is not None
    await second.release()
    await until(lambda: not engine_processes(engine_home))
    assert read_engine_state(engine_home) is None


async def test_acquiring_does_not_wait_for_the_engine_to_be_ready(
    engine_home: Home, options: EngineOptions, model: LocalModel
) -> None:
    lease = await EngineLease.acquire(engine_home, options, model)
    heard: list[EngineState] = []
    lease.on_change(heard.append)

    assert lease.state == EngineState(state="starting")
    await lease.wait_ready(20)
    assert heard == [EngineState(state="ready")]
    await lease.release()


async def test_many_clients_at_once_share_one_supervisor(
    engine_home: Home, options: EngineOptions, model: LocalModel
) -> None:
    leases = await asyncio.gather(*(EngineLease.acquire(engine_home, options, model) for _ in range(4)))

    assert len({lease.address.url for lease in leases}) == 1
    for lease in leases:
        await lease.release()


async def test_the_engine_file_is_private_and_the_status_has_no_key(
    engine_home: Home, options: EngineOptions, model: LocalModel
) -> None:
    lease = await EngineLease.acquire(engine_home, options, model)

    assert stat.S_IMODE(engine_home.engine_state.stat().st_mode) == 0o600
    state = read_engine_state(engine_home)
    assert state is not None
    assert state["base"] == model.identity
    assert lease.address.key not in str(state)
    await until(lambda: len(engine_processes(engine_home)) == 3)
    assert not any(lease.address.key in " ".join(process.cmdline()) for process in engine_processes(engine_home))
    assert stat.S_IMODE(engine_home.engine_log.stat().st_mode) == 0o600
    await lease.release()


async def test_a_killed_holder_gives_its_lease_back(engine_home: Home, tmp_path: Path, options: EngineOptions) -> None:
    root = str(Path(__file__).parents[2])
    arguments = [root, str(engine_home.data), str(options.runtime_python), str(tmp_path / "other")]
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLDER, *arguments, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"ready\n"
    assert engine_processes(engine_home)

    holder.kill()

    await holder.wait()
    await until(lambda: not engine_processes(engine_home))


async def test_a_killed_supervisor_takes_the_engine_with_it_and_can_be_replaced(
    engine_home: Home, options: EngineOptions, model: LocalModel
) -> None:
    lease = await EngineLease.acquire(engine_home, options, model)
    await lease.wait_ready(20)
    state = read_engine_state(engine_home)
    assert state is not None

    os.kill(state["pid"], signal.SIGKILL)

    await until(lambda: not engine_processes(engine_home))
    await until(lambda: lease.state.state == "stopped")
    assert "ended" in lease.state.reason
    again = await EngineLease.acquire(engine_home, options, model)
    await again.wait_ready(20)
    await again.release()


async def test_a_killed_guard_leaves_no_engine_behind(
    engine_home: Home, options: EngineOptions, model: LocalModel
) -> None:
    lease = await EngineLease.acquire(engine_home, options, model)
    await lease.wait_ready(20)
    before = engine_processes(engine_home)
    guard = next(process for process in before if "acclimate_server.engine.guard" in process.cmdline())

    guard.kill()

    await until(lambda: lease.state.state == "starting")
    await lease.wait_ready(20)
    assert len(engine_processes(engine_home)) == len(before) == 3
    await lease.release()


async def test_a_crashed_engine_is_restarted_with_its_reason(
    engine_home: Home, options: EngineOptions, model: LocalModel
) -> None:
    (model.folder / "crash").write_text("out of luck")
    lease = await EngineLease.acquire(engine_home, options, model)
    heard: list[EngineState] = []
    lease.on_change(heard.append)

    await until(lambda: len(heard) == 3)

    assert [state.state for state in heard] == ["ready", "starting", "ready"]
    assert "out of luck" in heard[1].reason
    await lease.release()


async def test_a_gpus_engine_that_woke_up_as_another_is_started_anew(
    engine_home: Home, options: EngineOptions, model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_nvidia_smi(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    lease = await EngineLease.acquire(engine_home, replace(options, device="cuda"), model)
    await lease.wait_ready(20)
    heard: list[EngineState] = []
    lease.on_change(heard.append)
    note = {"model": "stand-in", "canary": [5, 6], "answer": [9, 9]}  # the stand-in says otherwise
    engine_home.engine_canary.write_text(json.dumps(note), encoding="utf-8")

    (model.folder / "asleep").touch()  # as a killed training leaves it

    await until(lambda: len(heard) == 2, 60)
    assert not (model.folder / "asleep").exists()
    assert [state.state for state in heard] == ["starting", "ready"]
    assert "does not answer as before" in heard[0].reason
    assert not engine_home.engine_canary.exists()
    await lease.release()


async def test_an_engine_that_cannot_start_fails_with_its_own_words_and_can_be_tried_again(
    engine_home: Home, options: EngineOptions, model: LocalModel
) -> None:
    (model.folder / "fail").write_text("ValueError: No available memory for the cache blocks.")
    lease = await EngineLease.acquire(engine_home, options, model)

    with pytest.raises(EngineUnavailable, match="could not start: ValueError: No available memory"):
        await lease.wait_ready(20)

    (model.folder / "fail").unlink()
    again = await EngineLease.acquire(engine_home, options, model)
    await again.wait_ready(20)
    await lease.wait_ready(20)
    await again.release()
    await lease.release()


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [("model.safetensors", b"\0" * 100, "damaged"), ("config.json", None, "has no config.json")],
)
async def test_a_damaged_model_is_named_before_anything_starts(
    engine_home: Home, options: EngineOptions, model: LocalModel, file: str, content: bytes | None, words: str
) -> None:
    (model.folder / file).unlink()
    if content is not None:
        (model.folder / file).write_bytes(content)
    lease = await EngineLease.acquire(engine_home, options, model)

    with pytest.raises(EngineUnavailable, match=words) as caught:
        await lease.wait_ready(20)

    assert "acclimate model fetch" in str(caught.value)
    await lease.release()


async def test_a_taken_port_is_said_in_one_sentence(
    engine_home: Home, options: EngineOptions, model: LocalModel
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        lease = await EngineLease.acquire(engine_home, replace(options, port=port), model)

        with pytest.raises(EngineUnavailable, match=f"Port {port} is taken"):
            await lease.wait_ready(20)

    await lease.release()


async def test_another_base_waits_for_the_first_ones_users_then_takes_its_place(
    engine_home: Home, options: EngineOptions, model: LocalModel, tmp_path: Path
) -> None:
    options = replace(options, idle_seconds=30.0)
    other = stand_in_model(tmp_path / "other", "other")
    lease = await EngineLease.acquire(engine_home, options, model)
    with pytest.raises(EngineError, match="serves the base model 'stand-in'"):
        await EngineLease.acquire(engine_home, options, other)

    await lease.release()
    taken = await EngineLease.acquire(engine_home, options, other)
    await taken.wait_ready(20)

    state = read_engine_state(engine_home)
    assert state is not None
    assert state["base"] == other.identity
    assert len(engine_processes(engine_home)) == 3
    await taken.release()


async def test_who_asks_for_another_base_is_not_told_that_the_first_one_is_ready(
    engine_home: Home, options: EngineOptions, model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = asyncio.Event()

    async def wait_ready(_: VllmRun) -> bool:
        return await answered.wait()

    monkeypatch.setattr(VllmRun, "wait_ready", wait_ready)
    engine_home.engine_log.parent.mkdir(exist_ok=True)
    first, second = (
        EngineSpec.of(options, each, options.runtime_python or tmp_path)
        for each in (model, stand_in_model(tmp_path / "other", "other"))
    )
    supervisor = Supervisor(engine_home)
    supervisor._adopt(first)
    await until(lambda: len(engine_processes(engine_home)) == 2)  # guard and engine: it waits for them

    answered.set()  # in the very step in which another one is asked for
    supervisor._adopt(second)
    answered.clear()
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    state = read_engine_state(engine_home)
    assert state is not None
    assert (state["state"], state["base"]) == ("starting", second.identity)
    await supervisor._end_engine()
    assert engine_processes(engine_home) == []
    engine_home.engine_state.unlink()  # it names this process


async def test_an_engine_that_is_stopped_while_it_waits_for_the_one_before_never_starts(
    engine_home: Home, options: EngineOptions, model: LocalModel, tmp_path: Path
) -> None:
    options = replace(options, idle_seconds=30.0)
    (model.folder / "stubborn").touch()
    lease = await EngineLease.acquire(engine_home, options, model)
    await lease.wait_ready(20)
    await lease.release()
    waiting = await EngineLease.acquire(engine_home, options, stand_in_model(tmp_path / "other", "other"))
    states: list[str] = []
    waiting.on_change(lambda state: states.append(state.state))

    assert await stop_engine(engine_home)

    await until(lambda: waiting.state.state != "starting")
    assert states == ["stopped"]
    assert engine_processes(engine_home) == []
    await waiting.release()


async def test_without_a_runtime_the_remedy_is_named(engine_home: Home, model: LocalModel) -> None:
    with pytest.raises(RuntimeMissing, match="acclimate doctor --fix"):
        await EngineLease.acquire(engine_home, EngineOptions(), model)


async def test_a_stranger_without_the_key_gets_nothing(
    engine_home: Home, options: EngineOptions, model: LocalModel
) -> None:
    lease = await EngineLease.acquire(engine_home, options, model)
    state = read_engine_state(engine_home)
    assert state is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", state["control_port"])

    writer.write(b'{"ask": "stop", "key": "guess"}\n')

    assert await reader.read() == b""
    writer.close()
    assert read_engine_state(engine_home) is not None
    await lease.release()


async def test_stopping_an_engine_that_does_not_run_says_so(engine_home: Home) -> None:
    assert await stop_engine(engine_home) is False


async def test_a_supervisor_that_cannot_even_start_is_said_at_once_with_its_last_words(
    engine_home: Home, options: EngineOptions, model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'Traceback' >&2\necho 'ModuleNotFoundError: nothing here' >&2\nexit 1\n")
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))

    with pytest.raises(EngineError, match=r"cannot be started: ModuleNotFoundError: nothing here\. Its log: '.+'\."):
        async with asyncio.timeout(5):
            await EngineLease.acquire(engine_home, options, model)
