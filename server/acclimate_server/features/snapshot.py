"""A document at the moment of a request. Taken before any await: afterwards the user has typed on."""

from pathlib import Path
from urllib.parse import unquote

from lsprotocol import types
from pygls.uris import to_fs_path

from ..completion.request import Snapshot
from ..language_server import AcclimateServer
from ..protocol import Document


def open_document(ls: AcclimateServer, uri: str) -> Document | None:
    """The document if the editor has it open; otherwise pygls would read it from the disk, on the event loop."""
    document = ls.workspace.text_documents.get(unquote(uri))  # how pygls keeps them
    return document if isinstance(document, Document) else None


def path_of(uri: str) -> Path | None:
    """Where a document lies; None if it was never saved."""
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return None if path is None else Path(path)


def snapshot(document: Document, position: types.Position, *, is_automatic: bool) -> Snapshot:
    """What a completion at `position` needs to know."""
    return Snapshot(
        uri=document.uri,
        path=path_of(document.uri),
        language_id=document.language_id or "",
        text=document.source,
        offset=document.offset_of(position),
        is_automatic=is_automatic,
    )
