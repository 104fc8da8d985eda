"""Doc-comments on request through the whole server: offered as a code action, asked of an engine, put in by an edit."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcRequestCancelled
from tests.conftest import MakeRepository
from tests.server.test_completion import model, options, publish, ready, until
from tests.support.fake_engine import FakeEngine, fake_engine
from tests.support.lsp import Editor, connected
from tests.support.tiny_model import TINY, TOKENS

from acclimate_indexer.home import Home
from acclimate_indexer.prompts import Cursor, PromptBudget, PromptBuilder

__all__ = ["model"]  # a fixture

PYTHON = """class Shop:
    def price(self, order):
        def taxes():
            return 1.19

        return taxes()
"""
IN_PRICE, IN_TAXES = (5, 8), (3, 12)
DOCSTRING = '"""What an order costs with its taxes."""'
SLOW_SECONDS = 0.2  # between two pieces of an answer that is waited for


class Edits:
    """What the server asked the editor to change; the editor does it unless `is_refusing`."""

    def __init__(self, editor: Editor) -> None:
        self.asked: list[types.TextDocumentEdit] = []
        self.is_refusing = False
        editor.client.feature(types.WORKSPACE_APPLY_EDIT)(lambda params: self._apply(params))  # pygls marks a function

    def _apply(self, params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
        for edit in params.edit.document_changes or ():
            assert isinstance(edit, types.TextDocumentEdit)
            self.asked.append(edit)
        return types.ApplyWorkspaceEditResult(
            applied=not self.is_refusing, failure_reason="It is read-only." if self.is_refusing else None
        )

    @property
    def texts(self) -> list[tuple[int, str]]:
        """The lines at which something was put in, and what."""
        return [(each.range.start.line, str(each.new_text)) for edit in self.asked for each in edit.edits]  # type: ignore[union-attr]  # no snippets here


@asynccontextmanager
async def at_work(folder: Path, **settings: Any) -> AsyncIterator[tuple[FakeEngine, Editor, Edits]]:
    """An editor whose engine is ready."""
    async with fake_engine() as engine, connected(folder, options(engine, **settings)) as editor:
        await ready(editor)
        yield engine, editor, Edits(editor)


async def actions(
    editor: Editor, path: Path, line: int, character: int, only: list[str] | None = None
) -> list[types.CodeAction]:
    """What the editor's menu would offer."""
    position = types.Position(line=line, character=character)
    params = types.CodeActionParams(
        text_document=types.TextDocumentIdentifier(uri=path.as_uri()),
        range=types.Range(start=position, end=position),
        context=types.CodeActionContext(diagnostics=[], only=only),
    )
    found = await editor.client.text_document_code_action_async(params)
    return [each for each in found or () if isinstance(each, types.CodeAction)]


async def choose(editor: Editor, path: Path, line: int, character: int) -> Any:
    """Takes the one action that is offered."""
    (action,) = await actions(editor, path, line, character)
    assert action.command is not None
    return await editor.command(action.command.command, *(action.command.arguments or ()))


def place(path: Path, line: int, character: int) -> dict[str, Any]:
    return {"uri": path.as_uri(), "position": {"line": line, "character": character}}


@pytest.mark.parametrize(
    ("name", "language", "text", "line", "answer", "expected"),
    [
        ("a.py", "python", PYTHON, 5, DOCSTRING, (2, f"        {DOCSTRING}\n")),
        ("a.py", "python", PYTHON, 3, '"""The share of\n\n            taxes."""', (3, None)),
        (
            "a.ts",
            "typescript",
            "class Shop {\n  @Input()\n  price(order: Order): number {\n    return order.total;\n  }\n}\n",
            3,
            "/**\n   * What an order costs.\n   */",
            (1, "  /**\n   * What an order costs.\n   */\n"),
        ),
        (
            "a.go",
            "go",
            "package shop\n\nfunc Price(order Order) int {\n\treturn order.Total\n}\n",
            3,
            "// Price is what an order costs.\n// It has its taxes.",
            (2, "// Price is what an order costs.\n// It has its taxes.\n"),
        ),
    ],
)
async def test_a_definition_without_a_doc_comment_is_given_one(
    home: Home,
    model: str,
    make_repository: MakeRepository,
    name: str,
    language: str,
    text: str,
    line: int,
    answer: str,
    expected: tuple[int, str | None],
) -> None:
    repository = make_repository({name: text})
    async with at_work(repository) as (engine, editor, edits):
        indentation = " " * (len(text.split("\n")[expected[0]]) - len(text.split("\n")[expected[0]].lstrip(" ")))
        engine.pieces = [indentation + answer[:8], answer[8:]]
        editor.open(repository / name, text, language)

        assert (await choose(editor, repository / name, line, 4))["documented"] in ("price", "Price", "taxes")
        assert edits.texts == [(expected[0], expected[1] or f"{indentation}{answer}\n")]
        assert edits.asked[0].text_document.version == 1


async def test_the_engine_is_asked_as_the_adapter_was_trained(
    home: Home, model: str, make_repository: MakeRepository
) -> None:
    repository = make_repository({"app.py": PYTHON})
    publish(home, repository, version="shop-1", identity=model, budget=PromptBudget()).set_live("shop-1")
    async with at_work(repository) as (engine, editor, _):
        engine.pieces = [f"        {DOCSTRING}"]
        editor.open(repository / "app.py", PYTHON)
        await editor.inline(repository / "app.py", *IN_PRICE)
        await editor.status_where(lambda status: status["adapter"]["state"] == "in use")
        await choose(editor, repository / "app.py", *IN_PRICE)

        documented = PYTHON.replace("order):\n", f"order):\n        {DOCSTRING}\n")
        start = documented.index(DOCSTRING)
        cursor = Cursor.at(path="app.py", language="python", text=documented, start=start, end=start + len(DOCSTRING))
        builder = PromptBuilder.load(home.model(TINY), TOKENS, PromptBudget())
        assert engine.asked[-1]["prompt"] == list(builder.prompt(cursor, repository=repository.name))
        assert engine.asked[-1]["model"] == "shop-1"
        assert "priority" not in engine.asked[-1]  # as who waits for a completion


async def test_the_lines_end_as_the_documents_do(home: Home, model: str, make_repository: MakeRepository) -> None:
    text = PYTHON.replace("\n", "\r\n")
    repository = make_repository({"app.py": text})
    async with at_work(repository) as (engine, editor, edits):
        engine.pieces = ['        """What an order costs.\n\n        It has its taxes.\n        """']
        editor.open(repository / "app.py", text)
        await choose(editor, repository / "app.py", *IN_PRICE)

        lines = ['        """What an order costs.', "", "        It has its taxes.", '        """', ""]
        assert edits.texts == [(2, "\r\n".join(lines))]


async def test_where_a_doc_comment_is_or_no_definition_nothing_is_offered(
    home: Home, model: str, make_repository: MakeRepository
) -> None:
    text = f"x = 1\n\n\ndef price():\n    {DOCSTRING}\n    return 1\n"
    repository = make_repository({"app.py": text, "notes.txt": PYTHON})
    async with at_work(repository) as (engine, editor, _):
        path = repository / "app.py"
        editor.open(path, text)
        editor.open(repository / "notes.txt", PYTHON, "plaintext")

        assert await actions(editor, path, 0, 0) == []
        assert await actions(editor, path, 5, 4) == []
        assert await actions(editor, repository / "notes.txt", *IN_PRICE) == []
        assert await actions(editor, repository / "closed.py", 0, 0) == []
        assert (await editor.command("acclimate.document", place(path, 5, 4)))["documented"] is None
        assert "no definition without a doc-comment" in editor.client.messages[0].message
        assert engine.asked == []


async def test_the_offer_has_the_kind_that_editors_ask_for(
    home: Home, model: str, make_repository: MakeRepository
) -> None:
    repository = make_repository({"app.py": PYTHON})
    async with at_work(repository) as (_, editor, _):
        path = repository / "app.py"
        editor.open(path, PYTHON)

        for only in (None, ["refactor"], ["refactor.rewrite"], ["quickfix", "refactor"]):
            (action,) = await actions(editor, path, *IN_TAXES, only)
            assert action.title == "Write a doc-comment for `taxes`"
            assert action.kind == types.CodeActionKind.RefactorRewrite
        assert await actions(editor, path, *IN_TAXES, ["quickfix"]) == []
        assert await actions(editor, path, *IN_TAXES, ["refactor.extract"]) == []


async def test_without_completion_nothing_is_offered(home: Home, model: str, make_repository: MakeRepository) -> None:
    repository = make_repository({"app.py": PYTHON})
    async with (
        fake_engine() as engine,
        connected(repository, options(engine, completion={"enabled": False})) as editor,
    ):
        editor.open(repository / "app.py", PYTHON)

        assert await actions(editor, repository / "app.py", *IN_PRICE) == []


@pytest.mark.parametrize(
    ("answer", "finish", "reason"),
    [
        (f"        {DOCSTRING}\n        order.sell()\n", "stop", "no doc-comment"),
        ('        """What an order costs', "stop", "no doc-comment"),
        ('        """What an order costs', "length", "came to no end"),
        ("", "stop", "proposed nothing"),
    ],
)
async def test_an_answer_that_is_no_doc_comment_changes_nothing_and_a_message_says_so(
    home: Home, model: str, make_repository: MakeRepository, answer: str, finish: str, reason: str
) -> None:
    repository = make_repository({"app.py": PYTHON})
    async with at_work(repository) as (engine, editor, edits):
        engine.pieces, engine.finish_reason = [answer], finish
        editor.open(repository / "app.py", PYTHON)

        assert await choose(editor, repository / "app.py", *IN_PRICE) == {"documented": None}
        assert edits.asked == []
        assert [reason in each.message for each in editor.client.messages] == [True]


async def test_an_edit_that_the_editor_does_not_take_is_told(
    home: Home, model: str, make_repository: MakeRepository
) -> None:
    repository = make_repository({"app.py": PYTHON})
    async with at_work(repository) as (engine, editor, edits):
        engine.pieces, edits.is_refusing = [f"        {DOCSTRING}"], True
        editor.open(repository / "app.py", PYTHON)

        assert await choose(editor, repository / "app.py", *IN_PRICE) == {"documented": None}
        assert "read-only" in editor.client.messages[0].message


async def test_what_is_typed_elsewhere_moves_the_comment_and_what_is_typed_there_refuses_it(
    home: Home, model: str, make_repository: MakeRepository
) -> None:
    repository = make_repository({"app.py": PYTHON})
    async with at_work(repository) as (engine, editor, edits):
        path = repository / "app.py"
        engine.pieces, engine.pause_seconds = [f"        {DOCSTRING}", "", ""], SLOW_SECONDS
        editor.open(path, PYTHON)

        chosen = asyncio.create_task(choose(editor, path, *IN_PRICE))
        await until(lambda: engine.sent)
        editor.type(path, 0, 0, "import shop\n")
        assert await chosen == {"documented": "price"}
        assert edits.texts == [(3, f"        {DOCSTRING}\n")]
        assert edits.asked[0].text_document.version == 2

        asked = len(engine.asked)
        chosen = asyncio.create_task(choose(editor, path, IN_PRICE[0] + 1, IN_PRICE[1]))
        await until(lambda: len(engine.asked) > asked)
        editor.type(path, 6, 8, "return 1\n        ")
        assert await chosen == {"documented": None}
        assert "was changed" in editor.client.messages[0].message


async def test_cancelling_the_request_ends_the_generation(
    home: Home, model: str, make_repository: MakeRepository
) -> None:
    repository = make_repository({"app.py": PYTHON})
    async with at_work(repository) as (engine, editor, edits):
        path = repository / "app.py"
        engine.pieces, engine.pause_seconds = ["        ", '"""What', *[" it"] * 100], SLOW_SECONDS
        editor.open(path, PYTHON)
        params = types.ExecuteCommandParams(command="acclimate.document", arguments=[place(path, *IN_PRICE)])
        protocol: Any = editor.client.protocol
        sent = protocol.send_request_async(types.WORKSPACE_EXECUTE_COMMAND, params, msg_id="documenting")
        request = asyncio.ensure_future(sent)
        await until(lambda: engine.sent)
        editor.client.cancel_request(types.CancelParams(id="documenting"))

        await until(lambda: engine.closed_early == 1)
        with pytest.raises(JsonRpcRequestCancelled):
            await request
        assert edits.asked == []


async def test_what_takes_long_shows_progress_whose_button_ends_it(
    home: Home, model: str, make_repository: MakeRepository
) -> None:
    repository = make_repository({"app.py": PYTHON})
    async with at_work(repository) as (engine, editor, edits):
        path, reports = repository / "app.py", editor.client.progress_reports
        engine.pieces, engine.pause_seconds = ["        ", '"""What', *[" it"] * 100], SLOW_SECONDS
        editor.open(path, PYTHON)
        chosen = asyncio.create_task(choose(editor, path, *IN_PRICE))
        await until(lambda: any(reports.values()))
        (token,) = reports
        editor.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token=token))

        assert await chosen == {"documented": None}
        await until(lambda: engine.closed_early == 1)
        shown: Sequence[Any] = reports[token]  # what is in the parameters, which pytest-lsp leaves out
        await until(lambda: [each.kind for each in shown] == ["begin", "end"])
        assert edits.asked == []
        assert editor.client.messages == []  # whoever ends it knows


async def test_an_engine_that_is_not_ready_is_said_to_be(
    home: Home, model: str, make_repository: MakeRepository
) -> None:
    repository = make_repository({"app.py": PYTHON})
    async with fake_engine() as engine, connected(repository, options(engine)) as editor:
        engine.is_healthy = False
        editor.open(repository / "app.py", PYTHON)
        await editor.status_where(lambda status: status["engine"]["state"] == "starting")

        assert await choose(editor, repository / "app.py", *IN_PRICE) == {"documented": None}
        assert "engine" in editor.client.messages[0].message


async def test_an_argument_that_names_no_place_is_an_error(home: Home, tmp_path: Path) -> None:
    async with connected(tmp_path) as editor:
        for argument in ({}, {"uri": "file:///a.py"}, {"uri": 1, "position": {"line": 0, "character": 0}}):
            with pytest.raises(JsonRpcException, match="uri, position"):
                await editor.command("acclimate.document", argument)
        with pytest.raises(JsonRpcException, match="not open"):
            await editor.command("acclimate.document", place(tmp_path / "a.py", 0, 0))
