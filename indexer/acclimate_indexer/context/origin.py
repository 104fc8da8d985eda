"""Where a live index has its files from: a git work tree, or a folder without git (`plain_folder`)."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from acclimate_indexer.errors import RepositoryError
from acclimate_indexer.mining.analyses import Blobs
from acclimate_indexer.mining.options import MiningOptions
from acclimate_indexer.mining.scan import Scan, scanned
from acclimate_indexer.repository import Repository


class Origin(Blobs, Protocol):
    """The files of one folder. Not for use by several threads at once."""

    @property
    def folder(self) -> Path:
        """Where they lie; their paths are relative to it."""
        ...

    def state(self) -> str:
        """Changes when all files have to be looked at again."""
        ...

    def scan(self, options: MiningOptions) -> Scan:
        """Which files there are now. The blobs that it names can be asked for until the next scan."""
        ...


class GitWorkTree:
    """The files of the commit that is checked out in a work tree."""

    def __init__(self, repository: Repository) -> None:
        """Takes a repository with a work tree.

        Raises:
            RepositoryError: It has none.
        """
        if repository.work_tree is None:
            raise RepositoryError(f"{repository.name!r} has no work tree: nothing is edited there.")
        self.folder = repository.work_tree
        self._repository = repository

    def state(self) -> str:
        return self._repository.head()

    def scan(self, options: MiningOptions) -> Scan:
        return scanned(self._repository, self._repository.head(), options)

    def text(self, blob: str) -> str | None:
        return self._repository.text(blob)

    def opener(self) -> Callable[[], Blobs]:
        return self._repository.opener()
