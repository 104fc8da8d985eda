"""From a cursor to what a model writes there: what it wrote before if that fits, else by asking the engine."""

import asyncio
import time
from dataclasses import dataclass

from acclimate_indexer.completion_cut import Mode
from acclimate_indexer.document_tree import DocumentTree
from acclimate_indexer.errors import EngineRefused, EngineUnavailable
from acclimate_indexer.fitting import prepare
from acclimate_indexer.prompts import Cursor

from ..session import Place, Session
from .adapters import Chosen
from .memory import Offered, RawAnswer
from .writing import Question, Writing

LINES_FACTOR = 2  # what is more than a line may have so many times as many tokens
PREPARE_SECONDS = 0.02  # before the end of a pause the question is made, so that it costs no time after it
LATE_SECONDS = 0.001  # that a sleep takes longer than it is told to: event loops count in milliseconds, and round up
SENT_SECONDS = 0.005  # after that a question has left, and an answer has hardly begun
NOT_FOUND = 404  # vLLM's answer for an adapter that is not loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A cursor in a document, and who completes there.

    Attributes:
        document: Its URI.
        before: The document's text up to the cursor; `after`: from it.
        wanted: The rest of a line, a block, or lines.
    """

    document: str
    before: str
    after: str
    cursor: Cursor
    tree: DocumentTree
    wanted: Mode
    place: Place
    chosen: Chosen
    is_automatic: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a model wrote.

    Attributes:
        offer: The name of this answer; the rest of one that was typed into keeps it.
        is_used_up: All of it was typed or taken already.
        engine_seconds: How long the engine was waited for; None if it was not asked.
    """

    raw: RawAnswer
    chosen: Chosen
    offer: str
    is_used_up: bool = False
    engine_seconds: float | None = None


async def found_at(session: Session, spot: Spot) -> Found:
    """The answer at a spot.

    Raises:
        EngineError: The engine refuses, or cannot be reached.
    """
    if spot.is_automatic and (known := _typed_through(session, spot)) is not None:
        return known
    writing = session.writings.of(spot.document)
    if (
        writing is not None
        and writing.question.model == spot.chosen.model
        and writing.leads_to(spot.before, spot.after)
    ):
        await writing.end()
        if (known := _typed_through(session, spot)) is not None:
            return known
    elif writing is not None:
        writing.stop()
    if spot.is_automatic:
        if session.connection.client is not None:
            session.connection.client.warm_up()
        await asyncio.sleep(max(0.0, _pause_seconds(session, spot) - PREPARE_SECONDS))
    try:
        return await _asked(session, spot, spot.chosen)
    except EngineRefused as error:
        if error.status != NOT_FOUND or spot.chosen.version is None or spot.place.adapter is None:
            raise
    spot.place.adapter.lost()
    return await _asked(session, spot, spot.place.choose())


def _pause_seconds(session: Session, spot: Spot) -> float:
    """How long nobody may type yet before the engine is asked."""
    return session.pace.wait_seconds(spot.place.settings.completion.debounce_seconds) if spot.is_automatic else 0.0


def _typed_through(session: Session, spot: Spot) -> Found | None:
    known = session.memory.typed_through(spot.document, spot.chosen.model, spot.before, spot.after)
    if known is None:
        return None
    return Found(raw=known.raw, chosen=spot.chosen, offer=known.name, is_used_up=not known.raw.text.strip())


async def _asked(session: Session, spot: Spot, chosen: Chosen) -> Found:
    """Puts the question, unless exactly this one was put before."""
    question = await question_at(session, spot, chosen)
    if (raw := session.memory.answer_to(chosen.model, question.prompt)) is not None:
        offered = Offered(model=chosen.model, before=spot.before, after=spot.after, raw=raw)
        session.memory.offered(spot.document, offered)
        return Found(raw=raw, chosen=chosen, offer=offered.name)
    await asyncio.sleep(max(0.0, _pause_seconds(session, spot) - LATE_SECONDS))
    started = time.monotonic()
    asyncio.get_running_loop().call_later(SENT_SECONDS, prepare, spot.tree, len(spot.before))
    offered = await _written(session, question, is_line=spot.wanted == "line")
    seconds = time.monotonic() - started
    return Found(raw=offered.raw, chosen=chosen, offer=offered.name, engine_seconds=seconds)


async def question_at(session: Session, spot: Spot, chosen: Chosen) -> Question:
    """What to ask at a spot.

    Raises:
        EngineUnavailable: It ended since the spot was looked at.
    """
    place, prompts = spot.place, session.connection.prompts
    if prompts is None:
        raise EngineUnavailable(session.connection.reason)
    retrieved = place.surroundings(spot.cursor, spot.before.count("\n"), chosen)
    builder = prompts.of(chosen.budget)
    frame = builder.frame(spot.cursor, repository=place.repository_name)  # while another thread retrieves
    prompt = frame.around(await retrieved)
    return Question(
        document=spot.document,
        model=chosen.model,
        prompt=prompt,
        stop_ids=builder.stop_ids,
        max_tokens=place.settings.completion.max_tokens * (1 if spot.wanted == "line" else LINES_FACTOR),
        cursor=spot.cursor,
        before=spot.before,
        after=spot.after,
    )


async def _written(session: Session, question: Question, *, is_line: bool) -> Offered:
    """Has the engine write the answer, or waits for the one that it writes to the same question."""
    writing, client = session.writings.of(question.document), session.connection.client
    if client is None:
        raise EngineUnavailable(session.connection.reason)
    if writing is None or (writing.question.model, writing.question.prompt) != (question.model, question.prompt):
        writing = session.writings.start(Writing(client, question, session.answered))
    started, is_whole = time.monotonic(), False
    try:
        offered = await writing.end()
        is_whole = True
    finally:
        if is_line:
            session.speed.took(time.monotonic() - started, to_its_end=is_whole)
    return offered
