"""Edits of a reviewed text as a client makes them."""

from collections.abc import Iterable

from lsprotocol import types

from acclimate_indexer.file_text import line_ending
from acclimate_indexer.review.finding import Edit

from ..language_server import AcclimateServer
from ..review.opened import OpenText
from ..review.places import Places


def workspace_edit(
    ls: AcclimateServer, document: OpenText, places: Places, edits: Iterable[Edit]
) -> types.WorkspaceEdit:
    """The edits, for this state of the document alone where the client can tell."""
    ending = line_ending(document.source)
    made = [
        types.TextEdit(range=places.range_of(edit.span), new_text=edit.text.replace("\n", ending)) for edit in edits
    ]
    workspace = ls.client_capabilities.workspace
    stated = None if workspace is None else workspace.workspace_edit
    if stated is None or not stated.document_changes:
        return types.WorkspaceEdit(changes={document.uri: made})
    identifier = types.OptionalVersionedTextDocumentIdentifier(uri=document.uri, version=document.version)
    return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(text_document=identifier, edits=made)])
