"""`textDocument/didOpen`, `didChange`, `willSave`, `didSave`, `didClose`: the user is at work. pygls keeps the text."""

from functools import partial

from lsprotocol import types

from ..documents import Document
from ..language_server import AcclimateServer
from .snapshot import open_document, path_of, text_of, text_to_review


def document_opened(ls: AcclimateServer, params: types.DidOpenTextDocumentParams) -> None:
    """Notes that and where something happened."""
    path = path_of(params.text_document.uri)
    ls.session.activity.touched(path)
    ls.session.connection.wake(is_asked_for=False)
    document = open_document(ls, params.text_document.uri)
    if document is not None:
        is_open = partial(_is_open, ls, document)
        ls.keep(ls.session.document_opened(path, partial(text_of, document), is_open))


def document_changed(ls: AcclimateServer, params: types.DidChangeTextDocumentParams) -> None:
    """Notes what was typed, and what became of the answers for this document."""
    path = path_of(params.text_document.uri)
    ls.session.activity.touched(path)
    ls.session.connection.wake(is_asked_for=False)
    document = open_document(ls, params.text_document.uri)
    if document is not None:
        inserted = "".join(change.text for change in params.content_changes)
        ls.session.document_changed(document.uri, path, partial(text_of, document), inserted)
        if text_to_review(ls, document.uri) is not None:
            ls.session.reviews.changed(document.uri, partial(text_to_review, ls, document.uri))


def document_will_be_saved(ls: AcclimateServer, params: types.WillSaveTextDocumentParams) -> None:
    """Why it will be: whoever types on is not to be disturbed by an editor that saves by itself."""
    uri = params.text_document.uri
    is_automatic = params.reason != types.TextDocumentSaveReason.Manual
    ls.session.reviews.announced(uri, partial(text_to_review, ls, uri), is_automatic=is_automatic)


def document_saved(ls: AcclimateServer, params: types.DidSaveTextDocumentParams) -> None:
    """What lies on the disk is what is in the editor. It is reviewed, in a while."""
    uri = params.text_document.uri
    if text_to_review(ls, uri) is not None:
        ls.session.reviews.saved(uri, partial(text_to_review, ls, uri))
    ls.session.document_saved(path_of(params.text_document.uri))


def document_closed(ls: AcclimateServer, params: types.DidCloseTextDocumentParams) -> None:
    """Nothing is completed there any more."""
    ls.session.document_closed(params.text_document.uri, path_of(params.text_document.uri))


def _is_open(ls: AcclimateServer, document: Document) -> bool:
    return open_document(ls, document.uri) is document
