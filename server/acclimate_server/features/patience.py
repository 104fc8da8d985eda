"""Work that somebody waits for: after two seconds the editor shows that it goes on, and how to end it."""

import asyncio
import secrets
from collections.abc import Coroutine
from typing import Any, TypeVar

from lsprotocol import types

from ..language_server import AcclimateServer

SHOWN_AFTER_SECONDS = 2.0  # what is done before needs no progress bar

T = TypeVar("T")


async def with_progress(ls: AcclimateServer, work: Coroutine[Any, Any, T], *, title: str) -> T | None:
    """Does `work`; None if the user cancels its progress. Cancelling this ends the work, too."""
    task = asyncio.ensure_future(work)
    window = ls.client_capabilities.window
    if window is not None and window.work_done_progress:
        ls.keep(_show(ls, task, title))
    try:
        await asyncio.wait({task})
        return None if task.cancelled() else task.result()
    finally:
        task.cancel()


async def _show(ls: AcclimateServer, task: "asyncio.Task[Any]", title: str) -> None:
    """Shows progress from when the work has taken long until it is over; its cancel button ends the work."""
    await asyncio.wait({task}, timeout=SHOWN_AFTER_SECONDS)
    if task.done():
        return
    progress, token = ls.work_done_progress, f"acclimate-{secrets.token_hex(4)}"
    await progress.create_async(token)
    progress.tokens[token].add_done_callback(lambda _: task.cancel())  # pygls cancels it for the editor's button
    progress.begin(token, types.WorkDoneProgressBegin(title=title, cancellable=True))
    await asyncio.wait({task})
    progress.end(token, types.WorkDoneProgressEnd())
    del progress.tokens[token]
