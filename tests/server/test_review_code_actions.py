"""What can be done about a comment: put right, dismissed for good, silenced in the code, explained."""

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from tests.support.git_folder import GitFolder
from tests.support.lsp import Editor, connected
from tests.support.migrated import NEW, OLD, edited, home_of, migrated

from acclimate_indexer.feedback import FeedbackStore
from acclimate_indexer.home import Home
from acclimate_indexer.review.dismissal_log import take_back

CODE = f"def remind(order):\n    {OLD}(order, '😋')\n\n\ndef warn(order):\n    x = '😋'; {OLD}(x)\n    return order\n"
FIRST, SECOND = 1, 5
MANUAL = types.TextDocumentSaveReason.Manual
OPTIONS: dict[str, Any] = {"completion": {"enabled": False}}


@pytest.fixture
def shop(tmp_path: Path, home: Home) -> GitFolder:
    return migrated(tmp_path / "shop", home)


@pytest.fixture
def path(shop: GitFolder) -> Path:
    return shop.path / "src/new.py"


async def saved(editor: Editor, path: Path, text: str, count: int = 2) -> list[types.Diagnostic]:
    editor.open(path, text)
    editor.save(path, MANUAL)
    return await editor.diagnostics_where(path, lambda said: len(said) == count)


async def action(editor: Editor, path: Path, line: int, title: str, only: str | None = None) -> types.CodeAction:
    return next(each for each in await editor.actions(path, line, only) if title in each.title)


async def run(editor: Editor, chosen: types.CodeAction) -> Any:
    assert chosen.command is not None
    return await editor.command(chosen.command.command, *(chosen.command.arguments or ()))


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
async def test_a_fix_puts_right_what_is_said(shop: GitFolder, path: Path, ending: str) -> None:
    text = CODE.replace("\n", ending)
    async with connected(shop.path, OPTIONS) as editor:
        said = await saved(editor, path, text)
        fix = await action(editor, path, SECOND, "Replace by")

    assert fix.kind == types.CodeActionKind.QuickFix
    assert fix.is_preferred
    assert list(fix.diagnostics or ()) == [said[1]]
    assert fix.edit is not None
    assert fix.edit.document_changes is not None
    (change,) = fix.edit.document_changes
    assert isinstance(change, types.TextDocumentEdit)
    assert change.text_document.version == 1
    assert edited(text, fix) == text.replace(f"{OLD}(x)", f"{NEW}(x)")


async def test_all_of_a_kind_are_put_right_also_those_that_are_not_shown(shop: GitFolder, path: Path) -> None:
    text = CODE * 3
    async with connected(shop.path, OPTIONS) as editor:
        await saved(editor, path, text, count=3)
        of_kind = await action(editor, path, FIRST, "Put all 6 of this kind right")
        everything = await action(editor, path, 0, "", only="source.fixAll")

    assert edited(text, of_kind) == edited(text, everything) == text.replace(OLD, NEW)
    assert everything.kind == "source.fixAll.acclimate"


async def test_lines_without_a_comment_have_no_actions(shop: GitFolder, path: Path) -> None:
    async with connected(shop.path, OPTIONS) as editor:
        await saved(editor, path, CODE)

        assert await editor.actions(path, 0) == []


async def test_what_was_typed_since_is_reckoned_with(shop: GitFolder, path: Path) -> None:
    async with connected(shop.path, OPTIONS) as editor:
        await saved(editor, path, CODE)
        editor.type(path, 0, 0, "# 😋\n")
        fix = await action(editor, path, FIRST + 1, "Replace by")

    assert edited(f"# 😋\n{CODE}", fix) == f"# 😋\n{CODE}".replace(f"{OLD}(order", f"{NEW}(order")


async def test_a_dismissed_comment_does_not_come_back_when_its_line_has_moved(
    shop: GitFolder, path: Path, home: Home
) -> None:
    async with connected(shop.path, OPTIONS) as editor:
        await saved(editor, path, CODE)
        assert await run(editor, await action(editor, path, FIRST, "Dismiss here")) == {"dismissed": True}
        (left,) = await editor.diagnostics_where(path, lambda said: len(said) == 1)
        assert left.range.start.line == SECOND
    async with connected(shop.path, OPTIONS) as editor:
        moved = f"import shop\n\nLIMIT = 3\n\n\n{CODE}"
        (left,) = await saved(editor, path, moved, count=1)
        assert left.range.start.line == SECOND + 5
        editor.type(path, FIRST + 5, 4, "y = ")
        editor.save(path, MANUAL)
        await editor.diagnostics_where(path, lambda said: len(said) == 2)

    (entry,) = FeedbackStore(home_of(shop, home).feedback).entries("dismissed")
    assert (entry["scope"], entry["code"], entry["subject"]) == ("here", "replaced-name", OLD)
    assert (entry["path"], entry["language"]) == ("src/new.py", "python")
    assert entry["commit"] == shop.git("rev-parse", "HEAD")
    assert f"{OLD}(order" in entry["hunk"]


async def test_what_is_never_to_be_said_again_is_said_in_no_file(shop: GitFolder, path: Path) -> None:
    other = shop.path / "src/other.py"
    async with connected(shop.path, OPTIONS) as editor:
        await saved(editor, path, CODE)
        await saved(editor, other, CODE)
        await run(editor, await action(editor, path, FIRST, "Never say this again"))
        await editor.diagnostics_where(path, lambda said: not said)

        assert await editor.diagnostics_where(other, lambda said: not said) == []


async def test_a_fix_that_would_do_harm_by_now_is_not_offered(shop: GitFolder, path: Path) -> None:
    async with connected(shop.path, OPTIONS) as editor:
        await saved(editor, path, "def remindAll(order):\n    return order\n", count=1)
        offered = await editor.actions(path, 0)
        everything = await editor.actions(path, 0, "source.fixAll")
        editor.type(path, 2, 0, "\n\nremindAll(1)\n")
        offered_then = await editor.actions(path, 0)
        everything_then = await editor.actions(path, 0, "source.fixAll")
        editor.save(path, MANUAL)
        await editor.status_where(lambda status: status["review"]["state"] == "idle")
        (said,) = editor.published[-1].diagnostics
        offered_at_last = await editor.actions(path, 0)

    assert any("remind_all" in each.title for each in offered)
    assert len(everything) == 1
    assert "Explain" in {each.title for each in offered_then}  # the comment stands, its name is used elsewhere
    assert not any("remind_all" in each.title for each in [*offered_then, *offered_at_last])
    assert everything_then == []
    assert said.code == "naming-style"


async def test_what_is_taken_back_is_said_again_where_nothing_else_is_shown(
    shop: GitFolder, path: Path, home: Home
) -> None:
    async with connected(shop.path, OPTIONS) as editor:
        await saved(editor, path, f"def remind(order):\n    {OLD}(order)\n", count=1)
        await run(editor, await action(editor, path, FIRST, "Dismiss here"))
        await editor.diagnostics_where(path, lambda said: not said)
        take_back(FeedbackStore(home_of(shop, home).feedback), 1)

        assert len(await editor.diagnostics_where(path, bool)) == 1


async def test_another_editor_hears_of_a_dismissal(shop: GitFolder, path: Path) -> None:
    async with connected(shop.path, OPTIONS) as one, connected(shop.path, OPTIONS) as other:
        await saved(one, path, CODE)
        await saved(other, path, CODE)
        await run(one, await action(one, path, FIRST, "Dismiss here"))

        assert len(await other.diagnostics_where(path, lambda said: len(said) == 1)) == 1


async def test_a_comment_in_the_code_silences(shop: GitFolder, path: Path) -> None:
    async with connected(shop.path, OPTIONS) as editor:
        await saved(editor, path, CODE)
        silenced = edited(CODE, await action(editor, path, FIRST, "Silence with a comment"))
        editor.close(path)
        (left,) = await saved(editor, path, silenced, count=1)

    assert silenced.split("\n")[FIRST].endswith("  # acclimate: ignore[replaced-name]")
    assert left.range.start.line == SECOND


async def test_an_explanation_is_shown_as_the_client_can(shop: GitFolder, path: Path) -> None:
    async with connected(shop.path, OPTIONS) as editor:
        await saved(editor, path, CODE)
        await run(editor, await action(editor, path, FIRST, "Explain"))
        (said,) = [each.message for each in editor.client.messages]
        assert f"`{NEW}`" in said
        assert shop.git("rev-parse", "--short=7", "HEAD") in said
    async with connected(shop.path, OPTIONS, shows_documents=True) as editor:
        comments = await saved(editor, path, CODE)
        assert await run(editor, await action(editor, path, FIRST, "Explain")) == {"explained": True}
        (shown,) = editor.client.shown_documents

    assert comments[0].code_description is not None
    assert shown.uri == comments[0].code_description.href


async def test_commands_about_what_is_not_shown_do_nothing(shop: GitFolder, path: Path) -> None:
    argument = {"uri": path.as_uri(), "mark": "0"}
    async with connected(shop.path, OPTIONS) as editor:
        assert await editor.command("acclimate.review.dismiss", argument) == {"dismissed": False}
        assert await editor.command("acclimate.review.never", argument) == {"dismissed": False}
        assert await editor.command("acclimate.review.explain", argument) == {"explained": False}
