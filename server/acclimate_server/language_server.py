"""pygls' server with our session; what every handler gets as `ls`."""

import asyncio
import importlib.metadata
import logging
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from acclimate_indexer.home import Home

from .protocol import Protocol
from .session import Session
from .status import NOTIFICATION, StatusBoard

log = logging.getLogger(__name__)

NOTEBOOKS = types.NotebookDocumentSyncOptions(
    notebook_selector=[types.NotebookDocumentFilterWithNotebook(notebook="*")]  # of every kind, with all their cells
)


class AcclimateServer(LanguageServer):
    """pygls' server with our session. Faults are logged; a pop-up per keystroke would be worse than no completion."""

    def __init__(self, home: Home, flags: Mapping[str, Any]) -> None:
        version = importlib.metadata.version("acclimate")
        super().__init__("acclimate", version, notebook_document_sync=NOTEBOOKS, protocol_cls=Protocol)
        self.session = Session(home, StatusBoard(lambda status: self.protocol.notify(NOTIFICATION, status)), flags)
        self.session.folders = self.opened_folders
        self.initial_options: dict[str, Any] = {}
        self.training_token: types.ProgressToken | None = None
        self.published: dict[str, list[types.Diagnostic]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def opened_folders(self) -> list[Path]:
        """The folders of the workspace; of an editor that knows but one, its root."""
        uris = [*self.workspace.folders] or [self.workspace.root_uri]
        return [Path(path) for uri in uris if uri and (path := to_fs_path(uri))]

    def keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs `work` in the background until it ends or the server does; asyncio alone would forget it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Logs what pygls would show in a pop-up."""
        log.error("%s: %s", getattr(source, "__name__", source), error)

    async def close(self) -> None:
        """Leaves nothing behind."""
        await self.session.close()
        for task in self._tasks:
            task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("A background task failed", exc_info=error)
