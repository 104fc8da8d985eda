"""The live indexes of a session: one a work tree and one a folder without git, and what the status says of them."""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from acclimate_indexer.context.origin import GitWorkTree, Origin
from acclimate_indexer.context.plain_folder import PlainFolder
from acclimate_indexer.home import Home, RepositoryHome
from acclimate_indexer.mining.options import MiningOptions
from acclimate_indexer.repository import Repository

from ..settings import Settings
from ..status import IndexStatus, IndexWord, StatusBoard
from .surroundings import Surroundings

WORDS: tuple[IndexWord, ...] = ("building", "failed", "ready", "none")  # of several indexes the first of these is told


class Indexes:
    """Lives on the event loop; the indexes report from their own threads."""

    def __init__(self, home: Home, board: StatusBoard) -> None:
        self._home = home
        self._board = board
        self._by_folder: dict[Path, Surroundings] = {}
        self._looking = 0

    def of_repository(self, repository: Repository, settings: Settings) -> Surroundings | None:
        """The index of a work tree; None where there is none, or nothing is to be retrieved."""
        if repository.work_tree is None or not _is_wanted(settings):
            return None
        home = self._home.for_repository(repository.common_directory)
        return self._of(GitWorkTree(repository), home, settings)

    def of_folder(self, folder: Path, settings: Settings) -> Surroundings | None:
        """The index of a folder without git; None where nothing is to be retrieved."""
        if not _is_wanted(settings):
            return None
        home = self._home.for_repository(folder / ".git")  # it may become a repository, and `acclimate forget` finds it
        return self._of(PlainFolder(folder), home, settings)

    def looking(self) -> None:
        """Where a document belongs is being found out; `found` follows. Until then the status says `building`."""
        self._looking += 1
        self._tell()

    def found(self) -> None:
        self._looking -= 1
        self._tell()

    def close(self) -> None:
        """Ends all of them."""
        for surroundings in self._by_folder.values():
            surroundings.close()

    def _of(self, origin: Origin, home: RepositoryHome, settings: Settings) -> Surroundings:
        if (known := self._by_folder.get(origin.folder)) is not None:
            return known
        tell = partial(_soon, asyncio.get_running_loop(), self._tell)
        options = MiningOptions.from_settings(settings.mining_overrides())
        opened = self._by_folder[origin.folder] = Surroundings(origin, home, options, tell)
        self._tell()
        return opened

    def _tell(self) -> None:
        told = [surroundings.status for surroundings in self._by_folder.values()]
        words = {"building" if self._looking else "none", *(status.state for status in told)}
        self._board.update(
            index=IndexStatus(
                state=next(word for word in WORDS if word in words),
                done=sum(status.done for status in told),
                of=sum(status.of for status in told),
                reason=next((status.reason for status in told if status.reason), ""),
            )
        )


def resolved_in(opened: Sequence[Path], folder: Path) -> tuple[Path, Path | None]:
    """A folder without symbolic links, and the innermost of those that the editor has open around it.

    One that holds the user's home is none: it is no project, and little of what lies there concerns its code.
    """
    resolved, home = folder.resolve(), Path(os.path.expanduser("~"))  # noqa: PTH111  # in a container it may be unknown
    around = [each for each in (path.resolve() for path in opened) if resolved.is_relative_to(each)]
    projects = (each for each in around if not home.is_relative_to(each))
    return resolved, max(projects, key=lambda path: len(path.parts), default=None)


def _is_wanted(settings: Settings) -> bool:
    return settings.completion.enabled and settings.completion.retrieval != "never"


def _soon(loop: asyncio.AbstractEventLoop, tell: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the session has ended
        loop.call_soon_threadsafe(tell)
