"""What is not put to the engine, since it is known or will be known, and what is ended as soon as nobody wants it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from tests.server.test_completion import CODE, CURSOR, model, options, ready, until
from tests.support.fake_engine import FakeEngine, fake_engine
from tests.support.lsp import Editor, Kind, connected

from acclimate_indexer.home import Home

__all__ = ["model"]  # the fixture

LINE, COLUMN = CURSOR


async def typed(editor: Editor, file: Path, text: str, *, at: int = COLUMN) -> list[str]:
    """Types into the line of the cursor, and gives what is offered behind it while typing."""
    editor.type(file, LINE, at, text)
    return await editor.inline(file, LINE, at + len(text), Kind.Automatic)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "app.py"


async def test_typing_what_was_offered_asks_nothing(home: Home, model: str, tmp_path: Path, file: Path) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        engine.pieces = ["name.", "title()", "\n"]
        await ready(editor)
        editor.open(file, CODE)

        assert await editor.inline(file, *CURSOR, Kind.Automatic) == ["name.title()"]
        assert await typed(editor, file, "na") == ["me.title()"]
        assert await typed(editor, file, "me.", at=COLUMN + 2) == ["title()"]
        assert len(engine.asked) == 1


@pytest.mark.parametrize(("finish_reason", "asked"), [("stop", 1), ("length", 2)])
async def test_where_the_model_ended_its_answer_it_is_not_asked_again(
    home: Home, model: str, tmp_path: Path, file: Path, finish_reason: str, asked: int
) -> None:
    without = {"prefetch": False}
    async with fake_engine() as engine, connected(tmp_path, options(engine, completion=without)) as editor:
        engine.pieces, engine.finish_reason = ["name"], finish_reason
        await ready(editor)
        editor.open(file, CODE)
        await editor.inline(file, *CURSOR, Kind.Automatic)
        engine.pieces = ["[0]"]

        assert await typed(editor, file, "name") == ([] if asked == 1 else ["[0]"])
        assert len(engine.asked) == asked


async def test_the_next_line_is_asked_for_as_soon_as_an_answer_was_taken(
    home: Home, model: str, tmp_path: Path, file: Path
) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        engine.pieces = ["name"]
        await ready(editor)
        editor.open(file, CODE)
        await editor.inline(file, *CURSOR, Kind.Automatic)
        engine.pieces = ["    ", "# done", "\n"]

        assert await typed(editor, file, "name") == []
        await until(lambda: len(engine.asked) == 2)
        editor.type(file, LINE, COLUMN + 4, "\n    ")
        assert await editor.inline(file, LINE + 1, 4, Kind.Automatic) == ["# done"]
        assert len(engine.asked) == 2


async def test_a_bracket_that_the_editor_closed_is_typed_through(
    home: Home, model: str, tmp_path: Path, file: Path
) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        engine.pieces = ["len(name)", "\n"]
        await ready(editor)
        editor.open(file, CODE)

        assert await editor.inline(file, *CURSOR, Kind.Automatic) == ["len(name)"]
        editor.type(file, LINE, COLUMN, "len()")
        assert await editor.inline(file, LINE, COLUMN + 4, Kind.Automatic) == ["name"]
        assert len(engine.asked) == 1


async def test_typing_something_else_asks_anew(home: Home, model: str, tmp_path: Path, file: Path) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        engine.pieces = ["name", "\n"]
        await ready(editor)
        editor.open(file, CODE)
        await editor.inline(file, *CURSOR, Kind.Automatic)
        engine.pieces = ["mile", "\n"]

        assert await typed(editor, file, "s") == ["mile"]
        assert len(engine.asked) == 2


async def test_the_same_prompt_is_asked_once(home: Home, model: str, tmp_path: Path, file: Path) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        engine.pieces = ["name", "\n"]
        await ready(editor)
        editor.open(file, CODE)
        await editor.inline(file, *CURSOR, Kind.Automatic)
        editor.type(file, LINE, COLUMN, "x")
        editor.type(file, LINE, COLUMN, "", over=1)
        editor.close(file)  # what was offered in the document is forgotten
        editor.open(file, CODE)

        assert await editor.inline(file, *CURSOR) == ["name"]
        assert len(engine.asked) == 1


async def test_an_answer_that_is_typed_into_while_it_is_written_is_taken_over(
    home: Home, model: str, tmp_path: Path, file: Path
) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        engine.pieces, engine.pause_seconds = ["name", ".title", "()", "\n"], 0.5
        await ready(editor)
        editor.open(file, CODE)
        request = named_request(editor, file)
        await until(lambda: engine.sent >= 1)
        editor.type(file, LINE, COLUMN, "na")
        editor.client.cancel_request(types.CancelParams(id="older"))

        assert await editor.inline(file, LINE, COLUMN + 2, Kind.Automatic) == ["me.title()"]
        assert len(engine.asked) == 1
        await asyncio.gather(request, return_exceptions=True)


async def test_typing_something_else_ends_what_is_written(home: Home, model: str, tmp_path: Path, file: Path) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        engine.pieces, engine.pause_seconds = ["name"] * 100, 0.1
        await ready(editor)
        editor.open(file, CODE)
        request = asyncio.ensure_future(editor.inline(file, *CURSOR, Kind.Automatic))
        await until(lambda: engine.sent >= 1)
        editor.type(file, LINE, COLUMN, "smile")

        assert await request == []
        await until(lambda: engine.closed_early == 1)


async def test_an_answer_that_was_typed_into_and_is_not_asked_for_again_is_ended(
    home: Home, model: str, tmp_path: Path, file: Path
) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        engine.pieces, engine.pause_seconds = ["na", "me", *["x"] * 100], 0.2
        await ready(editor)
        editor.open(file, CODE)
        request = named_request(editor, file)
        await until(lambda: engine.sent >= 1)
        editor.type(file, LINE, COLUMN, "na")
        editor.client.cancel_request(types.CancelParams(id="older"))

        await until(lambda: engine.closed_early == 1)
        await asyncio.gather(request, return_exceptions=True)


async def test_a_keystroke_within_the_pause_asks_nothing(home: Home, model: str, tmp_path: Path, file: Path) -> None:
    async with fake_engine() as engine, connected(tmp_path, slow_hand(engine)) as editor:
        await ready(editor)
        editor.open(file, CODE)
        requests = [asyncio.ensure_future(typed(editor, file, key, at=COLUMN + at)) for at, key in enumerate("total")]

        assert [await request for request in requests] == [[], [], [], [], ["name"]]
        assert len(engine.asked) == 1


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"exclude": ["*.py"]}, "`completion.exclude`"),
        ({"max_file_characters": 10}, "`completion.max_file_characters`"),
        ({"automatic": "never"}, "`completion.automatic`"),
    ],
)
async def test_what_is_not_wanted_is_not_asked(
    home: Home, model: str, tmp_path: Path, file: Path, settings: dict[str, Any], reason: str
) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine, completion=settings)) as editor:
        await ready(editor)
        editor.open(file, CODE)

        assert await editor.inline(file, *CURSOR, Kind.Automatic) == []
        assert reason in (await editor.command("acclimate.status"))["completion"]
        assert engine.asked == []


async def test_by_hand_it_can_be_asked_where_typing_asks_nothing(
    home: Home, model: str, tmp_path: Path, file: Path
) -> None:
    async with (
        fake_engine() as engine,
        connected(tmp_path, options(engine, completion={"automatic": "never"})) as editor,
    ):
        await ready(editor)
        editor.open(file, CODE)

        assert await editor.inline(file, *CURSOR, Kind.Invoked) == ["name"]


def slow_hand(engine: FakeEngine) -> dict[str, Any]:
    return options(engine, completion={"debounce_seconds": 1.0})


def named_request(editor: Editor, file: Path) -> "asyncio.Future[Any]":
    """A request named `older`, which can be cancelled as an editor does."""
    params = types.InlineCompletionParams(
        text_document=types.TextDocumentIdentifier(uri=file.as_uri()),
        position=types.Position(*CURSOR),
        context=types.InlineCompletionContext(trigger_kind=Kind.Automatic),
    )
    protocol: Any = editor.client.protocol
    sent: asyncio.Future[Any] = asyncio.ensure_future(
        protocol.send_request_async("textDocument/inlineCompletion", params, msg_id="older")
    )
    return sent
