"""Places of a reviewed text as the editor counts them: its own line endings, and its encoding's units."""

from bisect import bisect_left

from lsprotocol import types
from pygls.workspace import PositionCodec

from acclimate_indexer.syntax import Span

from ..documents import Document
from .opened import OpenText


class Places:
    """Of a document in one of its states."""

    def __init__(self, opened: OpenText, codec: PositionCodec) -> None:
        self._document = Document(opened.uri, opened.source, opened.version, position_codec=codec)
        self._shortened = _windows_line_ends(opened.source)

    def range_of(self, span: Span) -> types.Range:
        """Characters of the reviewed text, as a range of the document."""
        return types.Range(start=self._position(span.start), end=self._position(span.end))

    def lines(self, of: types.Range) -> range:
        """The lines of the reviewed text that a range of the document touches."""
        text = self._document.uniform
        first, last = sorted((self._offset(of.start), self._offset(of.end)))
        start = text.count("\n", 0, first)
        return range(start, start + text.count("\n", first, last) + 1)

    def _position(self, offset: int) -> types.Position:
        return self._document.position_of(offset + bisect_left(self._shortened, offset))

    def _offset(self, position: types.Position) -> int:
        offset = self._document.offset_of(position)
        return offset - self._document.source.count("\r\n", 0, offset)


def _windows_line_ends(source: str) -> list[int]:
    """Where "\\r\\n" became "\\n", in characters of the shorter text."""
    found: list[int] = []
    at = source.find("\r\n")
    while at >= 0:
        found.append(at - len(found))
        at = source.find("\r\n", at + 2)
    return found
