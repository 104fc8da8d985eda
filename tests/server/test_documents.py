"""Positions count in the client's units, and lines end where LSP says."""

from pathlib import Path

import pytest
from lsprotocol import types
from pygls.workspace import PositionCodec

from acclimate_indexer.file_text import line_ending, uniform
from acclimate_server.documents import Document
from acclimate_server.features.snapshot import path_of, snapshot

Encoding = types.PositionEncodingKind

TEXT = 'x = "😋"; y\nzweite = 2\r\ndritte\f= 3\nlast'


def document(encoding: Encoding, text: str = TEXT) -> Document:
    return Document("file:///x.py", source=text, version=1, position_codec=PositionCodec(encoding=encoding))


@pytest.mark.parametrize(
    ("encoding", "after_emoji"),
    [
        (Encoding.Utf8, 10),
        (Encoding.Utf16, 8),
        (Encoding.Utf32, 7),
    ],
)
def test_an_emoji_counts_as_the_client_counts_it(encoding: Encoding, after_emoji: int) -> None:
    offset = document(encoding).offset_of(types.Position(line=0, character=after_emoji))

    assert TEXT[:offset] == 'x = "😋"'


def test_a_form_feed_ends_no_line() -> None:
    lines = document(Encoding.Utf16)
    offset = lines.offset_of(types.Position(line=3, character=2))

    assert TEXT[:offset].endswith("\nla")


def test_positions_past_the_end_mean_the_end() -> None:
    lines = document(Encoding.Utf16)

    assert lines.offset_of(types.Position(line=1, character=99)) == TEXT.index("\r\n")
    assert lines.offset_of(types.Position(line=99, character=0)) == len(TEXT)
    assert document(Encoding.Utf16, "").offset_of(types.Position(line=0, character=0)) == 0


def test_an_incremental_change_below_a_form_feed_hits_its_line() -> None:
    changed = document(Encoding.Utf16)
    spot = types.Range(start=types.Position(line=3, character=0), end=types.Position(line=3, character=4))
    changed.apply_change(types.TextDocumentContentChangePartial(range=spot, text="first"))

    assert changed.source == TEXT.removesuffix("last") + "first"


@pytest.mark.parametrize("encoding", list(Encoding))
def test_every_place_in_a_line_is_found_again_by_its_position(encoding: Encoding) -> None:
    lines = document(encoding, "a😋é\re\u0301漢\r\n\f\u2028 x\n\n")
    inside = lines.source.index("\r\n") + 1  # no position lies there

    offsets = [offset for offset in range(len(lines.source) + 1) if offset != inside]
    assert [lines.offset_of(lines.position_of(offset)) for offset in offsets] == offsets


@pytest.mark.parametrize(("encoding", "inside"), [(Encoding.Utf8, 7), (Encoding.Utf16, 6)])
def test_a_position_inside_a_character_means_before_it(encoding: Encoding, inside: int) -> None:
    assert document(encoding).offset_of(types.Position(line=0, character=inside)) == TEXT.index("😋")


def test_a_position_inside_a_line_break_means_before_it() -> None:
    assert document(Encoding.Utf16, "ab\r\nc").offset_of(types.Position(line=0, character=3)) == 2


def test_a_pair_that_a_client_cuts_in_two_becomes_one_again_when_its_halves_meet() -> None:
    changed = document(Encoding.Utf16, "a😋b")
    type_at(changed, 2, 2, "-")
    assert changed.source == "a\ud83d-\ude0bb"

    type_at(changed, 2, 3, "")
    assert changed.source == "a😋b"


def test_a_range_that_ends_before_it_begins_is_the_same_range() -> None:
    changed = document(Encoding.Utf16, "abcd")
    type_at(changed, 3, 1, "-")

    assert changed.source == "a-d"


@pytest.mark.parametrize(
    ("text", "uniform_text", "ending"),
    [
        ("a\r\nb\r\nc\n", "a\nb\nc\n", "\r\n"),
        ("a\nb\r\nc\n", "a\nb\nc\n", "\n"),
        ("a\rb", "a\rb", "\n"),
        ("é\ud83d\r\n", "é\ufffd\n", "\r\n"),
        ("\ude0b\ud83d", "\ufffd\ufffd", "\n"),
        ("😋", "😋", "\n"),
        ("", "", "\n"),
    ],
)
def test_a_model_sees_one_kind_of_line_ending_and_no_half_characters(text: str, uniform_text: str, ending: str) -> None:
    assert uniform(text) == uniform_text
    assert line_ending(text) == ending


def test_the_cursor_of_a_snapshot_is_where_the_document_has_it() -> None:
    windows = document(Encoding.Utf16, "x = 1\r\n\ud83dy =\r\nz")
    place = snapshot(windows, types.Position(line=1, character=3), is_automatic=False)

    assert place.text[: place.offset] == "x = 1\n\ufffdy "
    assert place.text[place.offset :] == "=\nz"
    assert place.in_its_line_endings("a\nb\r\nc") == "a\r\nb\r\nc"


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///project/a%20b/x.py", Path("/project/a b/x.py")),
        ("vscode-notebook-cell:/project/x.ipynb#W0sZmlsZQ%3D%3D", Path("/project/x.ipynb")),
        ("vscode-notebook-cell:Untitled-1.ipynb?jupyter-notebook#W0sdW50aXRsZWQ%3D", None),
        ("untitled:Untitled-1", None),
        ("git:/project/x.py?ref", None),
        ("file:", None),
        ("file://[", None),
        ("file:///project/%00.py", None),
        ("file:///project/\ud800.py", None),
        ("", None),
    ],
)
def test_a_document_lies_where_its_uri_says_or_nowhere(uri: str, path: Path | None) -> None:
    assert path_of(uri) == path


def type_at(changed: Document, start: int, end: int, text: str) -> None:
    """Replaces characters of the first line."""
    spot = types.Range(start=types.Position(line=0, character=start), end=types.Position(line=0, character=end))
    changed.apply_change(types.TextDocumentContentChangePartial(range=spot, text=text))
