"""Writes down what the watch sees, in the session's threads: a batch every few seconds, never on the event loop.

With each batch it looks whether something was committed since, and at times whether the adapter in use still does well.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from acclimate_indexer.completion_feedback import CompletionFeedback, Moment, Outcome
from acclimate_indexer.home import Home, RepositoryHome
from acclimate_indexer.repository import Repository

from ..settings import Settings
from .at_commit import note_commits
from .offer import Offer
from .verdict import MIN_OFFERS, maybe_roll_back
from .watch import Decision

log = logging.getLogger(__name__)

WRITE_SECONDS = 2.0  # what is lost if the process is killed; a batch costs some milliseconds of a thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How much of an accepted text still stood there at some moment."""

    id: str
    moment: Moment
    characters: int


Note = Outcome | Kept


class Recorder:
    """What is to be noted of a session's repositories. Lives on the event loop.

    Args:
        settings: Those of now; asked when something is written.
        rolled_back: Hears, on the event loop, why an adapter was withdrawn.
    """

    def __init__(
        self, home: Home, executor: Executor, settings: Callable[[], Settings], rolled_back: Callable[[str], None]
    ) -> None:
        self._home = home
        self._executor = executor
        self._settings = settings
        self._rolled_back = rolled_back
        self._notes: dict[Path, list[Note]] = {}  # by git directory: each work tree has a HEAD of its own
        self._repositories: dict[Path, Repository] = {}
        self._heads: dict[Path, str] = {}  # where texts were looked for last
        self._writing: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def decided(self, offer: Offer, decision: Decision) -> None:
        """Notes the fate of an offer."""
        outcome = Outcome(
            id=offer.id,
            time=offer.time,
            path=offer.path,
            language=offer.language,
            adapter=offer.adapter,
            model=offer.model,
            milliseconds=offer.milliseconds,
            is_automatic=offer.is_automatic,
            confidence=offer.confidence,
            fate=decision.fate,
            shown=decision.shown,
            taken=decision.taken,
            before=offer.before,
            text=decision.text,
        )
        self._note(offer.repository, outcome)

    def still_there(self, offer: Offer, moment: Moment, characters: int) -> None:
        """Notes how much of an accepted text still stands there."""
        self._note(offer.repository, Kept(id=offer.id, moment=moment, characters=characters))

    async def close(self) -> None:
        """Writes what is left; after the watch was closed, before the threads are."""
        self._closing.set()
        if self._writing is not None:
            await self._writing

    def _note(self, repository: Repository, note: Note) -> None:
        if not self._settings().feedback.keep:
            return
        self._repositories[repository.git_directory] = repository
        self._notes.setdefault(repository.git_directory, []).append(note)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_later())

    async def _write_later(self) -> None:
        while self._notes:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), WRITE_SECONDS)
            notes, self._notes = self._notes, {}
            loop, settings = asyncio.get_running_loop(), self._settings()
            for reason in await loop.run_in_executor(self._executor, self._written, notes, settings):
                self._rolled_back(reason)

    def _written(self, notes: Mapping[Path, list[Note]], settings: Settings) -> list[str]:
        """Writes what belongs to each repository; gives why adapters were withdrawn."""
        reasons = []
        for directory, some in notes.items():
            repository = self._repositories[directory]
            home = self._home.for_repository(repository.common_directory)
            try:
                head = repository.head()
                reason = write_notes(some, head, home, settings)
                if head != self._heads.get(directory):
                    note_commits(_own(repository), head, home)
                    self._heads[directory] = head
            except Exception:  # a background task's boundary: feedback that is lost must not end completions
                log.warning("What became of completions in %s was not noted", repository.name, exc_info=True)
                continue
            if reason is not None:
                log.warning("The adapter of %s was withdrawn. %s", repository.name, reason)
                reasons.append(reason)
        return reasons


def write_notes(notes: Iterable[Note], head: str, home: RepositoryHome, settings: Settings) -> str | None:
    """Writes notes about one repository, and gives why its adapter was withdrawn, if it was. For a worker thread.

    Raises:
        AdapterError: The registry cannot be used.
        DiskFull: There is no room.
    """
    is_time_to_look = False
    with closing(CompletionFeedback.open(home.completions)) as store:
        for note in notes:
            if isinstance(note, Kept):
                store.note_kept(note.id, note.moment, note.characters)
            else:
                number = store.add(replace(note, head=head))
                is_time_to_look |= number is not None and number % MIN_OFFERS == 0
    return maybe_roll_back(home, settings) if is_time_to_look else None


def _own(repository: Repository) -> Repository:
    """The same repository for another thread."""
    return Repository(
        git_directory=repository.git_directory,
        common_directory=repository.common_directory,
        work_tree=repository.work_tree,
    )
