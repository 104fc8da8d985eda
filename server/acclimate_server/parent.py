"""Ends this process when the editor that started it has died without a word.

Usually the pipe says so; it doesn't where something else holds its other end, and pygls never watches `processId`.
"""

import asyncio
import logging
import os
import signal

import psutil

log = logging.getLogger(__name__)

POLL_SECONDS = 3.0  # an orphan for three seconds hurts nobody


def running_process(process_id: int | None) -> psutil.Process | None:
    """The process that the editor names as itself; None if it names none of this machine (but of a container, say)."""
    try:
        return None if process_id is None else psutil.Process(process_id)
    except psutil.Error:
        return None


async def end_with(editor: psutil.Process) -> None:
    """Sends ourselves SIGTERM once the editor is gone."""
    while editor.is_running():  # noqa: ASYNC110  # a process of somebody else signals nothing; start times are compared
        await asyncio.sleep(POLL_SECONDS)
    log.warning("the editor (process %d) is gone", editor.pid)
    os.kill(os.getpid(), signal.SIGTERM)
