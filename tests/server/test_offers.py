"""What an editor gets: the items, where they go, and what they go on from."""

from contextlib import closing
from pathlib import Path

import pytest
from lsprotocol import types
from tests.conftest import MakeRepository
from tests.server.test_completion import CODE, CURSOR, model, options, ready
from tests.support.fake_engine import fake_engine
from tests.support.lsp import Editor, Kind, connected

from acclimate_indexer.completion_feedback import CompletionFeedback, Outcome
from acclimate_indexer.home import Home
from acclimate_indexer.repository import Repository

__all__ = ["model"]  # the fixture

LINE, COLUMN = CURSOR


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "app.py"


async def items(
    editor: Editor, file: Path, kind: Kind, selected: types.SelectedCompletionInfo | None = None
) -> list[types.InlineCompletionItem]:
    params = types.InlineCompletionParams(
        text_document=types.TextDocumentIdentifier(uri=file.as_uri()),
        position=types.Position(line=LINE, character=COLUMN),
        context=types.InlineCompletionContext(trigger_kind=kind, selected_completion_info=selected),
    )
    answer = await editor.client.text_document_inline_completion_async(params)
    assert isinstance(answer, types.InlineCompletionList)
    return list(answer.items)


async def test_by_hand_there_are_several_different_ones_and_while_typing_one(
    home: Home, model: str, tmp_path: Path, file: Path
) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine, completion={"candidates": 4})) as editor:
        engine.pieces = ["name", "\n"]
        engine.sampled = [["name", "\n"], ["len", "(name)\n", "x"], ["smile", "\n"]]
        await ready(editor)
        editor.open(file, CODE)

        while_typing = await items(editor, file, Kind.Automatic)
        by_hand = await items(editor, file, Kind.Invoked)
        assert [item.insert_text for item in while_typing] == ["name"]
        assert [item.insert_text for item in by_hand] == ["name", "len(name)", "smile"]


async def test_an_item_says_where_it_goes_and_how_it_is_told_that_it_was_taken(
    home: Home, model: str, tmp_path: Path, file: Path
) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        engine.pieces = ["name", "\n"]
        await ready(editor)
        editor.open(file, CODE)

        (item,) = await items(editor, file, Kind.Automatic)
        here = types.Position(line=LINE, character=COLUMN)
        assert (item.range, item.filter_text) == (types.Range(start=here, end=here), "name")
        assert item.command is not None
        assert await editor.command(item.command.command, *(item.command.arguments or ())) is None


async def test_ghost_text_goes_on_from_what_is_selected_in_the_list(
    home: Home, model: str, tmp_path: Path, file: Path
) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        engine.pieces = ["(name)", "\n"]
        await ready(editor)
        editor.open(file, CODE.replace("return ", "return s"))
        word = types.Range(
            start=types.Position(line=LINE, character=COLUMN), end=types.Position(line=LINE, character=COLUMN + 1)
        )

        (item,) = await items(editor, file, Kind.Automatic, types.SelectedCompletionInfo(range=word, text="str"))
        assert (item.insert_text, item.range) == ("str(name)", word)


@pytest.mark.parametrize("keep", [True, False])
async def test_what_became_of_an_offer_is_kept_on_this_machine(
    home: Home, model: str, make_repository: MakeRepository, keep: bool
) -> None:
    folder = make_repository({"app.py": CODE})
    settings = {"feedback": {"keep": keep}}
    async with fake_engine() as engine, connected(folder, options(engine, **settings)) as editor:
        engine.pieces = ["name", "\n"]
        await ready(editor)
        editor.open(folder / "app.py", CODE)
        (item,) = await items(editor, folder / "app.py", Kind.Automatic)
        editor.type(folder / "app.py", LINE, COLUMN, "name")
        assert item.command is not None
        await editor.command(item.command.command, *(item.command.arguments or ()))

    outcomes = kept(home, folder)
    assert [(each.fate, each.taken, each.path) for each in outcomes] == ([("accepted", 4, "app.py")] if keep else [])


async def test_an_offer_that_is_typed_through_is_one_offer(
    home: Home, model: str, make_repository: MakeRepository
) -> None:
    folder = make_repository({"app.py": CODE})
    async with fake_engine() as engine, connected(folder, options(engine)) as editor:
        engine.pieces = ["name.title()", "\n"]
        await ready(editor)
        editor.open(folder / "app.py", CODE)
        for number, typed in enumerate(["", *"name.title()"]):
            if typed:
                editor.type(folder / "app.py", LINE, COLUMN + number - 1, typed)
            await editor.inline(folder / "app.py", LINE, COLUMN + number, Kind.Automatic)

    assert [(each.fate, each.shown, each.taken) for each in kept(home, folder)] == [("accepted", 12, 12)]


def kept(home: Home, folder: Path) -> list[Outcome]:
    repository = home.for_repository(Repository.open(folder).common_directory)
    with closing(CompletionFeedback.open(repository.completions)) as store:
        return list(store.outcomes())
