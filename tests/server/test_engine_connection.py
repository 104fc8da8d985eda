"""When an editor has an engine, and when it lets it go: freed by a person, on battery, back again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from tests.engine.stand_in import stand_in_model, write_stand_in
from tests.support.engine import engine_processes, until
from tests.support.fake_engine import fake_engine
from tests.support.tiny_model import TOKENS, write_tokenizer

from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel
from acclimate_server.app import create_server
from acclimate_server.completion.connection import EngineConnection
from acclimate_server.engine.freeing import free_engine
from acclimate_server.engine.options import EngineOptions
from acclimate_server.features import commands, focus
from acclimate_server.settings import EngineSettings, Settings
from acclimate_server.status import StatusBoard

FAR = 3600.0  # no test waits so long: what happens has another cause than a look in passing
LOCAL = Settings()

Wanted = Callable[[Settings], tuple[LocalModel, EngineOptions]]


class Editor:
    """A connection with its own status, as an editor shows it."""

    def __init__(
        self, home: Home, wanted: Callable[..., tuple[LocalModel, EngineOptions]], poll_seconds: float
    ) -> None:
        self.board = StatusBoard(lambda _: None)
        self.threads = ThreadPoolExecutor(1)
        self.connection = EngineConnection(
            home, self.board, self.threads, poll_seconds=poll_seconds, wanted=lambda _, settings: wanted(settings)
        )

    @property
    def engine(self) -> tuple[str, str]:
        return self.board.now.engine.state, self.board.now.engine.reason

    async def shows(self, state: str, words: str = "") -> None:
        await until(lambda: self.engine[0] == state and words in self.engine[1])

    async def close(self) -> None:
        await self.connection.close()
        self.board.close()
        self.threads.shutdown()


OpenEditor = Callable[..., Editor]


@pytest.fixture
async def open_editor(home: Home, tmp_path: Path) -> AsyncIterator[OpenEditor]:
    """Opens an editor whose local engine is a stand-in."""
    model = replace(stand_in_model(tmp_path / "model"), fim=TOKENS)
    write_tokenizer(model.folder)
    options = EngineOptions(runtime_python=write_stand_in(tmp_path), idle_seconds=0.5)
    editors = []

    def wanted(settings: Settings) -> tuple[LocalModel, EngineOptions]:
        return model, replace(options, url=settings.engine.url, key=settings.engine.key)

    def open_(settings: Settings = LOCAL, *, poll_seconds: float = FAR) -> Editor:
        editor = Editor(home, wanted, poll_seconds)
        editors.append(editor)
        editor.connection.open(settings)
        return editor

    yield open_
    for editor in editors:
        await editor.close()
    await free_engine(home, "the test")


@pytest.fixture
def power(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The battery of a laptop; `power_plugged` may be changed."""
    battery = SimpleNamespace(power_plugged=True)
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)
    return battery


async def test_a_freed_engine_comes_back_to_all_editors_when_one_asks(home: Home, open_editor: OpenEditor) -> None:
    one, other = open_editor(), open_editor(poll_seconds=0.1)
    await one.shows("ready")
    await other.shows("ready")

    assert await free_engine(home, "a test")

    for editor in (one, other):
        await editor.shows("stopped", "freed by a test")
        editor.connection.wake(is_asked_for=False)  # typing goes on
        assert editor.connection.client is None
    assert home.engine_freed.exists()
    assert engine_processes(home) == []
    one.connection.wake(is_asked_for=True)
    await one.shows("ready")
    await other.shows("ready")  # the wish is over: the next look finds it so


async def test_work_brings_an_editor_back_once_another_has_asked(home: Home, open_editor: OpenEditor) -> None:
    one, other = open_editor(), open_editor()
    await one.shows("ready")
    await other.shows("ready")
    await free_engine(home, "a test")
    await one.shows("stopped", "freed")
    await other.shows("stopped", "freed")
    one.connection.wake(is_asked_for=True)
    await one.shows("ready")
    assert other.engine[0] == "stopped"

    other.connection.wake(is_asked_for=False)

    await other.shows("ready")


async def test_an_editor_that_is_opened_later_waits_for_its_user_to_begin(home: Home, open_editor: OpenEditor) -> None:
    await free_engine(home, "a test")
    editor = open_editor()
    await editor.shows("stopped", "freed by a test")
    assert engine_processes(home) == []

    editor.connection.wake(is_asked_for=False)

    await editor.shows("ready")


async def test_freeing_while_it_loads_is_no_failure(home: Home, open_editor: OpenEditor, tmp_path: Path) -> None:
    (tmp_path / "model" / "loads").touch()
    editor = open_editor()
    await until(lambda: len(engine_processes(home)) == 3)

    await free_engine(home, "a test")

    await editor.shows("stopped", "freed by a test")
    assert engine_processes(home) == []


async def test_the_focus_tries_a_failed_engine_again(open_editor: OpenEditor, tmp_path: Path) -> None:
    (tmp_path / "model" / "fail").write_text("ValueError: out of luck")
    editor = open_editor()
    await editor.shows("failed", "out of luck")
    (tmp_path / "model" / "fail").unlink()

    editor.connection.wake(is_asked_for=False)
    assert editor.engine[0] == "failed"  # each keystroke would be too often
    editor.connection.wake(is_asked_for=True)

    await editor.shows("ready")


async def test_on_battery_there_is_no_engine_until_the_power_is_back(
    home: Home, open_editor: OpenEditor, power: SimpleNamespace
) -> None:
    power.power_plugged = False
    editor = open_editor(poll_seconds=0.1)
    await editor.shows("stopped", "on battery")
    editor.connection.wake(is_asked_for=True)
    assert engine_processes(home) == []

    power.power_plugged = True

    await editor.shows("ready")


async def test_unplugging_lets_a_running_engine_go(home: Home, open_editor: OpenEditor, power: SimpleNamespace) -> None:
    editor = open_editor(poll_seconds=0.1)
    await editor.shows("ready")

    power.power_plugged = False

    await editor.shows("stopped", "`engine.on_battery`")
    await until(lambda: not engine_processes(home))


async def test_who_wants_it_has_the_engine_on_battery(open_editor: OpenEditor, power: SimpleNamespace) -> None:
    power.power_plugged = False
    editor = open_editor(Settings(engine=EngineSettings(on_battery=True)))

    await editor.shows("ready")


async def test_an_engine_elsewhere_is_asked_on_battery_and_after_freeing_too(
    home: Home, open_editor: OpenEditor, power: SimpleNamespace
) -> None:
    power.power_plugged = False
    await free_engine(home, "a test")
    async with fake_engine() as engine:
        editor = open_editor(Settings(engine=EngineSettings(url=engine.url)))

        await editor.shows("ready", "--served-model-name stand-in")  # the fake calls its model otherwise
        await editor.close()


async def test_why_an_engine_elsewhere_is_not_there_is_said(open_editor: OpenEditor) -> None:
    editor = open_editor(Settings(engine=EngineSettings(url="http://127.0.0.1:9")))

    await editor.shows("starting", "No engine answers at 'http://127.0.0.1:9'")


async def test_the_commands_and_the_focus_free_the_engine_and_have_it_again(
    home: Home, open_editor: OpenEditor
) -> None:
    server = create_server(home)
    editor = open_editor()
    server.session.connection = editor.connection
    await editor.shows("ready")

    assert await commands.free(server) == {"freed": True}
    await editor.shows("stopped", "freed by an editor")
    assert await commands.free(server) == {"freed": False}
    focus.focus_changed(server, SimpleNamespace(focused=False))
    assert home.engine_freed.exists()
    focus.focus_changed(server, SimpleNamespace(focused=True))
    await editor.shows("ready")
    assert await commands.free(server) == {"freed": True}
    await editor.shows("stopped", "freed by an editor")
    commands.start(server)
    await editor.shows("ready")


async def test_closing_an_editor_that_rests_starts_nothing(home: Home, open_editor: OpenEditor) -> None:
    await free_engine(home, "a test")
    editor = open_editor()
    await editor.shows("stopped", "freed")

    await editor.close()

    assert not [task for task in asyncio.all_tasks() if "EngineConnection" in repr(task)]
    assert home.engine_freed.exists()  # the wish outlives the editor
    assert engine_processes(home) == []
