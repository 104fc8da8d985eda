"""`textDocument/completion`: the same answer in the pop-up list, for editors without inline completion."""

import re

from lsprotocol import types

from ..completion.request import Answer
from ..language_server import AcclimateServer
from .offering import answered, taken_command
from .snapshot import open_document, snapshot

OPTIONS = types.CompletionOptions(trigger_characters=[".", "(", "=", " "])
LABEL_CHARACTERS = 60  # a list is about that wide

_WORD = re.compile(r"\w*\Z")


async def completion(ls: AcclimateServer, params: types.CompletionParams) -> types.CompletionList:
    """What is proposed. The list is incomplete, so that the editor asks again as the user types on."""
    document = open_document(ls, params.text_document.uri)
    if document is None:
        return types.CompletionList(is_incomplete=True, items=[])
    kind = types.CompletionTriggerKind.Invoked if params.context is None else params.context.trigger_kind
    # Editors that complete words as they are typed say "invoked", too.
    is_automatic = kind != types.CompletionTriggerKind.Invoked or ls.session.pace.is_typing
    place = snapshot(document, params.position, is_automatic=is_automatic)
    answer = await answered(ls, document, place)
    before = place.text[: place.offset]
    texts = [place.in_its_line_endings(text) for text in answer.texts]
    return types.CompletionList(is_incomplete=True, items=[_item(before, text, answer, params) for text in texts])


def _item(before: str, text: str, answer: Answer, params: types.CompletionParams) -> types.CompletionItem:
    """An item that replaces the word before the cursor: editors filter a list by that word."""
    word = _WORD.search(before[-LABEL_CHARACTERS:])
    typed = word.group() if word is not None and word.group().isascii() else ""  # ASCII counts alike in every encoding
    start = types.Position(line=params.position.line, character=params.position.character - len(typed))
    first_line = (typed + text).strip().splitlines()[0]
    shown = first_line if len(first_line) <= LABEL_CHARACTERS else first_line[:LABEL_CHARACTERS] + "…"
    return types.CompletionItem(
        label=shown,
        kind=types.CompletionItemKind.Snippet if "\n" in text else types.CompletionItemKind.Text,
        detail="acclimate",
        documentation=typed + text,
        filter_text=typed or shown,
        sort_text="~",  # after what knows the language for certain
        insert_text_format=types.InsertTextFormat.PlainText,
        text_edit=types.TextEdit(range=types.Range(start=start, end=params.position), new_text=typed + text),
        command=taken_command(answer),
    )
