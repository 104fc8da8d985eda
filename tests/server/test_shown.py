"""What of an answer is shown, and what is kept back."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.server.test_completion import CODE, CURSOR, model, options, ready
from tests.support.fake_engine import FakeEngine, fake_engine
from tests.support.lsp import Kind, connected

from acclimate_indexer.home import Home

__all__ = ["model"]  # the fixture

SURE, UNSURE = [0.05, 0.05], [3.0, 2.0]  # nats of two tokens: the text has a probability of 90 or 0.7 percent


async def shown(
    engine: FakeEngine,
    folder: Path,
    text: str,
    at: tuple[int, int],
    kind: Kind = Kind.Automatic,
    **settings: Any,
) -> tuple[list[str], str]:
    """What is shown, and the reason why nothing is."""
    async with connected(folder, options(engine, completion=settings)) as editor:
        await ready(editor)
        editor.open(folder / "app.py", text)
        texts = await editor.inline(folder / "app.py", *at, kind)
        return texts, (await editor.command("acclimate.status"))["completion"]


@pytest.mark.parametrize(
    ("costs", "kind", "precision", "is_shown"),
    [
        (SURE, Kind.Automatic, 0.5, True),
        (UNSURE, Kind.Automatic, 0.5, False),
        (UNSURE, Kind.Automatic, 0, True),
        (UNSURE, Kind.Invoked, 0.5, True),
        ([], Kind.Automatic, 0.5, True),  # an engine that does not say what its tokens cost
    ],
)
async def test_while_typing_only_what_is_probably_right_is_shown(
    home: Home, model: str, tmp_path: Path, costs: list[float], kind: Kind, precision: float, is_shown: bool
) -> None:
    async with fake_engine() as engine:
        engine.pieces, engine.costs = ["name", ".title()"], costs
        texts, reason = await shown(engine, tmp_path, CODE, CURSOR, kind, precision=precision)

    assert texts == (["name.title()"] if is_shown else [])
    assert ("`completion.precision`" in reason) != is_shown


async def test_what_was_unsure_is_shown_once_its_doubtful_part_was_typed(
    home: Home, model: str, tmp_path: Path
) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        engine.pieces, engine.costs = ["name", ".title()"], [4.0, 0.05]
        await ready(editor)
        file = tmp_path / "app.py"
        editor.open(file, CODE)
        assert await editor.inline(file, *CURSOR, Kind.Automatic) == []
        editor.type(file, *CURSOR, "name")

        assert await editor.inline(file, CURSOR[0], CURSOR[1] + 4, Kind.Automatic) == [".title()"]
        assert len(engine.asked) == 1


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["(name", "))"], []),  # a bracket too many
        (["name\n", "  if x:"], ["name"]),  # the cut ends it before
    ],
)
async def test_what_would_break_the_file_is_not_shown(
    home: Home, model: str, tmp_path: Path, pieces: list[str], text: list[str]
) -> None:
    async with fake_engine() as engine:
        engine.pieces = pieces
        texts, _ = await shown(engine, tmp_path, CODE, CURSOR)

    assert texts == text


async def test_the_line_above_is_not_said_again(home: Home, model: str, tmp_path: Path) -> None:
    code = "total = price * rate\n\n"
    async with fake_engine() as engine:
        engine.pieces = ["total = price * rate", "\n"]
        texts, _ = await shown(engine, tmp_path, code, (1, 0))

    assert texts == []


async def test_an_answer_that_was_cut_off_is_shown_in_whole_lines(home: Home, model: str, tmp_path: Path) -> None:
    code = "def total(prices):\n    \n"
    async with fake_engine() as engine:
        engine.pieces, engine.finish_reason = ["count = 0\n", "    for price in pri"], "length"
        texts, _ = await shown(engine, tmp_path, code, (1, 4))

    assert texts == ["count = 0"]


@pytest.mark.parametrize(
    ("line", "setting"), [('name = "hello "', "in_strings"), ("# this says hello ", "in_comments")]
)
async def test_in_strings_and_comments_nothing_is_asked_where_a_setting_says_so(
    home: Home, model: str, tmp_path: Path, line: str, setting: str
) -> None:
    at = (0, len(line) - 1)
    async with fake_engine() as engine:
        texts, reason = await shown(engine, tmp_path, f"{line}\n", at, Kind.Automatic, **{setting: False})
        assert (texts, engine.asked) == ([], [])
        assert f"`completion.{setting}`" in reason

        await shown(engine, tmp_path, f"{line}\n", at, Kind.Invoked, **{setting: False})
        assert len(engine.asked) == 1


async def test_a_block_has_more_room_than_a_line(home: Home, model: str, tmp_path: Path) -> None:
    async with fake_engine() as engine:
        await shown(engine, tmp_path, CODE, CURSOR)
        await shown(engine, tmp_path, "def total(prices):\n", (0, len("def total(prices):")))

    line, block = (asked["max_tokens"] for asked in engine.asked)
    assert block == 2 * line


async def test_where_lines_come_too_late_typing_asks_nothing_and_the_status_says_so(
    home: Home, model: str, tmp_path: Path
) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        engine.pieces, engine.pause_seconds = ["name", "\n", " "], 1.3
        await ready(editor)
        file = tmp_path / "app.py"
        editor.open(file, CODE)
        for number in range(5):
            editor.type(file, 2, 0, f"# {number}")  # another prompt
            await editor.inline(file, *CURSOR, Kind.Invoked)
        asked = len(engine.asked)
        editor.type(file, 2, 0, "#")
        await asyncio.wait_for(editor.inline(file, *CURSOR, Kind.Automatic), 10)

        assert len(engine.asked) == asked
        assert "`completion.automatic`" in (await editor.command("acclimate.status"))["completion"]
