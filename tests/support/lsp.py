"""A real LSP client (pytest-lsp) that starts the real server in a child process."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lsprotocol import types
from lsprotocol.converters import get_converter
from pytest_lsp import LanguageClient, make_test_lsp_client

STATUS = "acclimate/status"
DEADLINE_SECONDS = 20.0  # generous: the machine may be busy

Kind = types.InlineCompletionTriggerKind


class Editor:
    """What an editor does, in one line each. `client` is pytest-lsp's, for everything else."""

    def __init__(self, client: LanguageClient) -> None:
        self.client = client
        self._versions: dict[Path, int] = {}

    async def status_where(self, is_wanted: Callable[[dict[str, Any]], bool], seconds: float = DEADLINE_SECONDS) -> Any:
        """The first status that fits; the command is asked, so that none is missed."""
        async with asyncio.timeout(seconds):
            while not is_wanted(status := await self.command("acclimate.status")):  # noqa: ASYNC110  # of another process
                await asyncio.sleep(0.05)
        return status

    async def command(self, name: str, *arguments: Any) -> Any:
        """Runs a server's command."""
        params = types.ExecuteCommandParams(command=name, arguments=list(arguments) or None)
        return await self.client.workspace_execute_command_async(params)

    def open(self, path: Path, text: str, language: str = "python") -> None:
        """Opens a document."""
        item = types.TextDocumentItem(uri=path.as_uri(), language_id=language, version=1, text=text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))

    def type(self, path: Path, line: int, character: int, text: str, *, over: int = 0) -> None:
        """Types at a position of a line, over so many of its units."""
        self._versions[path] = self._versions.get(path, 1) + 1
        start = types.Position(line=line, character=character)
        end = types.Position(line=line, character=character + over)
        change = types.TextDocumentContentChangePartial(range=types.Range(start=start, end=end), text=text)
        identifier = types.VersionedTextDocumentIdentifier(uri=path.as_uri(), version=self._versions[path])
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(text_document=identifier, content_changes=[change])
        )

    def close(self, path: Path) -> None:
        """Closes a document."""
        identifier = types.TextDocumentIdentifier(uri=path.as_uri())
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(text_document=identifier))

    async def inline(self, path: Path, line: int, character: int, kind: Kind = Kind.Invoked) -> list[str]:
        """The texts of the inline completions at a position."""
        params = types.InlineCompletionParams(
            text_document=types.TextDocumentIdentifier(uri=path.as_uri()),
            position=types.Position(line=line, character=character),
            context=types.InlineCompletionContext(trigger_kind=kind),
        )
        answer = await self.client.text_document_inline_completion_async(params)
        assert isinstance(answer, types.InlineCompletionList)
        return [str(item.insert_text) for item in answer.items]


@asynccontextmanager
async def connected(
    folder: Path,
    options: dict[str, Any] | None = None,
    *,
    encoding: types.PositionEncodingKind = types.PositionEncodingKind.Utf16,
    has_inline: bool = True,
    takes_progress: bool = True,
) -> AsyncIterator[Editor]:
    """A client of a fresh server that has `folder` open and is run there, as editors do."""
    capabilities = types.ClientCapabilities(
        general=types.GeneralClientCapabilities(position_encodings=[encoding]),
        text_document=types.TextDocumentClientCapabilities(
            inline_completion=types.InlineCompletionClientCapabilities() if has_inline else None
        ),
        window=types.WindowClientCapabilities(work_done_progress=takes_progress),
        workspace=types.WorkspaceClientCapabilities(
            apply_edit=True, workspace_edit=types.WorkspaceEditClientCapabilities(document_changes=True)
        ),
    )
    client = make_test_lsp_client()
    client.protocol._converter.register_structure_hook(types.Command | types.CodeAction, _action)
    client.feature("acclimate/status")(lambda _: None)
    await client.start_io(sys.executable, "-P", "-m", "acclimate_server", "serve", cwd=folder)
    try:
        await client.initialize_session(
            types.InitializeParams(
                capabilities=capabilities,
                root_uri=folder.as_uri(),
                workspace_folders=[types.WorkspaceFolder(uri=folder.as_uri(), name=folder.name)],
                initialization_options=options or {},
            )
        )
        yield Editor(client)
    finally:
        await client.shutdown_session()
        await client.stop()  # type: ignore[no-untyped-call]  # pytest-lsp left it so


def _action(record: dict[str, Any], _: Any) -> types.Command | types.CodeAction:
    """A code action or a command. lsprotocol 2025.0.0 takes every action that has a command for one."""
    if isinstance(record.get("command"), str):
        return get_converter().structure(record, types.Command)
    return get_converter().structure(record, types.CodeAction)
