"""A real LSP client (pytest-lsp) that starts the real server in a child process."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Union

from cattrs import Converter
from lsprotocol import types
from pygls.protocol import default_converter
from pytest_lsp import LanguageClient
from pytest_lsp.client import DEFAULT_CLIENT_FEATURES, register_lsp_features

STATUS = "acclimate/status"
DEADLINE_SECONDS = 20.0  # generous: the machine may be busy
LEAVING_SECONDS = 60.0  # a server lets its training and what it has to write down end

Kind = types.InlineCompletionTriggerKind


class Editor:
    """What an editor does, in one line each. `client` is pytest-lsp's, for everything else.

    Attributes:
        published: The diagnostics that came, in their order.
    """

    def __init__(self, client: LanguageClient, published: Sequence[types.PublishDiagnosticsParams] = ()) -> None:
        self.client = client
        self.published = published
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

    def save(self, path: Path, reason: types.TextDocumentSaveReason | None = None) -> None:
        """Saves a document; says why before that if there is a reason."""
        identifier = types.TextDocumentIdentifier(uri=path.as_uri())
        if reason is not None:
            self.client.text_document_will_save(
                types.WillSaveTextDocumentParams(text_document=identifier, reason=reason)
            )
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(text_document=identifier))

    async def diagnostics_where(
        self, path: Path, is_wanted: Callable[[list[types.Diagnostic]], bool]
    ) -> list[types.Diagnostic]:
        """The first diagnostics of a document that fit, from what is shown now on."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not is_wanted(shown := self.shown(path)):  # noqa: ASYNC110  # of another process
                await asyncio.sleep(0.05)
        return shown

    def shown(self, path: Path) -> list[types.Diagnostic]:
        """The diagnostics of a document, as they came last."""
        mine = [each for each in self.published if each.uri == path.as_uri()]
        return list(mine[-1].diagnostics) if mine else []

    async def actions(self, path: Path, line: int, only: str | None = None) -> list[types.CodeAction]:
        """The code actions at the beginning of a line."""
        place = types.Position(line=line, character=0)
        params = types.CodeActionParams(
            text_document=types.TextDocumentIdentifier(uri=path.as_uri()),
            range=types.Range(start=place, end=place),
            context=types.CodeActionContext(diagnostics=[], only=None if only is None else [only]),
        )
        answer = await self.client.text_document_code_action_async(params)
        return [action for action in answer or [] if isinstance(action, types.CodeAction)]

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
    shows_documents: bool = False,
) -> AsyncIterator[Editor]:
    """A client of a fresh server that has `folder` open and is run there, as editors do."""
    capabilities = types.ClientCapabilities(
        general=types.GeneralClientCapabilities(position_encodings=[encoding]),
        text_document=types.TextDocumentClientCapabilities(
            inline_completion=types.InlineCompletionClientCapabilities() if has_inline else None,
            publish_diagnostics=types.PublishDiagnosticsClientCapabilities(
                related_information=True,
                tag_support=types.ClientDiagnosticsTagOptions(value_set=[types.DiagnosticTag.Deprecated]),
                code_description_support=True,
                data_support=True,
                version_support=True,
            ),
            synchronization=types.TextDocumentSyncClientCapabilities(will_save=True, did_save=True),
        ),
        window=types.WindowClientCapabilities(
            work_done_progress=takes_progress, show_document=types.ShowDocumentClientCapabilities(shows_documents)
        ),
        workspace=types.WorkspaceClientCapabilities(
            apply_edit=True, workspace_edit=types.WorkspaceEditClientCapabilities(document_changes=True)
        ),
    )
    published: list[types.PublishDiagnosticsParams] = []
    heard = {types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS: lambda params: published.append(params)}  # pygls marks it
    client = LanguageClient(converter_factory=_converter)
    register_lsp_features(client, DEFAULT_CLIENT_FEATURES | heard)
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
        yield Editor(client, published)
    finally:
        try:
            async with asyncio.timeout(LEAVING_SECONDS):
                await client.shutdown_session()
        except TimeoutError:  # nobody hears the answer in a test whose time is over: all its tasks are cancelled
            if client._server is not None:
                client._server.kill()
            raise
        finally:
            await client.stop()  # type: ignore[no-untyped-call]  # pytest-lsp left it so


def _converter() -> Converter:
    """lsprotocol takes a code action for a command wherever it has one."""
    converter: Converter = default_converter()  # type: ignore[no-untyped-call]  # pygls left it so

    def read(given: dict[str, Any], _: object) -> types.Command | types.CodeAction:
        if isinstance(given.get("command"), str):
            return converter.structure(given, types.Command)
        return converter.structure(given, types.CodeAction)

    converter.register_structure_hook(Union[types.Command, types.CodeAction], read)  # noqa: UP007  # its key there
    return converter
