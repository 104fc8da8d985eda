"""`textDocument/inlineCompletion`: ghost text at the cursor (LSP 3.18)."""

from dataclasses import replace

from lsprotocol import types

from ..completion.request import Answer, Snapshot
from ..documents import Document
from ..language_server import AcclimateServer
from .offering import answered, taken_command
from .snapshot import open_document, snapshot

OPTIONS = types.InlineCompletionOptions()  # without an options object pygls does not advertise the capability


async def inline_completion(ls: AcclimateServer, params: types.InlineCompletionParams) -> types.InlineCompletionList:
    """What is proposed, the likeliest first; the status says why there is nothing."""
    document = open_document(ls, params.text_document.uri)
    if document is None:
        return types.InlineCompletionList(items=[])
    is_automatic = params.context.trigger_kind == types.InlineCompletionTriggerKind.Automatic
    place = snapshot(document, params.position, is_automatic=is_automatic)
    selected = params.context.selected_completion_info
    if selected is not None:
        place = _with_selected(place, document, params.position, selected)
    answer = await answered(ls, document, place)
    replaced = types.Range(start=params.position, end=params.position) if selected is None else selected.range
    before = "" if selected is None else selected.text
    return types.InlineCompletionList(items=_items(place, answer, before, replaced))


def _with_selected(
    place: Snapshot, document: Document, cursor: types.Position, selected: types.SelectedCompletionInfo
) -> Snapshot:
    """The document as it would be with what is selected in the editor's list: ghost text can only go on from there."""
    at = document.offset_of(cursor)
    start = place.offset - (at - document.offset_of(selected.range.start))
    end = place.offset + (document.offset_of(selected.range.end) - at)
    goes_on = end == place.offset and selected.text.startswith(place.text[start:end])
    return replace(
        place,
        text=place.text[:start] + selected.text + place.text[end:],
        offset=start + len(selected.text),
        ahead=selected.text[end - start :] if goes_on else None,
    )


def _items(place: Snapshot, answer: Answer, before: str, replaced: types.Range) -> list[types.InlineCompletionItem]:
    """The items; their command tells us that one was taken."""
    texts = [place.in_its_line_endings(before + text) for text in answer.texts]
    return [
        types.InlineCompletionItem(
            insert_text=text,
            filter_text=text,
            range=replaced,
            command=taken_command(answer),
        )
        for text in texts
    ]
