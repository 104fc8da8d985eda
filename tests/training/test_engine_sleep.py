"""The engine sleeps while the training has its GPU, and is itself again afterwards. vLLM sleeps on CUDA alone."""

import json
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from acclimate_indexer.errors import EngineError, EngineRefused, EngineUnavailable
from acclimate_indexer.home import Home
from acclimate_training.engine import EngineAddress
from acclimate_training.engine_sleep import can_sleep, engine_asleep, wake_after_training, wake_if_asleep
from acclimate_training.job import Job
from acclimate_training.reporting import Run


class SleepyEngine(ThreadingHTTPServer):
    """Speaks vLLM's endpoints of sleeping; `asked` has their order."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.is_asleep = False
        self.can_sleep = True
        self.wakes = True
        self.tokens_after_sleep = [1, 2]
        self.has_slept = False
        self.abandoned: list[AbstractContextManager[None]] = []

    @property
    def address(self) -> EngineAddress:
        return EngineAddress(url=f"http://127.0.0.1:{self.server_address[1]}/v1", key="k")

    def answer(self, path: str) -> dict[str, Any] | None:
        if path.startswith("/v1/completions"):
            return {"choices": [{"token_ids": self.tokens_after_sleep if self.has_slept else [1, 2]}]}
        if not self.can_sleep:
            return None
        if path.startswith("/sleep"):
            self.is_asleep = self.has_slept = True
        if path.startswith("/wake_up"):
            self.is_asleep = not self.wakes
            return {"status": "awake" if self.wakes else "sleeping"}
        return {"is_sleeping": self.is_asleep}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        engine = self.server
        assert isinstance(engine, SleepyEngine)
        assert self.headers["Authorization"] == "Bearer k"
        engine.asked.append(self.path)
        answer = engine.answer(self.path)
        body = json.dumps(answer or {}).encode()
        self.send_response(404 if answer is None else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def engine() -> Iterator[SleepyEngine]:
    with SleepyEngine() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        for training in server.abandoned:
            with suppress(EngineError):
                training.__exit__(None, None, None)
        server.shutdown()
        thread.join()


def test_the_engine_sleeps_within_the_block_and_is_awake_after(engine: SleepyEngine, home: Home) -> None:
    with engine_asleep(engine.address, [5, 6], model="base", home=home):
        was_asleep = engine.is_asleep

    assert was_asleep
    assert not engine.is_asleep
    assert engine.asked == ["/v1/completions", "/sleep?level=1&mode=wait", "/wake_up", "/v1/completions"]


def test_a_training_that_fails_wakes_it_too(engine: SleepyEngine, home: Home) -> None:
    with pytest.raises(ValueError, match="diverged"), engine_asleep(engine.address, [5], model="base", home=home):
        raise ValueError("diverged")

    assert not engine.is_asleep


def test_an_engine_that_wakes_up_as_another_is_not_trusted(engine: SleepyEngine, home: Home) -> None:
    engine.tokens_after_sleep = [9, 9]

    with (
        pytest.raises(EngineError, match="does not answer as before"),
        engine_asleep(engine.address, [5], model="base", home=home),
    ):
        pass


def test_an_engine_that_cannot_sleep_is_named_before_anything_is_trained(engine: SleepyEngine, home: Home) -> None:
    engine.can_sleep = False

    with (
        pytest.raises(EngineRefused, match="not started so that it can sleep"),
        engine_asleep(engine.address, [5], model="base", home=home),
    ):
        pytest.fail("trained beside a waking engine")

    assert wake_if_asleep(engine.address, home)


def test_an_engine_that_does_not_wake_is_said(engine: SleepyEngine, home: Home) -> None:
    engine.wakes = False

    with (
        pytest.raises(EngineUnavailable, match="did not wake up"),
        engine_asleep(engine.address, [5], model="base", home=home),
    ):
        pass


def killed_in_its_sleep(engine: SleepyEngine, home: Home) -> None:
    """A training that has put the engine to sleep and never came to the end of its block."""
    training = engine_asleep(engine.address, [5, 6], model="base", home=home)
    training.__enter__()
    engine.asked.clear()
    engine.abandoned.append(training)


def test_one_that_a_killed_training_left_asleep_is_woken_and_asked_as_before(engine: SleepyEngine, home: Home) -> None:
    killed_in_its_sleep(engine, home)

    assert wake_if_asleep(engine.address, home)
    assert not engine.is_asleep
    assert engine.asked == ["/is_sleeping", "/wake_up", "/v1/completions"]
    assert wake_if_asleep(engine.address, home)
    assert engine.asked[3:] == ["/is_sleeping"]


def test_one_that_a_killed_training_left_and_that_wakes_up_as_another_is_not_trusted(
    engine: SleepyEngine, home: Home
) -> None:
    engine.tokens_after_sleep = [9, 9]
    killed_in_its_sleep(engine, home)

    assert not wake_after_training(engine.address, home)
    assert not engine.is_asleep
    assert not wake_after_training(engine.address, home)  # awake by now, and still another


def test_one_of_which_nobody_knows_how_it_answered_is_not_trusted(engine: SleepyEngine, home: Home) -> None:
    engine.is_asleep = True

    assert not wake_if_asleep(engine.address, home)
    assert not engine.is_asleep


def test_a_changed_engine_is_found_also_after_a_training_that_failed(engine: SleepyEngine, home: Home) -> None:
    engine.tokens_after_sleep = [9, 9]
    with (
        pytest.raises(ValueError, match="diverged"),
        engine_asleep(engine.address, [5], model="base", home=home),
    ):
        raise ValueError("diverged")

    assert not wake_after_training(engine.address, home)


def test_one_that_sleeps_for_a_training_is_let_sleep(engine: SleepyEngine, home: Home) -> None:
    killed_in_its_sleep(engine, home)

    with FileLock(home.create().training_lock):
        assert wake_after_training(engine.address, home)
    assert engine.is_asleep
    assert engine.asked == []
    assert wake_after_training(engine.address, home)
    assert not engine.is_asleep


def test_an_engine_says_whether_it_can_sleep(engine: SleepyEngine) -> None:
    assert can_sleep(engine.address)
    engine.can_sleep = False
    assert not can_sleep(engine.address)
    assert not can_sleep(EngineAddress(url="http://127.0.0.1:9"))


def test_a_run_has_the_gpu_while_it_has_a_model(engine: SleepyEngine, home: Home, tmp_path: Path) -> None:
    job = Job(id="one", repository=tmp_path, data=home.data, cache=home.cache, phases=("train",), model="base")
    run = Run(job=job, home=home, folder=tmp_path, report=lambda _: None)
    with run.room_for_a_model():
        assert not engine.is_asleep  # there is room for both, unless somebody has said otherwise
    run.engine_asleep = partial(engine_asleep, engine.address, [5, 6], model="base", home=home)

    with run.room_for_a_model():
        assert engine.is_asleep
    assert not engine.is_asleep


def test_no_engine_at_all_is_said(home: Home) -> None:
    with pytest.raises(EngineUnavailable, match="did not answer"):
        wake_if_asleep(EngineAddress(url="http://127.0.0.1:9"), home)
