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


async def watch_parent(process_id: int) -> None:
    """Sends ourselves SIGTERM once `process_id` is gone.

    An identifier that names no process from the start is of another machine or container: then the pipe has to do.
    """
    try:
        editor = psutil.Process(process_id)
    except psutil.Error:
        return
    while editor.is_running():  # noqa: ASYNC110  # a process of somebody else signals nothing; start times are compared
        await asyncio.sleep(POLL_SECONDS)
    log.warning("the editor (process %d) is gone", process_id)
    os.kill(os.getpid(), signal.SIGTERM)
