"""The language server: `create_server` is its table of contents, `serve` its life."""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any, BinaryIO

from lsprotocol import types
from pygls.io_ import StdoutWriter, run_async

from acclimate_indexer.home import Home

from .features import (
    activity,
    adapters,
    code_actions,
    commands,
    documenting,
    focus,
    inline_completion,
    lifecycle,
    review,
)
from .language_server import AcclimateServer
from .wire import MessageReader

log = logging.getLogger(__name__)

CLOSE_SECONDS = 5.0  # a training has a second to stop, giving back the engine takes milliseconds


def create_server(home: Home, flags: Mapping[str, Any] = MappingProxyType({})) -> AcclimateServer:
    """A fresh server. Registered here and not by decorators, so that each test has its own."""
    server = AcclimateServer(home, flags)
    server.feature(types.INITIALIZE)(lifecycle.initialize)
    server.feature(types.INITIALIZED)(lifecycle.initialized)
    server.feature(types.SHUTDOWN)(lifecycle.shutdown)
    server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)(lifecycle.configuration_changed)
    server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, inline_completion.OPTIONS)(
        inline_completion.inline_completion
    )
    server.feature(types.TEXT_DOCUMENT_DID_OPEN)(activity.document_opened)
    server.feature(types.TEXT_DOCUMENT_DID_CHANGE)(activity.document_changed)
    server.feature(types.TEXT_DOCUMENT_DID_SAVE, types.SaveOptions(include_text=False))(activity.document_saved)
    server.feature(types.TEXT_DOCUMENT_WILL_SAVE)(activity.document_will_be_saved)
    server.feature(types.TEXT_DOCUMENT_DID_CLOSE)(activity.document_closed)
    server.feature(types.TEXT_DOCUMENT_CODE_ACTION, code_actions.OPTIONS)(code_actions.code_actions)
    server.feature(focus.FOCUS)(focus.focus_changed)
    server.feature(types.WINDOW_WORK_DONE_PROGRESS_CANCEL)(commands.progress_cancelled)
    server.command(commands.RETRAIN)(commands.retrain)
    server.command(commands.CANCEL)(commands.cancel)
    server.command(commands.STATUS)(commands.status)
    server.command(commands.ACCEPTED)(commands.accepted)
    server.command(adapters.OVERVIEW)(adapters.overview)
    server.command(adapters.USE)(adapters.use)
    server.command(adapters.PROMOTE)(adapters.promote)
    server.command(adapters.ROLLBACK)(adapters.rollback)
    server.command(adapters.REPORT)(adapters.report)
    server.command(commands.ENGINE_FREE)(commands.free)
    server.command(commands.ENGINE_START)(commands.start)
    server.command(review.REVIEW)(review.review)
    server.command(review.DISMISS)(review.dismiss)
    server.command(review.NEVER)(review.never)
    server.command(review.EXPLAIN)(review.explain)
    server.command(documenting.DOCUMENT)(documenting.document)
    return server


def serve(home: Home, flags: Mapping[str, Any]) -> int:
    """Speaks LSP on stdin and stdout until the editor says `exit`, closes the pipe, or dies.

    `flags` are settings of the command line, which go before the editor's. The caller ends the process with `os._exit`:
    a thread that still reads stdin would hold it up.
    """
    wire_out = _private_stdout()
    try:
        return asyncio.run(_serve(create_server(home, flags), sys.stdin.buffer, wire_out))
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM


async def _serve(server: AcclimateServer, wire_in: BinaryIO, wire_out: BinaryIO) -> int:
    main = asyncio.current_task()
    assert main is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, main.cancel)
    reader = MessageReader(wire_in, ThreadPoolExecutor(max_workers=1, thread_name_prefix="stdin"))
    server.protocol.set_writer(StdoutWriter(wire_out))
    try:
        await run_async(
            threading.Event(), reader, server.protocol, logging.getLogger("pygls"), server.report_server_error
        )
    except SystemExit as ending:  # how pygls does `exit`
        return int(ending.code or 0)
    except BrokenPipeError:
        log.warning("the editor has closed the pipe")
    finally:
        async with asyncio.timeout(CLOSE_SECONDS):
            await server.close()
    return 0


def _private_stdout() -> BinaryIO:
    """Keeps stdout for the protocol alone: whatever else prints there now reaches stderr."""
    wire = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return wire
