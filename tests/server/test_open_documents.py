"""What a model is asked for documents of every kind, through the whole server: a real client and a real child."""

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from tests.conftest import MakeRepository
from tests.support.fake_engine import BASE, FakeEngine, fake_engine
from tests.support.lsp import Editor, connected
from tests.support.raw_server import raw_server
from tests.support.tiny_model import TINY, TOKENS, write_manifest, write_tokenizer

from acclimate_indexer.home import Home
from acclimate_indexer.prompts import PromptBudget, PromptBuilder


@pytest.fixture
def builder(home: Home) -> PromptBuilder:
    """What reads prompts back; the server needs no more of a model than its tokenizer."""
    folder = home.model(TINY)
    folder.mkdir(parents=True)
    write_tokenizer(folder)
    write_manifest(folder, TINY)
    return PromptBuilder.load(folder, TOKENS, PromptBudget())


async def test_windows_line_ends_are_the_documents_and_not_the_prompts(
    home: Home, builder: PromptBuilder, tmp_path: Path
) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        await ready(editor)
        open_at(editor, f"{tmp_path.as_uri()}/app.py", "a = 1\r\nb = \r\nc = 3\r\n")

        assert await inline(editor, f"{tmp_path.as_uri()}/app.py", 1, 4) == ["name"]
        assert asked(engine, builder) == ("a = 1\nb =", "\nc = 3\n")


async def test_an_answer_comes_with_the_documents_line_ends(home: Home, builder: PromptBuilder, tmp_path: Path) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        engine.pieces = ["x = 1\n", "y = 2\n\n\n"]
        await ready(editor)
        open_at(editor, f"{tmp_path.as_uri()}/app.py", "a = 1\r\n\r\n")

        assert await inline(editor, f"{tmp_path.as_uri()}/app.py", 1, 0) == ["x = 1\r\ny = 2"]


async def test_half_a_character_does_not_stop_completion(home: Home, builder: PromptBuilder, tmp_path: Path) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        await ready(editor)
        open_at(editor, f"{tmp_path.as_uri()}/app.py", "a = '\ud83d'\nb = \nc = '\ude0b'\n")

        assert await inline(editor, f"{tmp_path.as_uri()}/app.py", 1, 4) == ["name"]
        assert asked(engine, builder) == ("a = '\ufffd'\nb =", "\nc = '\ufffd'\n")


async def test_an_untitled_document_is_completed_by_the_base_in_the_language_that_the_editor_names(
    home: Home, builder: PromptBuilder, tmp_path: Path
) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        await ready(editor)
        open_at(editor, "untitled:Untitled-1", "fn main() {\n    let x = \n}\n", language="rust")
        open_at(editor, "untitled:Untitled-2", "words\n", language="plaintext")

        assert await inline(editor, "untitled:Untitled-1", 1, 12) == ["name"]
        assert engine.asked[0]["model"] == BASE
        assert await inline(editor, "untitled:Untitled-2", 0, 5) == []
        status = await editor.command("acclimate.status")
        assert "not one that acclimate completes" in status["completion"]


async def test_a_cell_is_completed_among_the_other_code_cells_of_its_notebook(
    home: Home, builder: PromptBuilder, make_repository: MakeRepository
) -> None:
    folder = make_repository({"app.py": "x = 1\n"}, name="shop")
    async with fake_engine() as engine, connected(folder, options(engine)) as editor:
        engine.pieces = ["load(path)\n\n\nprint(1)"]
        await ready(editor)
        cells = [
            ("import csv\n", "python"),
            ("# Words", "markdown"),
            ("rows = \nrows", "python"),
            ("rows[0]", "python"),
        ]
        open_notebook(editor, folder, cells)

        assert await inline(editor, cell_uri(folder, 2), 0, 7) == ["load(path)"]
        assert asked(engine, builder) == ("import csv\n\nrows =", "\nrows\n\nrows[0]")
        assert "notes.ipynb" in builder.decode(engine.asked[-1]["prompt"])
        assert "shop" in builder.decode(engine.asked[-1]["prompt"])
        assert await inline(editor, cell_uri(folder, 1), 0, 2) == []  # prose


async def test_changes_of_a_notebook_and_of_its_cells_are_followed(
    home: Home, builder: PromptBuilder, tmp_path: Path
) -> None:
    async with fake_engine() as engine, connected(tmp_path, options(engine)) as editor:
        await ready(editor)
        open_notebook(editor, tmp_path, [("one = 1", "python"), ("two = ", "python")])
        added = cell_document(tmp_path, 7, "seven = 7", "python")
        end = types.Position(line=0, character=7)
        typed = types.TextDocumentContentChangePartial(range=types.Range(start=end, end=end), text="1")
        changes = types.NotebookDocumentCellChanges(
            structure=types.NotebookDocumentCellChangeStructure(
                array=types.NotebookCellArrayChange(start=1, delete_count=0, cells=[code_cell(added.uri)]),
                did_open=[added],
            ),
            text_content=[
                types.NotebookDocumentCellContentChanges(
                    document=types.VersionedTextDocumentIdentifier(uri=cell_uri(tmp_path, 0), version=2),
                    changes=[typed],
                )
            ],
        )
        editor.client.notebook_document_did_change(
            types.DidChangeNotebookDocumentParams(
                notebook_document=types.VersionedNotebookDocumentIdentifier(uri=notebook_uri(tmp_path), version=2),
                change=types.NotebookDocumentChangeEvent(cells=changes),
            )
        )

        assert await inline(editor, cell_uri(tmp_path, 1), 0, 6) == ["name"]
        assert asked(engine, builder) == ("one = 11\n\nseven = 7\n\ntwo =", "")


def test_notebooks_are_asked_for_where_the_client_has_them(home: Home, tmp_path: Path) -> None:
    capabilities = {"notebookDocument": {"synchronization": {"dynamicRegistration": True}}}
    with raw_server(tmp_path) as server:
        told = server.initialize(capabilities=capabilities)["result"]["capabilities"]

    assert told["notebookDocumentSync"] == {"notebookSelector": [{"notebook": "*"}]}


async def test_each_document_belongs_to_its_own_repository_in_a_workspace_of_several(
    home: Home, builder: PromptBuilder, make_repository: MakeRepository
) -> None:
    shop, bank = (make_repository({"app.py": "x = 1\n"}, name=name) for name in ("shop", "bank"))
    async with fake_engine() as engine, connected(shop, options(engine)) as editor:
        await ready(editor)
        event = types.WorkspaceFoldersChangeEvent(
            added=[types.WorkspaceFolder(uri=bank.as_uri(), name="bank")], removed=[]
        )
        editor.client.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event=event))
        for folder in (shop, bank):
            open_at(editor, f"{folder.as_uri()}/app.py", "x = \n")
            await inline(editor, f"{folder.as_uri()}/app.py", 0, 4)
            prompt = builder.decode(engine.asked[-1]["prompt"])
            assert (folder.name in prompt, ("shop" in prompt) + ("bank" in prompt)) == (True, 1)


def options(engine: FakeEngine) -> dict[str, Any]:
    return {"engine": {"url": engine.url}, "model": {"name": TINY}}


async def ready(editor: Editor) -> None:
    await editor.status_where(lambda status: status["engine"]["state"] == "ready")


def open_at(editor: Editor, uri: str, text: str, language: str = "python") -> None:
    item = types.TextDocumentItem(uri=uri, language_id=language, version=1, text=text)
    editor.client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))


async def inline(editor: Editor, uri: str, line: int, character: int) -> list[str]:
    params = types.InlineCompletionParams(
        text_document=types.TextDocumentIdentifier(uri=uri),
        position=types.Position(line=line, character=character),
        context=types.InlineCompletionContext(trigger_kind=types.InlineCompletionTriggerKind.Invoked),
    )
    answer = await editor.client.text_document_inline_completion_async(params)
    assert isinstance(answer, types.InlineCompletionList)
    return [str(item.insert_text) for item in answer.items]


def asked(engine: FakeEngine, builder: PromptBuilder) -> tuple[str, str]:
    """The text before and after the cursor that the engine was last asked with."""
    prompt = engine.asked[-1]["prompt"]
    before, suffix, middle = (prompt.index(marker) for marker in (builder._prefix, builder._suffix, builder._middle))
    return builder.decode(prompt[before + 1 : suffix]), builder.decode(prompt[suffix + 1 : middle])


def notebook_uri(folder: Path) -> str:
    return f"{folder.as_uri()}/notes.ipynb"


def cell_uri(folder: Path, number: int) -> str:
    """As VS Code names cells."""
    return f"vscode-notebook-cell:{folder.as_uri().removeprefix('file://')}/notes.ipynb#W{number}sZmlsZQ%3D%3D"


def cell_document(folder: Path, number: int, text: str, language: str) -> types.TextDocumentItem:
    return types.TextDocumentItem(uri=cell_uri(folder, number), language_id=language, version=1, text=text)


def code_cell(uri: str) -> types.NotebookCell:
    return types.NotebookCell(kind=types.NotebookCellKind.Code, document=uri)


def open_notebook(editor: Editor, folder: Path, cells: list[tuple[str, str]]) -> None:
    """Opens a notebook with these texts and languages."""
    documents = [cell_document(folder, number, *cell) for number, cell in enumerate(cells)]
    markup = types.NotebookCellKind.Markup
    notebook = types.NotebookDocument(
        uri=notebook_uri(folder),
        notebook_type="jupyter-notebook",
        version=1,
        cells=[
            types.NotebookCell(kind=markup, document=each.uri)
            if each.language_id == "markdown"
            else code_cell(each.uri)
            for each in documents
        ],
    )
    editor.client.notebook_document_did_open(
        types.DidOpenNotebookDocumentParams(notebook_document=notebook, cell_text_documents=documents)
    )
