"""`workspace/executeCommand` for reviews: ask for one, dismiss a comment, have it explained."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from lsprotocol import types

from acclimate_indexer.errors import AcclimateError
from acclimate_indexer.review.dismissal_log import Scope

from ..documents import Documents
from ..language_server import AcclimateServer
from ..review.explanations import explanation
from ..review.places import Places
from ..review.plan import Asked
from .arguments import argument_of, refused
from .progress import begin_progress, progress_token
from .snapshot import text_to_review

REVIEW = "acclimate.review"
DISMISS = "acclimate.review.dismiss"
NEVER = "acclimate.review.never"
EXPLAIN = "acclimate.review.explain"
TITLE = "Reviewing"


def review(ls: AcclimateServer, *arguments: Any) -> dict[str, Any]:
    """Reviews `{uri?, range?, workDoneToken?}`: lines, a file, or what was changed in all open files.

    Answers at once with `{files}`, how many; what is found comes as diagnostics.
    """
    argument = argument_of(arguments)
    uris = [str(argument["uri"])] if argument.get("uri") else _open_files(ls)
    if missing := [uri for uri in uris if text_to_review(ls, uri) is None]:
        raise refused(f"{missing[0]!r} is no open file. Open it first.", code=types.ErrorCodes.InvalidParams)
    ls.keep(_reviewed(ls, uris, _asked(ls, argument, uris), argument.get("workDoneToken")))
    return {"files": len(uris)}


async def dismiss(ls: AcclimateServer, *arguments: Any) -> dict[str, Any]:
    """A comment `{uri, mark}` is not shown any more at this place; `{dismissed}` is false if it was not shown."""
    return await _dismissed(ls, arguments, "here")


async def never(ls: AcclimateServer, *arguments: Any) -> dict[str, Any]:
    """What a comment `{uri, mark}` says is said nowhere in this repository any more."""
    return await _dismissed(ls, arguments, "never")


async def explain(ls: AcclimateServer, *arguments: Any) -> dict[str, Any]:
    """Shows what a comment `{uri, mark}` rests on: as a page where the client can show one, else as a message."""
    argument = argument_of(arguments)
    comment = ls.session.reviews.comment(str(argument.get("uri")), str(argument.get("mark")))
    if comment is None:
        return {"explained": False}
    window = ls.client_capabilities.window
    if comment.page is not None and window is not None and window.show_document and window.show_document.support:
        await ls.window_show_document_async(types.ShowDocumentParams(uri=comment.page, take_focus=True))
    else:
        said = explanation(comment.finding)
        ls.window_show_message(types.ShowMessageParams(type=types.MessageType.Info, message=said))
    return {"explained": True}


async def _dismissed(ls: AcclimateServer, arguments: tuple[Any, ...], scope: Scope) -> dict[str, Any]:
    argument = argument_of(arguments)
    try:
        done = await ls.session.reviews.dismiss(str(argument.get("uri")), str(argument.get("mark")), scope)
    except AcclimateError as error:
        raise refused(str(error)) from error
    return {"dismissed": done}


def _open_files(ls: AcclimateServer) -> list[str]:
    documents = ls.workspace.text_documents if isinstance(ls.workspace, Documents) else {}
    return [document.uri for document in documents.values() if text_to_review(ls, document.uri) is not None]


def _asked(ls: AcclimateServer, argument: Mapping[str, Any], uris: list[str]) -> Asked:
    """What of the files is asked for.

    Raises:
        JsonRpcException: The range is none.
    """
    if not argument.get("uri"):
        return "changes"
    if not argument.get("range"):
        return "file"
    document = text_to_review(ls, uris[0])
    assert document is not None, "looked up before"
    try:
        start, end = (types.Position(*_numbers(argument["range"][each])) for each in ("start", "end"))
    except (KeyError, TypeError) as error:
        raise refused("The range is none of LSP's.", code=types.ErrorCodes.InvalidParams) from error
    return Places(document, ls.workspace.position_codec).lines(types.Range(start=start, end=end))


def _numbers(position: Mapping[str, Any]) -> tuple[int, int]:
    numbers = position["line"], position["character"]
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise TypeError(numbers)
    return numbers


async def _reviewed(ls: AcclimateServer, uris: list[str], asked: Asked, given: types.ProgressToken | None) -> None:
    """Reviews one file after the other. Somebody asked: if none can be reviewed, a message is no intrusion."""
    token = progress_token(ls, given, "review")
    if token is not None:
        begin = types.WorkDoneProgressBegin(title=TITLE, cancellable=False)
        await begin_progress(ls, token, begin, given=given)
    reasons = []
    for number, uri in enumerate(uris):
        if token is not None:
            done = types.WorkDoneProgressReport(message=f"{number + 1} of {len(uris)} files")
            ls.work_done_progress.report(token, done)
        reasons.append(await ls.session.reviews.asked(uri, partial(text_to_review, ls, uri), asked))
    if token is not None:
        ls.work_done_progress.end(token, types.WorkDoneProgressEnd())
    if reasons and all(reasons):
        ls.window_show_message(types.ShowMessageParams(type=types.MessageType.Warning, message=reasons[0]))
