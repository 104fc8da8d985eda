"""All mutable state of a workspace: settings, the line to the engine, repositories, requests in flight, a training.

Lives on the event loop. What touches a disk or git runs in the session's own threads: pygls reads the editor's
messages through its own pool, and a busy thread there would make the server deaf.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from acclimate_indexer.errors import RepositoryError
from acclimate_indexer.home import Home, RepositoryHome, repository_name
from acclimate_indexer.pairs import Snippet
from acclimate_indexer.prompts import Cursor
from acclimate_indexer.repository import Repository

from .completion.adapters import AdapterInUse, Chosen
from .completion.connection import EngineConnection
from .completion.indexes import Indexes, resolved_in
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
from .review.desk import Reviews
from .review.model import Voice, voice_of
from .review.opened import Belonging
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
    index: Surroundings | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a document belongs: all that a completion needs to know about its surroundings.

    Attributes:
        path: As the prompt names it: relative to the work tree, or to the folder without git that the editor opened.
        adapter: None outside a repository; the base model completes there.
        repository: None outside of any.
        index: None outside both.
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

    def surroundings(
        self, cursor: Cursor, line: int, chosen: Chosen, *, is_automatic: bool
    ) -> Awaitable[tuple[Snippet, ...]]:
        """What the prompt at the cursor shows of the rest of the repository. It is looked for from now on."""
        if self.index is None or not self.wants_retrieval(chosen):
            return _nothing()
        return self.index.snippets(cursor, line, is_automatic=is_automatic)


async def _nothing() -> tuple[Snippet, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Folder:
    """What is known of a folder with documents in it.

    Attributes:
        resolved: The folder without symbolic links.
        opened: The repository that it lies in.
        plain: Where it lies in no repository: the folder around it that the editor has open.
        index: Of the one or the other.
    """

    seen: float
    resolved: Path
    opened: OpenRepository | None = None
    plain: Path | None = None
    index: Surroundings | None = None

    @property
    def name(self) -> str:
        """What a prompt calls the repository."""
        if self.opened is not None:
            return self.opened.repository.name
        return "workspace" if self.plain is None else repository_name(self.plain)

    def relative(self, name: str) -> str:
        """What a prompt calls a file in this folder."""
        path = self.resolved / name
        root = self.plain if self.opened is None else _root(self.opened.repository)
        return path.relative_to(root).as_posix() if root is not None and path.is_relative_to(root) else name


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
        self.indexes = Indexes(home, board)
        self.folders: Callable[[], Sequence[Path]] = tuple  # that the editor has open
        self.recorder = Recorder(home, self.executor, lambda: self.settings, self._rolled_back)
        self.watch = Watch(self.recorder)
        self.trees = Trees(self.executor)
        self.outlines = Outlines(self.executor)
        self.memory = AnswerMemory()
        self.writings = Writings()
        self.pace = Pace()
        self.speed = Speed()
        self.reviews = Reviews(board, self._belonging, lambda: self._in_flight.values())
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
        self.reviews.settings_changed(self.settings.review)
        if self.connection.is_open and _same_engine(before, self.settings):
            return
        if self.settings.completion.enabled:
            self.connection.open(self.settings)
        else:
            self.connection.reason = "Completion is switched off: `completion.enabled`."

    def document_opened(
        self, path: Path | None, text: Callable[[], str], is_open: Callable[[], bool]
    ) -> Coroutine[Any, Any, None]:
        """A document is in the editor: its repository is looked at, before the first completion is asked for.

        The status tells of it as soon as this was called; the rest happens in what is given back.
        """
        is_wanted = path is not None and self.settings.completion.enabled
        if is_wanted:
            self.indexes.looking()
        return self._look_at(path if is_wanted else None, text, is_open)

    async def _look_at(self, path: Path | None, text: Callable[[], str], is_open: Callable[[], bool]) -> None:
        if path is None:
            return
        try:
            folder = await self._folder_of(path.parent)
        finally:
            self.indexes.found()
        if folder.index is not None and is_open():  # nobody would tell the index that it was closed meanwhile
            folder.index.edited(folder.relative(path.name), text)

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
        self.reviews.closed(document)
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
        folder = _Folder(seen=0.0, resolved=Path()) if path is None else await self._folder_of(path.parent)
        opened = self._last = folder.opened
        place = Place(
            path="untitled" if path is None else folder.relative(path.name),
            repository=None if opened is None else opened.repository,
            repository_name=folder.name,
            settings=self.settings if opened is None else opened.settings,
            adapter=None if opened is None else opened.adapter,
            index=folder.index,
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
        opened = OpenRepository(
            repository=repository,
            home=home,
            settings=settings,
            warnings=tuple(warnings),
            adapter=adapter,
            index=self.indexes.of_repository(repository, settings),
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
        self.reviews.close()
        if self.training is not None:
            await self.training.end("The editor was closed.")
        await self.writings.close()
        for opened in self._repositories.values():
            await opened.adapter.close()
        self.indexes.close()
        await self.connection.close()
        self.executor.shutdown(wait=False, cancel_futures=True)

    def _indexed(self, path: Path | None) -> tuple[Surroundings, str] | None:
        """The live index that a file belongs to, and what it is called there; None while that is not known."""
        folder = None if path is None else self._by_folder.get(path.parent)
        if path is None or folder is None or folder.index is None:
            return None
        return folder.index, folder.relative(path.name)

    async def _belonging(self, path: Path) -> Belonging | None:
        """Where a file is reviewed; None outside of any work tree."""
        folder = await self._folder_of(path.parent)
        opened = folder.opened
        if opened is None or opened.repository.work_tree is None:
            return None
        return Belonging(
            repository=opened.repository,
            home=opened.home,
            wanted=opened.settings.review,
            path=folder.relative(path.name),
            voice=self._voice(opened),
        )

    def _voice(self, opened: OpenRepository) -> Voice:
        """Whether the adapter of a repository speaks in reviews."""
        opened.adapter.refresh(opened.settings.adapter)
        return voice_of(opened.adapter.loaded, self.connection.client, self.connection.prompts, opened.settings.review)

    def _rolled_back(self, reason: str) -> None:
        """An adapter did worse in use than the one before. The pointer moved; the next request follows it."""
        self.board.update(warnings=tuple(dict.fromkeys((*self.board.now.warnings, reason))))

    async def _folder_of(self, folder: Path) -> _Folder:
        known = self._by_folder.get(folder)
        if known is not None and (known.opened is not None or time.monotonic() - known.seen < FORGET_SECONDS):
            return known
        resolved, plain = await asyncio.get_running_loop().run_in_executor(
            self.executor, resolved_in, self.folders(), folder
        )
        try:
            opened = await self.open_repository(resolved)
            found = _Folder(seen=time.monotonic(), resolved=resolved, opened=opened, index=opened.index)
        except RepositoryError as error:
            log.info("%s", error)
            index = None if plain is None else self.indexes.of_folder(plain, self.settings)
            found = _Folder(seen=time.monotonic(), resolved=resolved, plain=plain, index=index)
        self._by_folder[folder] = found
        return found

    def _read(self, folder: Path) -> tuple[Repository, Settings, list[str]]:
        existing = next(path for path in (folder, *folder.parents) if path.exists())  # a new file's may not exist yet
        repository = Repository.open(existing)
        return repository, *load_settings(self.home, repository.work_tree, self._editor_options, self._flags)


def _same_engine(one: Settings, other: Settings) -> bool:
    return (one.engine, one.model, one.runtime, one.completion.enabled) == (
        other.engine,
        other.model,
        other.runtime,
        other.completion.enabled,
    )


def _root(repository: Repository) -> Path:
    return repository.work_tree or repository.common_directory
