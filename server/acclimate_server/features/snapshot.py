"""A document at the moment of a request. Taken before any await: afterwards the user has typed on."""

from pathlib import Path

from lsprotocol import types
from pygls.uris import to_fs_path

from acclimate_indexer.file_text import line_ending, uniform

from ..completion.request import Snapshot
from ..documents import Document, Documents
from ..language_server import AcclimateServer
from ..review.opened import OpenText

CELL_SCHEME = "vscode-notebook-cell:"  # the path of the notebook's file, with the cell as the fragment
BETWEEN_CELLS = "\n\n"


def open_document(ls: AcclimateServer, uri: str) -> Document | None:
    """The document if the editor has it open; otherwise pygls would read it from the disk, on the event loop."""
    return ls.workspace.opened(uri) if isinstance(ls.workspace, Documents) else None


def path_of(uri: str) -> Path | None:
    """Where a document lies, and where the notebook of a cell does; None if it was never saved."""
    if uri.startswith(CELL_SCHEME):
        uri = f"file:{uri.removeprefix(CELL_SCHEME)}"
    try:
        path = Path(to_fs_path(uri) or "")
        str(path).encode("utf-8")
    except ValueError:  # no URI, or a name that no prompt can hold
        return None
    return path if path.is_absolute() and "\0" not in str(path) else None


def text_to_review(ls: AcclimateServer, uri: str) -> OpenText | None:
    """The document as a review reads it; None if it is not open, no file, or the cell of a notebook."""
    document = open_document(ls, uri)
    path = path_of(uri)
    if document is None or path is None or not uri.startswith("file:"):
        return None
    return OpenText(
        uri=document.uri,
        path=path,
        language_id=document.language_id or "",
        version=document.version,
        source=document.source,
    )


def snapshot(document: Document, position: types.Position, *, is_automatic: bool) -> Snapshot:
    """What a completion at `position` needs to know. A cell stands among its notebook's others, as in one file."""
    offset = document.offset_of(position)
    above, _ = _cells_around(document)
    is_uniform = document.uniform is document.source
    before = uniform(above) + (document.source[:offset] if is_uniform else uniform(document.source[:offset]))
    return Snapshot(
        uri=document.uri,
        path=path_of(_file_of(document)),
        language_id=document.language_id or "",
        text=text_of(document),
        offset=len(before),
        is_automatic=is_automatic,
        line_ending=line_ending(document.source),
    )


def text_of(document: Document) -> str:
    """All that a snapshot of the document would hold."""
    above, below = _cells_around(document)
    return uniform(above) + document.uniform + uniform(below) if above or below else document.uniform


def _cells_around(document: Document) -> tuple[str, str]:
    """The text before and after a cell; empty for any other document."""
    if document.documents is None:
        return "", ""
    above, below = (
        [text for cell in cells if (text := cell.source.rstrip("\r\n"))]
        for cells in document.documents.cells_around(document)
    )
    return "".join(text + BETWEEN_CELLS for text in above), "".join(BETWEEN_CELLS + text for text in below)


def _file_of(document: Document) -> str:
    """The URI of what is saved: a cell is not."""
    notebook = document.documents and document.documents.get_notebook_document(cell_uri=document.uri)
    return notebook.uri if notebook and path_of(notebook.uri) else document.uri
