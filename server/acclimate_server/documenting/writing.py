"""From a cursor in a definition to its doc-comment, as the model writes one that has learnt from this repository's."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from acclimate_indexer.completion_cut import cut
from acclimate_indexer.doc_comment_check import why_no_doc_comment
from acclimate_indexer.errors import EngineError, EngineRefused, EngineUnavailable
from acclimate_indexer.file_style import in_style_of
from acclimate_indexer.languages.language import Language
from acclimate_indexer.languages.registry import language_named
from acclimate_indexer.prompts import Cursor
from acclimate_indexer.undocumented import DocPlace, doc_place

from ..completion.adapters import Chosen
from ..completion.asking import NOT_FOUND
from ..completion.memory import RawAnswer
from ..completion.whether import language_at, why_not
from ..completion.writing import Question, written
from ..session import Place, Session

MAX_TOKENS = 400  # about as many as the longest comment has that is learnt from
NO_DEFINITION = "There is no definition without a doc-comment here."
CHANGED = "The definition was changed while its doc-comment was being written."


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A cursor in a document at the moment of the request.

    Attributes:
        path: Where the file lies, or None if it was never saved.
        text: `uniform`; of a cell of a notebook, the cell's alone.
        offset: Of the cursor, in characters of `text`.
    """

    uri: str
    path: Path | None
    language_id: str
    text: str
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DocComment:
    """What to put in; with no lines, `reason` says why.

    Attributes:
        text: What the document holds now.
        offset: Of the start of the line, in characters of `text`, before which the lines go.
        lines: Whole ones, with "\\n" as the line ending.
    """

    name: str = ""
    text: str = ""
    offset: int = 0
    lines: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Undocumented:
    place: Place
    language: Language
    doc: DocPlace


async def undocumented_name(session: Session, spot: Spot) -> str:
    """What the definition at a spot is called that could be given a doc-comment; empty if none could."""
    found = await _undocumented(session, spot) if session.connection.is_open else ""
    return "" if isinstance(found, str) else found.doc.name


async def doc_comment(session: Session, spot: Spot, text_now: Callable[[], str | None]) -> DocComment:
    """The doc-comment for the definition at a spot. Cancelling it aborts the generation in the engine.

    Args:
        text_now: What stands in the document, as `Spot.text`; None once it is closed.
    """
    session.connection.wake(is_asked_for=True)
    if session.connection.client is None:
        return DocComment(reason=session.connection.reason)
    found = await _undocumented(session, spot)
    if isinstance(found, str):
        return DocComment(reason=found)
    cursor = found.doc.cursor(path=found.place.path, language=found.language.name, text=spot.text)
    try:
        raw = await _answer(session, spot, found, cursor)
    except EngineError as error:
        return DocComment(name=found.doc.name, reason=str(error))
    if not raw.is_whole:
        return DocComment(name=found.doc.name, reason="The model came to no end.")
    answer = cut(raw.text, language=cursor.language, prefix=cursor.prefix, suffix=cursor.suffix)
    comment = in_style_of(answer, prefix=cursor.prefix, suffix=cursor.suffix)
    return await _fitted(session, spot, found, comment, text_now)


async def _undocumented(session: Session, spot: Spot) -> _Undocumented | str:
    """The definition, or why none is documented here."""
    place = await session.place_of(spot.path)
    name = language_at(spot.path, spot.language_id)
    if reason := why_not(session, place, name, characters=len(spot.text), is_automatic=False):
        return reason
    language = language_named(name)
    if language is None or language.grammar is None:
        return NO_DEFINITION
    doc = doc_place(spot.text, await session.outlines.of(spot.uri, language, spot.text), language, spot.offset)
    return NO_DEFINITION if doc is None else _Undocumented(place=place, language=language, doc=doc)


async def _answer(session: Session, spot: Spot, found: _Undocumented, cursor: Cursor) -> RawAnswer:
    """What the model wrote. An adapter that the engine has forgotten is loaded again; the base answers meanwhile."""
    chosen = found.place.choose()
    try:
        return await _written(session, spot, found, cursor, chosen)
    except EngineRefused as error:
        if error.status != NOT_FOUND or chosen.version is None or found.place.adapter is None:
            raise
    found.place.adapter.lost()
    return await _written(session, spot, found, cursor, found.place.choose())


async def _written(session: Session, spot: Spot, found: _Undocumented, cursor: Cursor, chosen: Chosen) -> RawAnswer:
    """Asks as for a completion, repository around it and all: so the pairs of documentation were learnt."""
    prompts, before = session.connection.prompts, spot.text[: found.doc.offset]
    if prompts is None:
        raise EngineUnavailable(session.connection.reason)
    retrieved = found.place.surroundings(cursor, before.count("\n"), chosen, is_automatic=False)
    builder = prompts.of(chosen.budget)
    frame = builder.frame(cursor, repository=found.place.repository_name)  # while another thread retrieves
    question = Question(
        document=spot.uri,
        model=chosen.model,
        prompt=frame.around(await retrieved),
        stop_ids=builder.stop_ids,
        max_tokens=MAX_TOKENS,
        cursor=cursor,
        before=before,
        after=spot.text[found.doc.offset :],
    )
    if (client := session.connection.client) is None:
        raise EngineUnavailable(session.connection.reason)
    return await written(client, question)


async def _fitted(
    session: Session, spot: Spot, found: _Undocumented, comment: str, text_now: Callable[[], str | None]
) -> DocComment:
    """The comment where the definition stands by now, once it is sure that it is nothing but a comment there."""
    text, name = text_now(), found.doc.name
    doc = None if text is None else found.doc.moved(spot.text, text)
    if text is None or doc is None:
        return DocComment(name=name, reason=CHANGED)
    outline = await session.outlines.of(spot.uri, found.language, text)
    reason = await asyncio.get_running_loop().run_in_executor(
        session.executor, why_no_doc_comment, comment, doc, text, outline, found.language
    )
    if reason:
        return DocComment(name=name, reason=reason)
    return DocComment(name=name, text=text, offset=doc.offset, lines=doc.lines(comment))
