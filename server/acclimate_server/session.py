"""All mutable state of a workspace: settings, the line to the engine, repositories, requests in flight, a training.

Lives on the event loop. What touches a disk or git runs in the session's own threads: pygls reads the editor's
messages through its own pool, and a busy thread there would make the server deaf.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from acclimate_indexer.errors import RepositoryError
from acclimate_indexer.home import Home, RepositoryHome
from acclimate_indexer.mining.options import MiningOptions
from acclimate_indexer.pairs import Snippet
from acclimate_indexer.prompts import Cursor
from acclimate_indexer.repository import Repository

from .completion.adapters import AdapterInUse, Chosen
from .completion.connection import EngineConnection
from .completion.memory import AnswerMemory, Offered
from .completion.pace import Pace
from .completion.speed import Speed
from .completion.surroundings import Surroundings
from .completion.trees import Trees
from .completion.writing import Question, Writings
from .documenting.outlines import Outlines
from .feedback.offer import Offer
from .feedback.recorder import Recorder
from .feedback.watch import Watch
from .idle import Activity
from .retraining import Retraining
from .settings import Settings
from .settings_sources import load_settings
from .status import AdapterStatus, StatusBoard

log = logging.getLogger(__name__)

T = TypeVar("T")

THREADS = 4  # git, tokenizing and reading adapters: short pieces of work that seldom meet
FORGET_SECONDS = 60.0  # after that a folder without git is looked at again: `git init` may have been run


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRepository:
    """A repository that documents of this workspace belong to."""

    repository: Repository
    home: RepositoryHome
    settings: Settings
    warnings: tuple[str, ...]
    adapter: AdapterInUse
    surroundings: Surroundings | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a document belongs: all that a completion needs to know about its surroundings.

    Attributes:
        path: As the prompt names it: relative to the work tree.
        adapter: None outside a repository; the base model completes there.
        repository: None outside of any.
        index: None outside a work tree.
    """

    path: str
    repository: Repository | None
    repository_name: str
    settings: Settings
    adapter: AdapterInUse | None
    index: Surroundings | None
    connection: EngineConnection

    def choose(self) -> Chosen:
        """Whom to ask for a completion here."""
        if self.adapter is None:
            return Chosen(model=self.connection.base_name, budget=self.connection.base_budget, version=None)
        return self.adapter.choose(self.settings.adapter)

    def wants_retrieval(self, chosen: Chosen) -> bool:
        """Whether the prompt shows something of the rest of the repository, by the settings or as `chosen` is best."""
        setting = self.settings.completion.retrieval
        return self.index is not None and (setting == "always" or (setting == "auto" and chosen.uses_retrieval))

    def surroundings(self, cursor: Cursor, line: int, chosen: Chosen) -> Awaitable[tuple[Snippet, ...]]:
        """What the prompt at the cursor shows of the rest of the repository. It is looked for from now on."""
        if self.index is None or not self.wants_retrieval(chosen):
            return _nothing()
        return self.index.snippets(cursor, line)


async def _nothing() -> tuple[Snippet, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Folder:
    seen: float
    resolved: Path
    opened: OpenRepository | None


class Session:
    """One editor's session. `configure` may be called again at any time; `close` once."""

    def __init__(self, home: Home, board: StatusBoard, flags: Mapping[str, Any]) -> None:
        self.home = home
        self.board = board
        self.settings = Settings()
        self._flags = flags
        self.training: Retraining | None = None
        self.activity = Activity()
        self.is_closed = False
        self.executor = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="acclimate")
        self.connection = EngineConnection(home, board, self.executor)
        self.connection.on_ready = self.refresh_adapters
        self.recorder = Recorder(home, self.executor, lambda: self.settings, self._rolled_back)
        self.watch = Watch(self.recorder)
        self.trees = Trees(self.executor)
        self.outlines = Outlines(self.executor)
        self.memory = AnswerMemory()
        self.writings = Writings()
        self.pace = Pace()
        self.speed = Speed()
        self._editor_options: Mapping[str, Any] = {}
        self._by_folder: dict[Path, _Folder] = {}
        self._repositories: dict[Path, OpenRepository] = {}
        self._last: OpenRepository | None = None
        self._in_flight: dict[str, asyncio.Task[Any]] = {}

    def configure(self, editor_options: Mapping[str, Any]) -> None:
        """Takes the editor's settings, and opens the line to the engine anew if they say another one."""
        before, self._editor_options = self.settings, editor_options
        self.settings, warnings = load_settings(self.home, None, editor_options, self._flags)
        for warning in warnings:
            log.warning("%s", warning)
        self.board.update(warnings=tuple(warnings))
        self._by_folder.clear()
        if self.connection.is_open and _same_engine(before, self.settings):
            return
        if self.settings.completion.enabled:
            self.connection.open(self.settings)
        else:
            self.connection.reason = "Completion is switched off: `completion.enabled`."

    async def document_opened(self, path: Path | None) -> None:
        """A document is in the editor: its repository is looked at, before the first completion is asked for."""
        if path is not None and self.settings.completion.enabled:
            await self._repository_of(path.parent)

    def document_changed(self, document: str, path: Path | None, text: Callable[[], str], inserted: str) -> None:
        """A document was changed; `inserted` was put in, nothing if some was deleted.

        Args:
            text: Gives all that stands in it now; asked only where somebody needs to know, since it may be long.
        """
        self.pace.typed(inserted)
        self.writings.changed(document, text)
        if self.watch.is_watching(document):
            self.watch.edited(document, text())
        if (known := self._indexed(path)) is not None:
            surroundings, relative = known
            surroundings.edited(relative, text)

    def document_saved(self, path: Path | None) -> None:
        """A document was written to the disk."""
        if (known := self._indexed(path)) is not None:
            surroundings, relative = known
            surroundings.saved(relative)

    def document_closed(self, document: str, path: Path | None) -> None:
        """A document left the editor."""
        self.writings.stop(document)
        self.memory.forget(document)
        self.trees.forget(document)
        self.outlines.forget(document)
        self.watch.closed(document)
        if (known := self._indexed(path)) is not None:
            surroundings, relative = known
            surroundings.closed(relative)

    async def newest_only(self, key: str, work: Coroutine[Any, Any, T]) -> T | None:
        """Does `work`, and ends what was still being done for the same key; that gives None."""
        if (older := self._in_flight.get(key)) is not None:
            older.cancel()
        task = asyncio.ensure_future(work)
        self._in_flight[key] = task
        try:
            return await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise  # the editor took the request back
            return None
        finally:
            if self._in_flight.get(key) is task:
                del self._in_flight[key]

    def answered(self, question: Question, offered: Offered) -> None:
        """The engine has written an answer to its end."""
        self.memory.keep(question.model, question.prompt, offered.raw)
        self.memory.offered(question.document, offered)

    def offered(self, offer: Offer, text: str) -> None:
        """A completion was sent for a document that has this text still."""
        if self.settings.feedback.keep:
            self.watch.offered(offer, text)

    async def place_of(self, path: Path | None) -> Place:
        """Where the document at `path` belongs; None is a document that was never saved."""
        opened, folder = (None, Path()) if path is None else await self._repository_of(path.parent)
        name, relative = "workspace", "untitled" if path is None else path.name
        if opened is not None and path is not None:
            name, relative = opened.repository.name, _relative(folder / path.name, opened.repository)
        self._last = opened
        place = Place(
            path=relative,
            repository=None if opened is None else opened.repository,
            repository_name=name,
            settings=self.settings if opened is None else opened.settings,
            adapter=None if opened is None else opened.adapter,
            index=None if opened is None else opened.surroundings,
            connection=self.connection,
        )
        self.tell_adapter()
        return place

    async def open_repository(self, folder: Path) -> OpenRepository:
        """The repository that `folder` lies in.

        Raises:
            RepositoryError: It lies in none, or it has no commits.
        """
        loop = asyncio.get_running_loop()
        repository, settings, warnings = await loop.run_in_executor(self.executor, self._read, folder)
        known = self._repositories.get(repository.common_directory)
        home = self.home.for_repository(repository.common_directory)
        adapter = known.adapter if known else AdapterInUse(home, self.connection, self.executor, self.tell_adapter)
        surroundings = known.surroundings if known else _surroundings(repository, home, settings)
        opened = OpenRepository(
            repository=repository,
            home=home,
            settings=settings,
            warnings=tuple(warnings),
            adapter=adapter,
            surroundings=surroundings,
        )
        self._repositories[repository.common_directory] = opened
        self.board.update(warnings=tuple(dict.fromkeys((*self.board.now.warnings, *warnings))))
        return opened

    def refresh_adapters(self) -> None:
        """Looks again which adapters are wanted: the engine is new, or a training has ended."""
        for opened in self._repositories.values():
            opened.adapter.refresh(opened.settings.adapter)

    def tell_adapter(self) -> None:
        """Brings the status up to date with the adapter of the repository that was used last."""
        if (last := self._last) is None:
            self.board.update(adapter=AdapterStatus(setting=self.settings.adapter))
            return
        about = AdapterStatus(
            repository=str(last.repository.work_tree or last.repository.common_directory),
            setting=last.settings.adapter,
            state=last.adapter.state,
            version=last.adapter.version,
            reason=last.adapter.reason,
        )
        self.board.update(adapter=about)

    async def close(self) -> None:
        """Ends the training and gives the engine back; a second or two at most."""
        self.is_closed = True
        self.board.close()
        self.watch.close()
        await self.recorder.close()
        for task in self._in_flight.values():
            task.cancel()
        if self.training is not None:
            await self.training.end("The editor was closed.")
        await self.writings.close()
        for opened in self._repositories.values():
            await opened.adapter.close()
            if opened.surroundings is not None:
                opened.surroundings.close()
        await self.connection.close()
        self.executor.shutdown(wait=False, cancel_futures=True)

    def _indexed(self, path: Path | None) -> tuple[Surroundings, str] | None:
        """The live index that a file belongs to, and what it is called there; None while that is not known."""
        known = None if path is None else self._by_folder.get(path.parent)
        if path is None or known is None or known.opened is None or known.opened.surroundings is None:
            return None
        return known.opened.surroundings, _relative(known.resolved / path.name, known.opened.repository)

    def _rolled_back(self, reason: str) -> None:
        """An adapter did worse in use than the one before. The pointer moved; the next request follows it."""
        self.board.update(warnings=tuple(dict.fromkeys((*self.board.now.warnings, reason))))

    async def _repository_of(self, folder: Path) -> tuple[OpenRepository | None, Path]:
        """What the folder belongs to, and the folder without symbolic links."""
        known = self._by_folder.get(folder)
        if known is not None and (known.opened is not None or time.monotonic() - known.seen < FORGET_SECONDS):
            return known.opened, known.resolved
        resolved = await asyncio.get_running_loop().run_in_executor(self.executor, folder.resolve)
        opened = None
        try:
            opened = await self.open_repository(resolved)
        except RepositoryError as error:
            log.info("%s", error)
        self._by_folder[folder] = _Folder(seen=time.monotonic(), resolved=resolved, opened=opened)
        return opened, resolved

    def _read(self, folder: Path) -> tuple[Repository, Settings, list[str]]:
        existing = next(path for path in (folder, *folder.parents) if path.exists())  # a new file's may not exist yet
        repository = Repository.open(existing)
        return repository, *load_settings(self.home, repository.work_tree, self._editor_options, self._flags)


def _surroundings(repository: Repository, home: RepositoryHome, settings: Settings) -> Surroundings | None:
    """The live index of a repository, where somebody works in it and retrieval is wanted."""
    if repository.work_tree is None or not settings.completion.enabled or settings.completion.retrieval == "never":
        return None
    return Surroundings(repository, home, MiningOptions.from_settings(settings.mining_overrides()))


def _same_engine(one: Settings, other: Settings) -> bool:
    return (one.engine, one.model, one.runtime, one.completion.enabled) == (
        other.engine,
        other.model,
        other.runtime,
        other.completion.enabled,
    )


def _relative(path: Path, repository: Repository) -> str:
    root = repository.work_tree or repository.common_directory
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
