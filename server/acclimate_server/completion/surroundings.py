"""What retrieval knows while one works: the live index of a repository or a folder, in a thread of its own.

A request waits for it a moment at most: an index that is being built, or a large file that is being read, must not hold
up a completion. What was retrieved is kept while the cursor stays where it was, so that the head of the prompt does not
change with every keystroke and the engine's prefix cache hits. Documents that were opened or edited last count more;
which, their number decides and no clock, so that the same work gives the same prompt.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from acclimate_indexer.blob_store import BlobStore
from acclimate_indexer.context.live import LiveContext
from acclimate_indexer.context.origin import Origin
from acclimate_indexer.errors import AcclimateError
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.mining.contexts import MAX_CONTEXT_CHARACTERS
from acclimate_indexer.mining.options import MiningOptions
from acclimate_indexer.pairs import Snippet
from acclimate_indexer.prompts import Cursor

from ..status import IndexStatus

log = logging.getLogger(__name__)

WAIT_SECONDS = 0.15  # retrieval takes two milliseconds; who waits longer waits for an index that is being built
ASKED_SECONDS = 1.0  # somebody who asks by hand waits for the engine as long; only where the index is built
KEPT_LINES = 2  # so far from where something was retrieved, four of the six lines of the query are the same
RECENT_DOCUMENTS = 8  # that count as worked on last; with 16 retrieval finds as much in one repository, less in another
KEPT_SECONDS = 30.0  # other files were edited by then
STATE_SECONDS = 5.0  # between two looks whether another commit was checked out; git takes some 3 ms


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    line: int
    cursor: Cursor
    snippets: tuple[Snippet, ...]
    at: float


class Surroundings:
    """The live index of one folder. One thread does all of its work, in the order that it is asked for."""

    def __init__(
        self,
        origin: Origin,
        home: RepositoryHome,
        options: MiningOptions,
        tell: Callable[[], object] = lambda: None,
    ) -> None:
        """Begins to read the folder. `tell` is called, in the thread, whenever `status` has changed."""
        self.status = IndexStatus(state="building")
        self._origin = origin
        self._home = home
        self._options = options
        self._tell = tell
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="context")
        self._context: LiveContext | None = None
        self._store: BlobStore | None = None
        self._state = ""
        self._looked = 0.0
        self._texts: dict[str, Callable[[], str]] = {}  # that the index does not know yet
        self._recent: dict[str, None] = {}  # the newest last
        self._kept: dict[str, _Kept] = {}
        self._do(self._build)

    def edited(self, path: str, text: Callable[[], str]) -> None:
        """A file was opened or changed in the editor. Its text is asked for as soon as another file wants to know."""
        self._texts[path] = text
        self._recent.pop(path, None)
        self._recent[path] = None
        if len(self._recent) > RECENT_DOCUMENTS + 1:  # that one may be completed in, which shows nothing of itself
            del self._recent[next(iter(self._recent))]

    def saved(self, path: str) -> None:
        """A file lies on the disk as it is in the editor."""
        self._do(lambda: self._change(LiveContext.update, path))

    def closed(self, path: str) -> None:
        """A file is not in the editor any more."""
        self._texts.pop(path, None)
        self._kept.pop(path, None)
        self._do(lambda: self._change(LiveContext.discard, path))

    def snippets(self, cursor: Cursor, line: int, *, is_automatic: bool = True) -> Awaitable[tuple[Snippet, ...]]:
        """What a prompt at the cursor should know; nothing while that is not known yet. It is begun at once.

        Args:
            line: Where the cursor is in its file.
            is_automatic: Nobody asked by hand, so that nobody waits longer than a moment.
        """
        others = {path: self._texts.pop(path)() for path in list(self._texts) if path != cursor.path}
        recent = [path for path in self._recent if path != cursor.path][-RECENT_DOCUMENTS:]
        is_patient = not is_automatic and self.status.state == "ready"
        asked = self._thread.submit(self._retrieved, cursor, line, others, recent)
        return _in_time(asked, ASKED_SECONDS if is_patient else WAIT_SECONDS)

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
        try:
            self._state, self._looked = self._origin.state(), time.monotonic()
            self._store = BlobStore.open(self._home.blobs)
            context = LiveContext(self._origin, self._store, self._options)
            context.refresh(lambda done, of: self._say(IndexStatus(state="building", done=done, of=of)))
        except Exception as error:  # whatever it was, nobody shall wait for this index
            self._say(IndexStatus(state="failed", reason=str(error) or type(error).__name__))
            raise
        self._context = context
        self._say(replace(self.status, state="ready"))

    def _say(self, status: IndexStatus) -> None:
        self.status = status
        self._tell()

    def _change(self, change: Callable[[LiveContext, str], None], path: str) -> None:
        if self._context is not None:
            change(self._context, path)

    def _end(self) -> None:
        if self._store is not None:
            self._store.close()

    def _retrieved(
        self, cursor: Cursor, line: int, edited: Mapping[str, str], recent: Sequence[str]
    ) -> tuple[Snippet, ...]:
        if self._context is None:
            return ()
        self._follow_state()
        for path, text in edited.items():
            self._context.overlay(path, text)
        kept = self._kept.get(cursor.path)
        if kept is not None and _is_near(kept, line) and not self._names_more(cursor, kept.cursor):
            return kept.snippets
        snippets = self._context.snippets(cursor, max_characters=MAX_CONTEXT_CHARACTERS, recent=recent)
        self._kept[cursor.path] = _Kept(line=line, cursor=cursor, snippets=snippets, at=time.monotonic())
        return snippets

    def _names_more(self, cursor: Cursor, before: Cursor) -> bool:
        """Whether something that the repository defines was named since."""
        assert self._context is not None
        return not self._context.known_names(cursor) <= self._context.known_names(before)

    def _follow_state(self) -> None:
        if time.monotonic() - self._looked < STATE_SECONDS:
            return
        self._looked = time.monotonic()
        state = self._origin.state()
        if state != self._state and self._context is not None:
            self._state = state
            self._context.refresh()
            self._kept.clear()


async def _in_time(asked: "Future[tuple[Snippet, ...]]", seconds: float) -> tuple[Snippet, ...]:
    try:
        return await asyncio.wait_for(asyncio.wrap_future(asked), seconds)
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
