"""What retrieval knows while one works: the live index of a repository, in a thread of its own.

A request waits for it a moment at most: an index that is being built, or a large file that is being read, must not hold
up a completion. What was retrieved is kept while the cursor stays where it was, so that the head of the prompt does not
change with every keystroke and the engine's prefix cache hits.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from acclimate_indexer.blob_store import BlobStore
from acclimate_indexer.context.live import LiveContext
from acclimate_indexer.errors import AcclimateError
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.mining.contexts import MAX_CONTEXT_CHARACTERS
from acclimate_indexer.mining.options import MiningOptions
from acclimate_indexer.pairs import Snippet
from acclimate_indexer.prompts import Cursor
from acclimate_indexer.repository import Repository

log = logging.getLogger(__name__)

WAIT_SECONDS = 0.15  # retrieval takes two milliseconds; who waits longer waits for an index that is being built
KEPT_LINES = 2  # so far from where something was retrieved, four of the six lines of the query are the same
KEPT_SECONDS = 30.0  # other files were edited by then
HEAD_SECONDS = 5.0  # between two looks whether another commit was checked out; git takes some 3 ms


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    line: int
    cursor: Cursor
    snippets: tuple[Snippet, ...]
    at: float


class Surroundings:
    """The live index of one work tree. One thread does all of its work, in the order that it is asked for."""

    def __init__(self, repository: Repository, home: RepositoryHome, options: MiningOptions) -> None:
        self._repository = repository
        self._home = home
        self._options = options
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="context")
        self._context: LiveContext | None = None
        self._store: BlobStore | None = None
        self._head = ""
        self._looked = 0.0
        self._edited: dict[str, Callable[[], str]] = {}
        self._kept: dict[str, _Kept] = {}
        self._do(self._build)

    def edited(self, path: str, text: Callable[[], str]) -> None:
        """A file was changed in the editor. Its text is asked for as soon as another file wants to know."""
        self._edited[path] = text

    def saved(self, path: str) -> None:
        """A file lies on the disk as it is in the editor."""
        self._do(lambda: self._tell(LiveContext.update, path))

    def closed(self, path: str) -> None:
        """A file is not in the editor any more."""
        self._edited.pop(path, None)
        self._kept.pop(path, None)
        self._do(lambda: self._tell(LiveContext.discard, path))

    def snippets(self, cursor: Cursor, line: int) -> Awaitable[tuple[Snippet, ...]]:
        """What a prompt at the cursor should know; nothing while that is not known yet. It is begun at once.

        Args:
            line: Where the cursor is in its file.
        """
        others = {path: self._edited.pop(path)() for path in list(self._edited) if path != cursor.path}
        return _in_time(self._thread.submit(self._retrieved, cursor, line, others))

    async def settled(self) -> None:
        """Returns when all that was asked for so far is done."""
        await asyncio.wrap_future(self._thread.submit(lambda: None))

    def close(self) -> None:
        """Ends the thread as soon as it has done what it does now."""
        self._do(self._end)
        self._thread.shutdown(wait=False)

    def _do(self, work: Callable[[], object]) -> None:
        self._thread.submit(work).add_done_callback(_told)

    # In the thread.

    def _build(self) -> None:
        self._head, self._looked = self._repository.head(), time.monotonic()
        self._store = BlobStore.open(self._home.blobs)
        context = LiveContext(self._repository, self._store, self._options)
        context.refresh()
        self._context = context

    def _tell(self, change: Callable[[LiveContext, str], None], path: str) -> None:
        if self._context is not None:
            change(self._context, path)

    def _end(self) -> None:
        if self._store is not None:
            self._store.close()

    def _retrieved(self, cursor: Cursor, line: int, edited: Mapping[str, str]) -> tuple[Snippet, ...]:
        if self._context is None:
            return ()
        self._follow_head()
        for path, text in edited.items():
            self._context.overlay(path, text)
        kept = self._kept.get(cursor.path)
        if kept is not None and _is_near(kept, line) and not self._names_more(cursor, kept.cursor):
            return kept.snippets
        snippets = self._context.snippets(cursor, max_characters=MAX_CONTEXT_CHARACTERS)
        self._kept[cursor.path] = _Kept(line=line, cursor=cursor, snippets=snippets, at=time.monotonic())
        return snippets

    def _names_more(self, cursor: Cursor, before: Cursor) -> bool:
        """Whether something that the repository defines was named since."""
        assert self._context is not None
        return not self._context.known_names(cursor) <= self._context.known_names(before)

    def _follow_head(self) -> None:
        if time.monotonic() - self._looked < HEAD_SECONDS:
            return
        self._looked = time.monotonic()
        head = self._repository.head()
        if head != self._head and self._context is not None:
            self._head = head
            self._context.refresh()
            self._kept.clear()


async def _in_time(asked: "Future[tuple[Snippet, ...]]") -> tuple[Snippet, ...]:
    try:
        return await asyncio.wait_for(asyncio.wrap_future(asked), WAIT_SECONDS)
    except TimeoutError:
        return ()


def _is_near(kept: _Kept, line: int) -> bool:
    """Whether the cursor is about where it was a while ago."""
    return abs(line - kept.line) <= KEPT_LINES and time.monotonic() - kept.at < KEPT_SECONDS


def _told(done: "Future[object]") -> None:
    if done.cancelled() or (error := done.exception()) is None:
        return
    if isinstance(error, AcclimateError):
        log.warning("Nothing is retrieved: %s", error)
    else:
        log.error("Retrieval failed", exc_info=error)
