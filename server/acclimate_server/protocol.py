"""pygls' protocol and documents with three faults of version 2.1.1 mended; nothing of acclimate in here.

- A request whose parameters cannot be read gets an error reply. pygls gives none, and the client waits for ever.
- `shutdown` while a command runs is answered. pygls changes the table that it walks through (its issue 606).
- Lines end where LSP says: at "\\n", "\\r\\n" and "\\r". pygls also splits at form feeds and the like, which occur in
  source code; then every later position is wrong, and an incremental change damages the document.
"""

import re
from collections.abc import Generator, Sequence
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.language_server import lsp_method
from pygls.workspace import TextDocument, Workspace

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class Document(TextDocument):
    """A text document whose lines are LSP's."""

    @property
    def lines(self) -> Sequence[str]:
        return _LINE.findall(self.source)

    def offset_of(self, position: types.Position) -> int:
        """Characters before `position`, which counts in the client's units; past a line's end means its end."""
        lines = self.lines
        if position.line >= len(lines):
            return len(self.source)
        line = lines[position.line].rstrip("\r\n")
        units = index = 0
        while index < len(line) and units < position.character:
            units += self.position_codec.client_num_units(line[index])
            index += 1
        return sum(map(len, lines[: position.line])) + index


class Documents(Workspace):
    """A workspace that makes our documents."""

    @classmethod
    def of(cls, workspace: Workspace) -> "Documents":
        """The same workspace, before a document was opened in it."""
        return cls(
            workspace.root_uri,
            types.TextDocumentSyncKind.Incremental,
            list(workspace.folders.values()),
            workspace.position_encoding,
        )

    def _create_text_document(
        self, doc_uri: str, source: str | None = None, version: int | None = None, language_id: str | None = None
    ) -> TextDocument:
        return Document(
            doc_uri, source=source, version=version, language_id=language_id, position_codec=self.position_codec
        )


class Protocol(LanguageServerProtocol):
    """pygls' protocol, mended."""

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        result = yield from super().lsp_initialize(params)
        self._workspace = Documents.of(self.workspace)
        return result

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *args: Any) -> Generator[Any, Any, None]:
        if (handler := self.fm.features.get(types.SHUTDOWN)) is not None:
            yield handler, args, None
        for message_id, future in list(self._request_futures.items()):
            if message_id != self.msg_id and not future.done():
                future.cancel()
        self._shutdown = True

    def structure_message(self, data: dict[str, Any]) -> Any:
        try:
            return super().structure_message(data)
        except JsonRpcException:
            if "id" in data and "method" in data:
                self._send_response(data["id"], error=JsonRpcInvalidParams().to_response_error())
            raise
