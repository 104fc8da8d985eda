"""Waits until the language server knows the repository, so that a prompt shows what an editor's would."""

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from .terminal import Phases, Terminal

if TYPE_CHECKING:
    from .ask import AskedServer  # imported when run: the protocol's types take a third of a second

INDEX_SECONDS = 60.0  # a thousand files take some ten seconds, once; who asks by hand waits no longer than a minute
SILENT_SECONDS = 2.0  # a shorter wait needs no words


async def wait_for_index(server: "AskedServer", terminal: Terminal) -> None:
    """Returns when the index of the opened documents is built; says so if it cannot be, or takes too long."""
    began = time.monotonic()
    with ExitStack() as stack:
        shown: list[Phases] = []

        def tell(index: dict[str, Any]) -> None:
            if time.monotonic() - began >= SILENT_SECONDS:
                if not shown:
                    shown.append(stack.enter_context(terminal.progress()))
                shown[0].update("Reading the repository", index["done"], index["of"])

        index = await server.wait_index(INDEX_SECONDS, tell)
    if index["state"] == "failed":
        terminal.say(f"The prompt shows nothing of other files: {index['reason']}")
    elif index["state"] == "building":
        terminal.say(
            f"Other files are still being read after {INDEX_SECONDS:.0f} seconds: the prompt shows nothing of them. "
            "The next call goes on from here."
        )
