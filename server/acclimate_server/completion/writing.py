"""An answer while the engine writes it; at most one a document.

Typing on does not end it by itself: as long as what is typed is what it has written, the next request takes it over.
Typing anything else ends it at once, so that the engine makes no token that nobody wants.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass

from acclimate_indexer.completion_cut import is_complete
from acclimate_indexer.confidence import Certainty
from acclimate_indexer.prompts import Cursor, after_held_back, held_back
from acclimate_training.engine import EngineClient

from .memory import Offered, RawAnswer

UNCLAIMED_SECONDS = 1.0  # the request that follows a keystroke comes within milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the engine is asked.

    Attributes:
        document: Its URI.
        before: The document's text up to the cursor; `after`: from it.
    """

    document: str
    model: str
    prompt: Sequence[int]
    stop_ids: Sequence[int]
    max_tokens: int
    cursor: Cursor
    before: str
    after: str


class Writing:
    """The answer to one question.

    Attributes:
        text: What is written at the cursor so far.
        was_typed_into: What was typed since is what it writes.
    """

    def __init__(self, client: EngineClient, question: Question, on_end: Callable[[Question, Offered], None]) -> None:
        self.question = question
        self.text = ""
        self.was_typed_into = False
        self._awaited = 0
        self._task = asyncio.create_task(self._write(client, on_end))
        self._task.add_done_callback(_looked_at)

    async def end(self) -> Offered:
        """The whole answer. Whoever waits may be cancelled; the writing goes on.

        Raises:
            EngineError: The engine refuses, or cannot be reached.
            CancelledError: It was stopped.
        """
        self._awaited += 1
        try:
            return await asyncio.shield(self._task)
        finally:
            self._awaited -= 1

    @property
    def is_over(self) -> bool:
        return self._task.done()

    def stop(self) -> None:
        """Aborts it in the engine. To cancel once more would disturb the closing of its connection."""
        if not self._task.cancelling():
            self._task.cancel()

    def stop_unless_awaited(self) -> None:
        """Aborts it if nobody waits for it."""
        if not self._awaited:
            self.stop()

    def leads_to(self, before: str, after: str) -> bool:
        """Whether a cursor between these texts is where the answer goes."""
        if not before.startswith(self.question.before) or after != self.question.after:
            return False
        typed = before[len(self.question.before) :]
        return self.text.startswith(typed) if self.text else not typed.strip(" \t")

    def agrees_with(self, text: str) -> bool:
        """Whether a document with this text has gone where the answer goes."""
        cursor = len(text) - len(self.question.after)
        return cursor >= len(self.question.before) and self.leads_to(text[:cursor], text[cursor:])

    async def _write(self, client: EngineClient, on_end: Callable[[Question, Offered], None]) -> Offered:
        question = self.question
        raw = await written(client, question, told=self._hear)
        offered = Offered(model=question.model, before=question.before, after=question.after, raw=raw)
        on_end(question, offered)
        return offered

    def _hear(self, text: str) -> None:
        self.text = text


async def written(
    client: EngineClient,
    question: Question,
    *,
    told: Callable[[str], None] = lambda _: None,
    temperature: float = 0.0,
    seed: int = 0,
) -> RawAnswer:
    """The answer to a question, ended in the engine as soon as all that could follow would be cut away.

    Args:
        told: Hears what stands at the cursor, whenever it has grown.

    Raises:
        EngineError: The engine refuses, or cannot be reached.
    """
    cursor, held = question.cursor, held_back(question.cursor.prefix)
    certainty, text, is_whole = Certainty(), "", False
    stream = client.stream(
        question.prompt,
        model=question.model,
        max_tokens=question.max_tokens,
        stop_token_ids=question.stop_ids,
        temperature=temperature,
        seed=seed,
    )
    async with aclosing(stream) as pieces:
        async for piece in pieces:
            certainty.add(piece.text, piece.nats)
            text = after_held_back(certainty.written, held) or ""
            told(text)
            is_whole = piece.finish_reason == "stop" or is_complete(
                text, language=cursor.language, prefix=cursor.prefix, suffix=cursor.suffix
            )
            if is_whole or piece.finish_reason:
                break
    return RawAnswer(text=text, is_whole=is_whole, certainty=certainty)


class Writings:
    """What the engine writes for the documents of a session."""

    def __init__(self) -> None:
        self._by_document: dict[str, Writing] = {}

    def of(self, document: str) -> Writing | None:
        """What is being written for a document."""
        writing = self._by_document.get(document)
        return None if writing is None or writing.is_over else writing

    def start(self, writing: Writing) -> Writing:
        """Puts a writing in the place of what was written before for its document."""
        document = writing.question.document
        self.stop(document)
        self._by_document[document] = writing
        return writing

    def changed(self, document: str, text: Callable[[], str]) -> None:
        """A document was changed, and has this text now."""
        if (writing := self.of(document)) is None:
            return
        if writing.agrees_with(text()):
            writing.was_typed_into = True
        else:
            writing.stop()

    def unclaimed(self, document: str) -> None:
        """The editor took its request back. Only an answer that was typed into is given a moment."""
        if (writing := self.of(document)) is None:
            return
        if writing.was_typed_into:
            asyncio.get_running_loop().call_later(UNCLAIMED_SECONDS, writing.stop_unless_awaited)
        else:
            writing.stop()  # Escape, or the cursor went elsewhere

    def stop(self, document: str) -> None:
        """Aborts what is written for a document."""
        if (writing := self._by_document.pop(document, None)) is not None:
            writing.stop()

    async def close(self) -> None:
        """Aborts everything."""
        for document in list(self._by_document):
            self.stop(document)
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)


def _looked_at(task: "asyncio.Task[Offered]") -> None:
    """A failure that nobody waits for is no news: the next request meets it, too."""
    if not task.cancelled():
        task.exception()
