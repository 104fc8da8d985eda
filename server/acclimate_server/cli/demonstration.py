"""The end of `acclimate adapt`: the language server completes a held-out place, without and with the adapter."""

import shlex
import shutil
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.panel import Panel
from rich.text import Text

from acclimate_indexer.errors import AcclimateError
from acclimate_indexer.models import LocalModel

from ..completion.adapters import NONE
from .complete import READY_SECONDS, completion_by, server_options
from .context import Context
from .indexing import wait_for_index

if TYPE_CHECKING:
    from .ask import Asked

EDITORS = Path(__file__).parent.parent / "editors"  # their configurations
LINES_BEFORE = 6  # of the code before the cursor that are shown: enough to see what was asked


async def demonstrate(result: dict[str, Any], tree: Path, model: LocalModel, context: Context) -> list[dict[str, Any]]:
    """Asks over LSP, prints the answers beside the true code, and gives them."""
    from .ask import asked_server  # the protocol's types take a third of a second, which only this needs

    example, version = result.get("example"), result.get("adapter")
    if not example:
        return []
    contenders = [NONE] if version is None else [NONE, version]
    options = server_options(context, adapter=NONE, model=model.name)
    path, text = tree / example["path"], example["prefix"] + example["suffix"]
    answers: dict[str, Asked] = {}
    context.terminal.say("Asking the language server for a completion at a held-out place.")
    try:
        async with asked_server(tree, options) as server:
            await server.wait_engine(READY_SECONDS)
            for contender in contenders:
                await server.use_adapter(options, contender)
                server.open(path, example["language"], text)
                await wait_for_index(server, context.terminal)
                offset = len(example["prefix"])
                answers[contender] = await completion_by(server, path, text, offset, contender)
    except (AcclimateError, TimeoutError) as error:
        context.terminal.say(f"The language server could not be asked: {error or 'it took too long'}")
        return []
    context.terminal.show(_panel(example, answers))
    return [
        {
            "contender": "base" if contender == NONE else "adapter",
            "adapter": asked.adapter,
            "completion": asked.text,
            "reason": asked.reason,
            "truth": example["middle"],
            "path": example["path"],
        }
        for contender, asked in answers.items()
    ]


def editor_words(tree: Path) -> str:
    """How to point an editor at it, with this machine's path of the command."""
    command = acclimate_command()
    return (
        "\nNeovim 0.11 or newer (<Tab> takes a completion; `acclimate editor neovim` for good):\n"
        f"  {shlex.join(['nvim', '-c', neovim_command(command), str(tree)])}\n"
        "VS Code: `make vsix` in acclimate's checkout builds its extension, vscode-extension/dist/acclimate.vsix:\n"
        "  code --install-extension vscode-extension/dist/acclimate.vsix\n"
        f"Any other editor that speaks LSP: the server is started by\n  {shlex.join([command, 'serve'])}\n"
        f"One completion in the terminal:\n  {shlex.join([command, 'complete'])} FILE:LINE:COLUMN"
    )


def neovim_command(command: str) -> str:
    """An Ex command that starts the server for every file of a language that is completed."""
    file = EDITORS / "neovim.lua"  # no quotes that a shell would have to quote
    return f"lua dofile([[{file}]]).setup({{cmd = {{[[{command}]], [[serve]]}}}})"


def acclimate_command() -> str:
    """The absolute path of the `acclimate` that was installed with this code, or whatever the shell would find."""
    with suppress(PackageNotFoundError):
        for file in distribution("acclimate").files or ():
            if file.name == "acclimate" and file.parent.name == "bin":
                return str(Path(str(file.locate())).resolve())
    return shutil.which("acclimate") or "acclimate"


def _panel(example: dict[str, Any], answers: dict[str, "Asked"]) -> Group:
    above = example["prefix"].split("\n")[-LINES_BEFORE:]
    parts = [
        Panel(Text(dedent("\n".join(above) + "▏")), title=f"{example['path']}, up to the cursor", title_align="left")
    ]
    indent = above[-1] if not above[-1].strip() else ""  # an answer of several lines is indented from its second on
    parts.append(Panel(Text(dedent(indent + example["middle"])), title="the true code", title_align="left"))
    for contender, asked in answers.items():
        title = "the base model" if contender == NONE else f"with the adapter {contender}"
        shown = dedent(indent + asked.text) if asked.text else f"(nothing: {asked.reason})"
        parts.append(Panel(Text(shown), title=title, title_align="left"))
    return Group(*parts)
