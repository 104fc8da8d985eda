"""`acclimate editor NAME`: the configuration that an editor needs, ready to be put where it looks for one."""

import argparse
import json
import re
from pathlib import Path

from .context import Context
from .demonstration import EDITORS, acclimate_command
from .verb import DONE, Verbs, add_verb

FILES = {"emacs": "emacs.el", "neovim": "neovim.lua"}
PROGRAM = re.compile(r'"acclimate"(?=,? "serve")')


def register(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    parser = add_verb(
        verbs,
        shared,
        "editor",
        run,
        summary="print a ready configuration for an editor",
        description="Prints a configuration with keys for ghost text, retraining and the status, which names this "
        "installation's `acclimate`. Its head says where it belongs and what can be changed.",
        examples="acclimate editor neovim > ~/.config/nvim/lua/acclimate.lua\n"
        "acclimate editor neovim --path      where the file lies, to load it from there",
    )
    parser.add_argument("editor", choices=sorted(FILES), metavar="EDITOR", help=", ".join(sorted(FILES)))
    parser.add_argument("--path", action="store_true", help="print where the file lies instead")


def run(arguments: argparse.Namespace, context: Context) -> int:
    path = EDITORS / FILES[arguments.editor]
    context.terminal.show(str(path) if arguments.path else configuration(path))
    context.terminal.finish({"editor": arguments.editor, "path": str(path)})
    return DONE


def configuration(path: Path) -> str:
    """The file with the path of the program in it: few have the environment that it lives in on their search path."""
    program = json.dumps(acclimate_command(), ensure_ascii=False)
    return PROGRAM.sub(lambda _: program, path.read_text(encoding="utf-8").rstrip())
