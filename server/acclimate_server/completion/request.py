"""A completion: from a snapshot of a document to the text that is shown, or the reason why nothing is.

Everything about the document is taken before the first await: afterwards the user has typed on.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from acclimate_indexer.cursor_syntax import cursor_syntax
from acclimate_indexer.errors import EngineError
from acclimate_indexer.file_text import uniform
from acclimate_indexer.prompts import Cursor

from ..feedback.offer import Offer
from ..session import Session
from .ahead import prepare_next
from .asking import Found, Spot, found_at
from .candidates import other_answers
from .shown import fitted, shown
from .whether import language_at, why_not, why_not_while_typing


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A document at the moment of the request.

    Attributes:
        path: Where the file lies, or None if it was never saved.
        language_id: The editor's idea, used where the file name says nothing.
        text: As a model sees it: `uniform`, and for a cell of a notebook with the other cells around it.
        offset: Of the cursor, in characters of `text`.
        is_automatic: The user typed and did not ask; such a request waits for a pause.
        line_ending: What most lines of the document itself end with.
        ahead: What the document would first get of the editor's own list: `text` holds it before the cursor, the
            document does not. None where that replaces something else.
    """

    uri: str
    path: Path | None
    language_id: str
    text: str
    offset: int
    is_automatic: bool
    line_ending: str = "\n"
    ahead: str | None = ""

    def in_its_line_endings(self, answer: str) -> str:
        """The answer as it is inserted into the document."""
        return uniform(answer).replace("\n", self.line_ending)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What to show; with no text, `reason` says why.

    Attributes:
        texts: The likeliest first; more than one only where somebody asked by hand.
        adapter: The version that gave it, None the base model.
        name: Of this answer, wherever it is told what became of it.
        offer: Whose fate is noted; None where there is no repository to note it in.
    """

    texts: tuple[str, ...] = ()
    reason: str = ""
    adapter: str | None = None
    name: str = ""
    offer: Offer | None = None


async def complete(session: Session, snapshot: Snapshot) -> Answer:
    """The completion at the cursor. Of two requests for one document the older is answered with nothing.

    Cancelling it aborts the generation in the engine, unless what was typed since is what is being generated.
    """
    try:
        answer = await session.newest_only(snapshot.uri, _answer(session, snapshot))
    except asyncio.CancelledError:
        session.writings.unclaimed(snapshot.uri)
        raise
    if answer is None:
        return Answer(reason="A newer request replaced this one.")
    session.board.update(completion=answer.reason, completed_by=answer.adapter)
    return answer


async def _answer(session: Session, snapshot: Snapshot) -> Answer:
    session.connection.wake(is_asked_for=not snapshot.is_automatic)
    if session.connection.client is None:
        return Answer(reason=session.connection.reason)
    place = await session.place_of(snapshot.path)
    language = language_at(snapshot.path, snapshot.language_id)
    if reason := why_not(session, place, language, characters=len(snapshot.text), is_automatic=snapshot.is_automatic):
        return Answer(reason=reason)
    tree = await session.trees.of(snapshot.uri, language, snapshot.text)
    syntax = cursor_syntax(tree, snapshot.offset)
    if snapshot.is_automatic and (reason := why_not_while_typing(place.settings.completion, syntax)):
        return Answer(reason=reason)
    spot = Spot(
        document=snapshot.uri,
        before=snapshot.text[: snapshot.offset],
        after=snapshot.text[snapshot.offset :],
        cursor=Cursor.at(path=place.path, language=language, text=snapshot.text, start=snapshot.offset),
        tree=tree,
        wanted=syntax.wanted,
        place=place,
        chosen=place.choose(),
        is_automatic=snapshot.is_automatic,
    )
    try:
        found = await found_at(session, spot)
    except EngineError as error:
        return Answer(reason=str(error))
    if found.is_used_up:
        await prepare_next(session, spot)
    first = shown(spot, found)
    texts = [first.text] if first.text else []
    if not spot.is_automatic:
        others = await other_answers(session, spot, place.settings.completion.candidates - 1)
        texts = [text for text in dict.fromkeys((*texts, *(fitted(spot, raw).text for raw in others))) if text]
    return Answer(
        texts=tuple(texts),
        reason="" if texts else first.reason,
        adapter=found.chosen.version,
        name=found.offer,
        offer=_offer(snapshot, spot, found, texts, first.confidence, session.connection.base_name) if texts else None,
    )


def _offer(
    snapshot: Snapshot, spot: Spot, found: Found, texts: list[str], confidence: float | None, base: str
) -> Offer | None:
    """What is noted of an answer; its texts are what comes into the document, that of the editor's list included."""
    if spot.place.repository is None or snapshot.ahead is None:
        return None
    offset = snapshot.offset - len(snapshot.ahead)
    first, *others = (snapshot.ahead + text for text in texts)
    return Offer(
        id=found.offer,
        repository=spot.place.repository,
        uri=snapshot.uri,
        path=spot.place.path,
        language=spot.cursor.language,
        offset=offset,
        before=snapshot.text[snapshot.text.rfind("\n", 0, offset) + 1 : offset],
        text=first,
        others=tuple(others),
        adapter=found.chosen.version,
        model=base,
        milliseconds=None if found.engine_seconds is None else 1000 * found.engine_seconds,
        is_automatic=spot.is_automatic,
        confidence=confidence,
        time=datetime.now(UTC),
    )
