"""The documents that an editor has open: their text, and positions in it as LSP counts them.

Against pygls' documents, of version 2.1.1:

- Lines end where LSP says: at "\\n", "\\r\\n" and "\\r". pygls also splits at form feeds and the like, which occur in
  source code; then every later position is wrong, and an incremental change damages the document.
- Where lines begin is remembered, and brought up to date around a change. pygls splits the whole text for every
  position and builds it anew for every change, which takes some milliseconds in a file of ten thousand lines.
- A client that counts in UTF-16 may cut a pair of surrogates in two, or type its halves one after the other, as
  JavaScript's strings allow. The halves are kept, and become one character when they meet again.
"""

import logging
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from urllib.parse import unquote

from lsprotocol import types
from pygls.workspace import PositionCodec, TextDocument, Workspace

from acclimate_indexer.file_text import uniform

log = logging.getLogger(__name__)

_LINE_BREAK = re.compile(r"\r(?!\n)|\n")  # its last character


class Document(TextDocument):
    """An open document. `documents` are those that it is open among."""

    def __init__(
        self,
        uri: str,
        source: str | None = None,
        version: int | None = None,
        language_id: str | None = None,
        position_codec: PositionCodec | None = None,
        documents: "Documents | None" = None,
    ) -> None:
        super().__init__(uri, source, version, language_id, position_codec=position_codec)
        self.documents = documents
        self._known_starts: list[int] | None = None
        self._known_uniform = ("", "")

    @property
    def uniform(self) -> str:
        """The text as models see it."""
        if self._known_uniform[0] is not self.source:
            self._known_uniform = (self.source, uniform(self.source))
        return self._known_uniform[1]

    @property
    def lines(self) -> Sequence[str]:
        """What pygls' own methods count in: the lines with their ends, without an empty last one."""
        return [self.source[start:end] for start, end in pairwise((*self._starts, len(self.source))) if start < end]

    def offset_of(self, position: types.Position) -> int:
        """Characters before `position`, which counts in the client's units.

        Past a line's end means before its line break, past the last line the end; inside a character means before it.
        """
        return self._spot(position)[0]

    def position_of(self, offset: int) -> types.Position:
        """The position after so many characters, in the client's units."""
        line = bisect_right(self._starts, offset) - 1
        before = self.source[self._starts[line] : offset]
        return types.Position(line=line, character=self.position_codec.client_num_units(before))

    def apply_change(self, change: types.TextDocumentContentChangeEvent) -> None:
        """Takes a change of the client's over."""
        if isinstance(change, types.TextDocumentContentChangeWholeDocument):
            self._source, self._known_starts = change.text, None
            return
        first, last = sorted((self._spot(change.range.start), self._spot(change.range.end)))
        (start, start_units), (end, end_units) = first, last
        text = change.text
        if self.position_codec.encoding == types.PositionEncodingKind.Utf16:
            before = _utf16(self.source[max(start - 1, 0) : start]) + _utf16(
                self.source[start : start + 1], start_units
            )
            after = _utf16(self.source[end : end + 1])[2 * end_units :]
            text = (before + _utf16(text) + after).decode("utf-16-le", "surrogatepass")
            start, end = max(start - 1, 0), min(end + 1, len(self.source))
        self._replace(start, end, text)

    @property
    def _starts(self) -> list[int]:
        """Where the lines begin, in characters. After a line break at the very end begins an empty one."""
        if self._known_starts is None:
            self._known_starts = [0, *(found.end() for found in _LINE_BREAK.finditer(self.source))]
        return self._known_starts

    def _spot(self, position: types.Position) -> tuple[int, int]:
        """Characters before a position, and how many units it lies inside the next one."""
        starts, source = self._starts, self.source
        if position.line >= len(starts):
            return len(source), 0
        start, *following = starts[position.line : position.line + 2]
        line = source[start : following[0] if following else len(source)].rstrip("\r\n")
        index, units = _characters(line, position.character, self.position_codec)
        return start + index, units

    def _replace(self, start: int, end: int, text: str) -> None:
        """Replaces characters, and finds the line breaks between them and around."""
        starts, stop = self._starts, start + len(text)
        self._source = source = self.source[:start] + text + self.source[end:]
        near = _LINE_BREAK.finditer(source, max(start - 1, 0), stop + 1)  # "\r" and "\n" may have met, or parted
        begun = [found.end() for found in near if start <= found.end() <= stop]
        first, after = bisect_left(starts, max(start, 1)), bisect_right(starts, end)
        moved = stop - end
        starts[first:] = begun + ([each + moved for each in starts[after:]] if moved else starts[after:])


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

    def opened(self, uri: str) -> Document | None:
        """The document, if the client has it open."""
        document = self.text_documents.get(unquote(uri))  # how pygls keeps them
        return document if isinstance(document, Document) else None

    def update_text_document(
        self, text_doc: types.VersionedTextDocumentIdentifier, change: types.TextDocumentContentChangeEvent
    ) -> None:
        """Applies a change, whatever its number: nothing better is known of the text than what comes last."""
        document = self.opened(text_doc.uri)
        if document is None:
            log.warning("A change of %s is left out: the document is not open.", text_doc.uri)
            return
        if document.version is not None and text_doc.version < document.version:
            log.warning("%s: version %d follows %d.", text_doc.uri, text_doc.version, document.version)
        super().update_text_document(text_doc, change)

    def cells_around(self, cell: Document) -> tuple[list[Document], list[Document]]:
        """The code cells before and after this one in its notebook, in the same language; none outside a notebook."""
        notebook = self.get_notebook_document(cell_uri=cell.uri)
        cells = [] if notebook is None else [self.opened(each.document) for each in notebook.cells if _is_code(each)]
        if cell not in cells:
            return [], []
        at = cells.index(cell)
        before, after = (
            [other for other in part if other is not None and other.language_id == cell.language_id]
            for part in (cells[:at], cells[at + 1 :])
        )
        return before, after

    def _create_text_document(
        self, doc_uri: str, source: str | None = None, version: int | None = None, language_id: str | None = None
    ) -> TextDocument:
        return Document(doc_uri, source, version, language_id, self.position_codec, documents=self)


def _is_code(cell: types.NotebookCell) -> bool:
    return cell.kind == types.NotebookCellKind.Code


def _characters(line: str, units: int, codec: PositionCodec) -> tuple[int, int]:
    """The whole characters that so many units are, and the units that are left of them; no more than the line has."""
    if line.isascii() or codec.encoding == types.PositionEncodingKind.Utf32:
        return min(units, len(line)), 0
    width = codec.impl.code_units_for_char
    for index, character in enumerate(line):
        if units < (needed := width(character)):
            return index, units
        units -= needed
    return len(line), 0


def _utf16(text: str, units: int | None = None) -> bytes:
    """The text, or the first `units` of it."""
    data = text.encode("utf-16-le", "surrogatepass")
    return data if units is None else data[: 2 * units]
