"""`textDocument/didOpen` and `didChange`: the user is at work. pygls keeps the documents itself."""

from lsprotocol import types

from ..language_server import AcclimateServer
from .snapshot import path_of


def document_opened(ls: AcclimateServer, params: types.DidOpenTextDocumentParams) -> None:
    """Notes that and where something happened."""
    ls.session.activity.touched(path_of(params.text_document.uri))


def document_changed(ls: AcclimateServer, params: types.DidChangeTextDocumentParams) -> None:
    """Notes that and where something happened."""
    ls.session.activity.touched(path_of(params.text_document.uri))
