"""A completion: from a snapshot of a document to the text that is shown, or the reason why nothing is.

Everything about the document is taken before the first await: afterwards the user has typed on.
"""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from acclimate_indexer.completion_cut import cut, is_complete
from acclimate_indexer.errors import EngineError, EngineRefused
from acclimate_indexer.file_text import uniform
from acclimate_indexer.languages.registry import LANGUAGES, language_of
from acclimate_indexer.prompts import Cursor, after_held_back, held_back

from ..session import Place, Session
from .adapters import Chosen
from .connection import EngineConnection

NOT_FOUND = 404  # vLLM's answer for an adapter that is not loaded


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
    """What to show; with no text, `reason` says why. `adapter` is the version that gave it, None the base model."""

    text: str = ""
    reason: str = ""
    adapter: str | None = None


async def complete(session: Session, snapshot: Snapshot) -> Answer:
    """The completion at the cursor. Of two requests for one document the older is answered with nothing.

    Cancelling it aborts the generation in the engine.
    """
    answer = await session.newest_only(snapshot.uri, _answer(session, snapshot))
    if answer is None:
        return Answer(reason="A newer request replaced this one.")
    session.board.update(completion=answer.reason, completed_by=answer.adapter)
    return answer


async def _answer(session: Session, snapshot: Snapshot) -> Answer:
    if snapshot.is_automatic:
        await asyncio.sleep(session.settings.completion.debounce_seconds)
    connection = session.connection
    if connection.client is None:
        return Answer(reason=connection.reason)
    place = await session.place_of(snapshot.path)
    language = _language(snapshot)
    if reason := _why_not(place, language):
        return Answer(reason=reason)
    cursor = Cursor.at(path=place.path, language=language, text=snapshot.text, start=snapshot.offset)
    try:
        text, adapter = await _generated(connection, place, cursor)
    except EngineError as error:
        return Answer(reason=str(error))
    text = cut(text, language=language, prefix=cursor.prefix, suffix=cursor.suffix)
    reason = "" if text.strip() else "The model proposed nothing here."
    return Answer(text="" if reason else text, reason=reason, adapter=adapter)


async def _generated(connection: EngineConnection, place: Place, cursor: Cursor) -> tuple[str, str | None]:
    """The text, and the adapter that it is from."""
    chosen = place.choose()
    try:
        return await _stream(connection, place, cursor, chosen), chosen.version
    except EngineRefused as error:
        if error.status != NOT_FOUND or chosen.version is None or place.adapter is None:
            raise
        place.adapter.lost()
        chosen = place.choose()
        return await _stream(connection, place, cursor, chosen), chosen.version


async def _stream(connection: EngineConnection, place: Place, cursor: Cursor, chosen: Chosen) -> str:
    """Generates until the answer is complete, and not a token further."""
    client, prompts = connection.client, connection.prompts
    if client is None or prompts is None:
        return ""  # the engine ended between two awaits
    loop = asyncio.get_running_loop()
    builder = prompts.of(chosen.budget)
    ids = await loop.run_in_executor(place.executor, lambda: builder.prompt(cursor, repository=place.repository_name))
    stream = client.stream(
        ids, model=chosen.model, max_tokens=place.settings.completion.max_tokens, stop_token_ids=builder.stop_ids
    )
    text = written = ""
    async with aclosing(stream):
        async for piece in stream:
            written += piece.text
            text = after_held_back(written, held_back(cursor.prefix)) or ""
            if is_complete(text, language=cursor.language, prefix=cursor.prefix, suffix=cursor.suffix):
                break
    return text


def _language(snapshot: Snapshot) -> str:
    known = language_of(snapshot.path.name) if snapshot.path is not None else None
    if known is not None:
        return known.name
    return snapshot.language_id if snapshot.language_id in {language.name for language in LANGUAGES} else ""


def _why_not(place: Place, language: str) -> str:
    wanted = place.settings.completion
    if not wanted.enabled:
        return "Completion is switched off: `completion.enabled`."
    if not language:
        return "The language of this file is not one that acclimate completes."
    if wanted.languages and language not in wanted.languages:
        return f"Completion in {language} is switched off: `completion.languages`."
    return ""
