"""Asks the real language server, in a process of its own, as an editor would: over LSP on its stdin and stdout."""

import asyncio
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from acclimate_indexer.errors import AcclimateError, EngineUnavailable

from ..features.commands import STATUS
from ..pipeline_process import child_environment
from ..status import NOTIFICATION

log = logging.getLogger(__name__)

POLL_SECONDS = 0.3  # between two looks at the server's status
END_SECONDS = 10.0  # the server needs well under one to end


class ServerDied(AcclimateError):
    """The language server ended before it answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An answer, and who gave it.

    Attributes:
        text: What an editor would show; empty if nothing.
        reason: Why nothing is shown.
        adapter: The version that completed, or None for the base.
    """

    text: str
    reason: str
    adapter: str | None


class AskedServer:
    """A language server that we talk to. `client` is pygls', for whoever asks for more than this offers."""

    def __init__(self, client: LanguageClient) -> None:
        self.client = client
        self._versions: dict[str, int] = {}

    async def status(self) -> dict[str, Any]:
        """What `acclimate.status` answers."""
        answer = await self.client.workspace_execute_command_async(types.ExecuteCommandParams(command=STATUS))
        if not isinstance(answer, dict):
            raise ServerDied("The language server gave no status.")
        return answer

    async def wait_engine(self, timeout_seconds: float) -> None:
        """Returns when the engine is ready.

        Raises:
            EngineUnavailable: It failed, or was not ready in time.
        """
        engine: dict[str, Any] = {}
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                while True:
                    engine = (await self.status())["engine"]
                    if engine["state"] == "ready":
                        return
                    if engine["state"] == "failed":
                        raise EngineUnavailable(engine["reason"])
                    await asyncio.sleep(POLL_SECONDS)
        raise EngineUnavailable(engine.get("reason") or "The engine was not ready in time.")

    async def wait_index(self, timeout_seconds: float, tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """What the status says of the index when that is built, where nothing is indexed, or when the time is over.

        It is about the documents that were opened before. `tell` is called with it meanwhile.
        """
        end = time.monotonic() + timeout_seconds
        index: dict[str, Any] = (await self.status())["index"]
        while index["state"] == "building" and time.monotonic() < end:
            tell(index)
            await asyncio.sleep(POLL_SECONDS)
            index = (await self.status())["index"]
        return index

    def open(self, path: Path, language: str, text: str) -> None:
        """Shows the server a document; it need not exist on the disk."""
        uri = path.as_uri()
        if uri in self._versions:
            self.client.text_document_did_close(
                types.DidCloseTextDocumentParams(text_document=types.TextDocumentIdentifier(uri=uri))
            )
        self._versions[uri] = 1
        item = types.TextDocumentItem(uri=uri, language_id=language, version=1, text=text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))

    async def complete(self, path: Path, text: str, offset: int) -> Asked:
        """The completion at `offset` (in characters; the server was told to count in those)."""
        before = text[:offset]
        line = before.count("\n")
        position = types.Position(line=line, character=offset - (before.rfind("\n") + 1))
        answer = await self.client.text_document_inline_completion_async(
            types.InlineCompletionParams(
                text_document=types.TextDocumentIdentifier(uri=path.as_uri()),
                position=position,
                context=types.InlineCompletionContext(trigger_kind=types.InlineCompletionTriggerKind.Invoked),
            )
        )
        items = answer.items if isinstance(answer, types.InlineCompletionList) else answer or []
        text = str(items[0].insert_text) if items else ""
        status = await self.status()
        return Asked(text=text, reason=status["completion"], adapter=status["completed_by"])

    async def use_adapter(self, options: dict[str, Any], adapter: str) -> None:
        """Changes the setting `adapter`, as an editor does when its user changes it."""
        settings = types.DidChangeConfigurationParams(settings={**options, "adapter": adapter})
        self.client.workspace_did_change_configuration(settings)
        await self.status()  # answered in order, so the setting is in force from here on


@asynccontextmanager
async def asked_server(folder: Path, options: dict[str, Any]) -> AsyncIterator[AskedServer]:
    """A server with these initialization options and `folder` opened; it has ended when the block has.

    Raises:
        ServerDied: It could not be started.
    """
    client = LanguageClient("acclimate", "1")
    await client.start_io(sys.executable, "-P", "-m", "acclimate_server", "serve", env=child_environment())
    client.feature(NOTIFICATION)(_ignored)  # the command is asked instead, which misses nothing
    process = client._server  # noqa: SLF001  # pygls has no other way to its stderr, which must be read or it blocks
    assert process is not None
    assert process.stderr is not None
    draining = asyncio.create_task(_drain(process.stderr))
    try:
        await client.initialize_async(
            types.InitializeParams(
                process_id=os.getpid(),
                root_uri=folder.as_uri(),
                workspace_folders=[types.WorkspaceFolder(uri=folder.as_uri(), name=folder.name)],
                initialization_options=options,
                capabilities=types.ClientCapabilities(
                    general=types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind.Utf32]),
                    text_document=types.TextDocumentClientCapabilities(
                        inline_completion=types.InlineCompletionClientCapabilities()
                    ),
                ),
            )
        )
        client.initialized(types.InitializedParams())
        yield AskedServer(client)
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                await client.shutdown_async(None)
                client.exit(None)
                await process.wait()
        await client.stop()  # type: ignore[no-untyped-call]  # pygls left it so
        draining.cancel()


def _ignored(_: Any) -> None: ...


async def _drain(stream: asyncio.StreamReader) -> None:
    while line := await stream.readline():
        log.info("language server: %s", line.decode("utf-8", "replace").rstrip())
