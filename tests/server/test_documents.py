"""Positions count in the client's units, and lines end where LSP says."""

import pytest
from lsprotocol import types
from pygls.workspace import PositionCodec

from acclimate_server.protocol import Document

TEXT = 'x = "😋"; y\nzweite = 2\r\ndritte\f= 3\nlast'


def document(encoding: types.PositionEncodingKind, text: str = TEXT) -> Document:
    return Document("file:///x.py", source=text, version=1, position_codec=PositionCodec(encoding=encoding))


@pytest.mark.parametrize(
    ("encoding", "after_emoji"),
    [
        (types.PositionEncodingKind.Utf8, 10),
        (types.PositionEncodingKind.Utf16, 8),
        (types.PositionEncodingKind.Utf32, 7),
    ],
)
def test_an_emoji_counts_as_the_client_counts_it(encoding: types.PositionEncodingKind, after_emoji: int) -> None:
    offset = document(encoding).offset_of(types.Position(line=0, character=after_emoji))

    assert TEXT[:offset] == 'x = "😋"'


def test_a_form_feed_ends_no_line() -> None:
    lines = document(types.PositionEncodingKind.Utf16)
    offset = lines.offset_of(types.Position(line=3, character=2))

    assert TEXT[:offset].endswith("\nla")


def test_positions_past_the_end_mean_the_end() -> None:
    lines = document(types.PositionEncodingKind.Utf16)

    assert lines.offset_of(types.Position(line=1, character=99)) == TEXT.index("\r\n")
    assert lines.offset_of(types.Position(line=99, character=0)) == len(TEXT)
    assert document(types.PositionEncodingKind.Utf16, "").offset_of(types.Position(line=0, character=0)) == 0


def test_an_incremental_change_below_a_form_feed_hits_its_line() -> None:
    changed = document(types.PositionEncodingKind.Utf16)
    spot = types.Range(start=types.Position(line=3, character=0), end=types.Position(line=3, character=4))
    changed.apply_change(types.TextDocumentContentChangePartial(range=spot, text="first"))

    assert changed.source == TEXT.removesuffix("last") + "first"
