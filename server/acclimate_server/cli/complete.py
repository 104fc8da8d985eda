"""`acclimate complete FILE:LINE:COLUMN`: what the editor would show there."""

import argparse
import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acclimate_indexer.errors import AcclimateError, AdapterError, UsageError
from acclimate_indexer.languages.registry import language_of

from ..completion.adapters import NONE
from .context import Context
from .indexing import wait_for_index
from .verb import DONE, Verbs, add_model_option, add_verb

if TYPE_CHECKING:
    from .ask import Asked, AskedServer  # imported when run: the protocol's types take a third of a second

MAX_FILE_BYTES = 5_000_000  # a language server would be sent more, but nobody completes by hand in such a file
READY_SECONDS = 300.0  # the engine loads a small model in about a minute on a processor
ADAPTER_SECONDS = 60.0  # loading an adapter into the engine takes well under a second
POLL_SECONDS = 0.3  # between two looks at the server's status


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place in a file; `line` and `column` count from 1, in characters."""

    path: Path
    line: int
    column: int

    @classmethod
    def parse(cls, text: str) -> "Spot":
        name, _, rest = text.partition(":") if text.count(":") < 2 else _split_last_two(text)
        line, _, column = rest.partition(":")
        if not name or not line.isdecimal() or not column.isdecimal() or int(line) < 1 or int(column) < 1:
            raise UsageError(f"{text!r} is no FILE:LINE:COLUMN; both count from 1, e.g. `app.py:12:5`.")
        return cls(path=Path(name), line=int(line), column=int(column))

    def offset_in(self, text: str) -> int:
        """Characters before the spot.

        Raises:
            UsageError: The file has no such place.
        """
        lines = text.split("\n")
        if self.line > len(lines) or self.column > len(lines[self.line - 1]) + 1:
            raise UsageError(f"{str(self.path)!r} has no line {self.line} with a column {self.column}.")
        return sum(len(line) + 1 for line in lines[: self.line - 1]) + self.column - 1


def register(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    parser = add_verb(
        verbs,
        shared,
        "complete",
        run,
        summary="one completion, as an editor would get it",
        description="Starts the language server, opens the file in it and asks for a completion. LINE and "
        "COLUMN count from 1, in characters; column 1 is before the first character.",
        examples="acclimate complete app.py:12:5\n"
        "acclimate complete app.py:12:5 --adapter none      the bare base model",
    )
    parser.add_argument("place", metavar="FILE:LINE:COLUMN")
    parser.add_argument("--adapter", default=None, metavar="WHICH", help="`auto`, `none` or a version")
    add_model_option(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    spot = Spot.parse(arguments.place)
    text = _read(spot.path)
    asked = asyncio.run(_ask(spot, text, arguments, context))
    if not asked.text:
        context.terminal.say(asked.reason)
    else:
        context.terminal.show(asked.text)
    context.terminal.finish({"completion": asked.text, "reason": asked.reason, "adapter": asked.adapter})
    return DONE


async def _ask(spot: Spot, text: str, arguments: argparse.Namespace, context: Context) -> "Asked":
    from .ask import asked_server

    offset = spot.offset_in(text)
    settings = context.settings(adapter=arguments.adapter, model__name=arguments.model)
    path = spot.path.expanduser().resolve()
    language = language_of(path.name)
    options = server_options(context, adapter=settings.adapter, model=settings.model.name)
    async with asked_server(path.parent, options) as server:
        server.open(path, language.name if language else "", text)  # read while the engine loads
        await server.wait_engine(READY_SECONDS)
        await wait_for_index(server, context.terminal)
        return await completion_by(server, path, text, offset, settings.adapter)


def server_options(context: Context, **settings: Any) -> dict[str, Any]:
    """This call's settings as an editor would send them."""
    # One is shown, and nobody edits anything after it.
    options = {"completion.candidates": 1, "feedback.keep": False, **context.flags}
    for name, value in settings.items():
        options[{"model": "model.name"}.get(name, name)] = value
    return options


async def completion_by(server: "AskedServer", path: Path, text: str, offset: int, adapter: str) -> "Asked":
    """The completion by this adapter; the server answers with the base while it still loads the adapter."""
    asked = await server.complete(path, text, offset)
    if adapter == NONE:
        return asked
    async with asyncio.timeout(ADAPTER_SECONDS):
        while (status := (await server.status())["adapter"])["state"] == "loading":  # noqa: ASYNC110  # it is far away
            await asyncio.sleep(POLL_SECONDS)
    if status["state"] == "failed":
        raise AdapterError(status["reason"])
    return asked if asked.adapter == status["version"] else await server.complete(path, text, offset)


def _split_last_two(text: str) -> tuple[str, str, str]:
    name, line, column = text.rsplit(":", 2)
    return name, ":", f"{line}:{column}"


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UsageError(f"{str(path)!r} is larger than {MAX_FILE_BYTES:,} bytes.")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UsageError(f"There is no file {str(path)!r}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise AcclimateError(f"{str(path)!r} cannot be read as UTF-8 text: {error}.") from error
