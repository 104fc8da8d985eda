"""`textDocument/codeAction` and `acclimate.document`: a doc-comment for the definition at the cursor."""

from collections.abc import Sequence
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from acclimate_indexer.file_text import line_ending, uniform

from ..documenting.writing import CHANGED, DocComment, Spot, doc_comment, undocumented_name
from ..documents import Document
from ..language_server import AcclimateServer
from .patience import with_progress
from .snapshot import open_document, path_of

DOCUMENT = "acclimate.document"
KIND = types.CodeActionKind.RefactorRewrite
KINDS = ("", "refactor", "refactor.rewrite")  # this one, and those that it is one of


async def doc_comment_actions(ls: AcclimateServer, params: types.CodeActionParams) -> list[types.CodeAction]:
    """The offer to document the definition at the cursor, where it lacks a doc-comment and a model can be asked."""
    document = open_document(ls, params.text_document.uri)
    if document is None or not _is_wanted(params.context.only) or not _takes_edits(ls):
        return []
    position = params.range.start
    name = await undocumented_name(ls.session, _spot(document, position))
    if not name:
        return []
    title = f"Write a doc-comment for `{name}`"
    argument = {"uri": document.uri, "position": {"line": position.line, "character": position.character}}
    command = types.Command(title=title, command=DOCUMENT, arguments=[argument])
    return [types.CodeAction(title=title, kind=KIND, command=command)]


async def document(ls: AcclimateServer, *arguments: Any) -> dict[str, Any]:
    """Documents the definition at `{uri, position}` and gives `{documented}`, its name; null where a message says why.

    The older of two requests for one document is given up. Cancelling the request, or its progress, ends it.
    """
    uri, position = _place_in(arguments)
    opened = open_document(ls, uri)
    if opened is None:
        raise JsonRpcException("The document is not open.", types.LSPErrorCodes.RequestFailed)
    ls.session.activity.touched(path_of(uri))
    spot = _spot(opened, position)
    work = ls.session.newest_only(f"{DOCUMENT} {uri}", doc_comment(ls.session, spot, lambda: _text_now(ls, uri)))
    written = await with_progress(ls, work, title="Writing a doc-comment")
    if written is None:  # cancelled, or asked again
        return {"documented": None}
    reason = written.reason or await _applied(ls, uri, written)
    if reason:
        message = f"No doc-comment was written. {reason}"
        ls.window_show_message(types.ShowMessageParams(type=types.MessageType.Warning, message=message))
    return {"documented": None if reason else written.name}


def _is_wanted(only: Sequence[types.CodeActionKind | str] | None) -> bool:
    """Whether the editor asks for this kind of action, or for all."""
    return not only or any(kind in KINDS for kind in only)


def _takes_edits(ls: AcclimateServer) -> bool:
    workspace = ls.client_capabilities.workspace
    return workspace is not None and bool(workspace.apply_edit)


def _place_in(arguments: tuple[Any, ...]) -> tuple[str, types.Position]:
    match arguments:
        case ({"uri": str(uri), "position": {"line": int(line), "character": int(character)}},) if (
            min(line, character) >= 0
        ):
            return uri, types.Position(line=line, character=character)
    raise JsonRpcException("The command takes {uri, position} as its argument.", types.ErrorCodes.InvalidParams)


def _spot(document: Document, position: types.Position) -> Spot:
    return Spot(
        uri=document.uri,
        path=path_of(document.uri),
        language_id=document.language_id or "",
        text=document.uniform,
        offset=len(uniform(document.source[: document.offset_of(position)])),
    )


def _text_now(ls: AcclimateServer, uri: str) -> str | None:
    document = open_document(ls, uri)
    return None if document is None else document.uniform


async def _applied(ls: AcclimateServer, uri: str, written: DocComment) -> str:
    """Has the editor put the comment in; why it did not, else nothing."""
    document = open_document(ls, uri)
    if document is None or document.uniform != written.text:
        return CHANGED
    line = sum(written.text.count(end, 0, written.offset) for end in "\r\n")  # in LSP a lone "\r" ends one, too
    start = types.Position(line=line, character=0)
    text = written.lines.replace("\n", line_ending(document.source))
    edit = types.TextEdit(range=types.Range(start=start, end=start), new_text=text)
    label = f"Doc-comment for {written.name}"
    answer = await ls.workspace_apply_edit_async(
        types.ApplyWorkspaceEditParams(label=label, edit=_workspace_edit(ls, document, edit))
    )
    return "" if answer.applied else answer.failure_reason or "The editor did not take it."


def _workspace_edit(ls: AcclimateServer, document: Document, edit: types.TextEdit) -> types.WorkspaceEdit:
    """With the document's version, so that the editor refuses it after a change, where it knows of versions."""
    workspace = ls.client_capabilities.workspace
    takes = None if workspace is None else workspace.workspace_edit
    if takes is None or not takes.document_changes:
        return types.WorkspaceEdit(changes={document.uri: [edit]})
    identifier = types.OptionalVersionedTextDocumentIdentifier(uri=document.uri, version=document.version)
    return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(text_document=identifier, edits=[edit])])
