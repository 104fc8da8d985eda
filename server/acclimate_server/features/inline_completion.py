"""`textDocument/inlineCompletion`: ghost text at the cursor (LSP 3.18)."""

from lsprotocol import types

from ..completion.request import complete
from ..language_server import AcclimateServer
from .snapshot import open_document, snapshot

OPTIONS = types.InlineCompletionOptions()  # without an options object pygls does not advertise the capability


async def inline_completion(ls: AcclimateServer, params: types.InlineCompletionParams) -> types.InlineCompletionList:
    """One item, or none; the status says why there is none."""
    document = open_document(ls, params.text_document.uri)
    if document is None:
        return types.InlineCompletionList(items=[])
    is_automatic = params.context.trigger_kind == types.InlineCompletionTriggerKind.Automatic
    place = snapshot(document, params.position, is_automatic=is_automatic)
    ls.session.activity.touched(place.path)
    answer = await complete(ls.session, place)
    if not answer.text:
        return types.InlineCompletionList(items=[])
    here = types.Range(start=params.position, end=params.position)
    return types.InlineCompletionList(items=[types.InlineCompletionItem(insert_text=answer.text, range=here)])
