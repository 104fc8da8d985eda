"""A completion: from a snapshot of a document to the text that is shown, or the reason why nothing is.

Everything about the document is taken before the first await: afterwards the user has typed on.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from acclimate_indexer.errors import EngineError
from acclimate_indexer.file_text import uniform
from acclimate_indexer.prompts import Cursor

from ..session import Session
from .ahead import prepare_next
from .asking import Spot, found_at
from .candidates import other_answers
from .shown import fitted, shown
from .whether import language_at, why_not


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
    """

    uri: str
    path: Path | None
    language_id: str
    text: str
    offset: int
    is_automatic: bool
    line_ending: str = "\n"

    def in_its_line_endings(self, answer: str) -> str:
        """The answer as it is inserted into the document."""
        return uniform(answer).replace("\n", self.line_ending)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What to show; with no text, `reason` says why.

    Attributes:
        texts: The likeliest first; more than one only where somebody asked by hand.
        adapter: The version that gave it, None the base model.
        offer: What its fate is noted under.
    """

    texts: tuple[str, ...] = ()
    reason: str = ""
    adapter: str | None = None
    offer: str = ""


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
    if session.connection.client is None:
        return Answer(reason=session.connection.reason)
    place = await session.place_of(snapshot.path)
    language = language_at(snapshot.path, snapshot.language_id)
    if reason := why_not(session, place, language, characters=len(snapshot.text), is_automatic=snapshot.is_automatic):
        return Answer(reason=reason)
    spot = Spot(
        document=snapshot.uri,
        before=snapshot.text[: snapshot.offset],
        after=snapshot.text[snapshot.offset :],
        cursor=Cursor.at(path=place.path, language=language, text=snapshot.text, start=snapshot.offset),
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
    text, reason = shown(spot, found)
    texts = [text] if text else []
    if not spot.is_automatic:
        others = await other_answers(session, spot, place.settings.completion.candidates - 1)
        texts += [text for raw in others if (text := fitted(spot, raw))]
    return Answer(
        texts=tuple(dict.fromkeys(texts)),
        reason="" if texts else reason,
        adapter=found.chosen.version,
        offer=found.offer,
    )
