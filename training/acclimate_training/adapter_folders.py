"""The folders that adapters lie in. A name that begins with a dot is one that is coming or going, and no adapter."""

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from acclimate_indexer.durable import disk_full_named
from acclimate_indexer.errors import AdapterError

from .adapter import Adapter, known_of
from .adapter_files import LINEAGE

LEFTOVER_SECONDS = 86_400  # no import takes a day
Facts = Mapping[str, Mapping[str, Any]]  # by version


class AdapterFolders:
    """The adapters of one repository as they lie on the disk."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self) -> list[str]:
        """The versions of which there is a folder, be it whole or damaged."""
        if not self._root.is_dir():
            return []
        return sorted(path.name for path in self._root.iterdir() if path.is_dir() and not path.name.startswith("."))

    def path(self, version: str) -> Path:
        """Where a version lies.

        Raises:
            AdapterError: It is a path, or what is not yet published.
        """
        folder = self._root / version
        if folder.name != version or version.startswith("."):
            raise no_such(version)
        return folder

    def read(self, version: str, facts: Mapping[str, Any]) -> Adapter:
        """An adapter as its lineage and the facts say.

        Raises:
            AdapterError: There is none, or its lineage cannot be read.
        """
        folder = self.path(version)
        try:
            lineage: dict[str, Any] = json.loads((folder / LINEAGE).read_text(encoding="utf-8"))
            return Adapter(version=version, folder=folder, record=known_of(lineage, facts)).checked()
        except FileNotFoundError as error:
            raise no_such(version) from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise AdapterError(
                f"The adapter {version!r} cannot be read ({error!r}). "
                f"Delete it (`acclimate adapters delete {version}`) and train again."
            ) from error

    def whole(self, names: list[str], facts: Facts) -> list[Adapter]:
        """Those of `names` that can be read, oldest first."""
        found = []
        for name in names:
            with suppress(AdapterError):
                found.append(self.read(name, facts.get(name, {})))
        return sorted(found, key=lambda adapter: (str(adapter.record.get("created", "")), adapter.version))

    def partial(self, version: str) -> Path:
        """Where a trainer writes."""
        folder = self._root / f".partial-{version}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def incoming(self, version: str) -> Iterator[Path]:
        """Where an import writes, beside trainings; gone after the block."""
        folder = self._root / f".incoming-{version}"
        try:
            with disk_full_named(folder):
                folder.mkdir(parents=True)
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def place(self, partial: Path, version: str) -> None:
        """Gives a written folder its name; this is the moment that it exists.

        Raises:
            AdapterError: The name is taken.
            DiskFull: There is no room.
        """
        folder = self.path(version)
        if folder.exists():
            raise taken(version)
        with disk_full_named(folder):
            os.replace(partial, folder)  # noqa: PTH105 - Path.replace says the same
            _sync(self._root)

    def hide(self, version: str) -> Path:
        """Takes the name away in one step, so that half of an adapter is never seen. Gives what is to be removed.

        Raises:
            AdapterError: There is no such folder.
        """
        folder, hidden = self.path(version), self._root / f".deleted-{version}"
        if not folder.is_dir():
            raise no_such(version)
        return folder.rename(hidden)

    def remove_leftovers(self) -> None:
        """Removes what killed trainings, deletions and imports left; for the one who holds the training lock."""
        for pattern in (".partial-*", ".deleted-*"):
            for folder in self._root.glob(pattern):
                shutil.rmtree(folder, ignore_errors=True)
        for folder in self._root.glob(".incoming-*"):
            with suppress(OSError):  # that import has ended just now
                if time.time() - folder.stat().st_mtime > LEFTOVER_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)


def no_such(version: str) -> AdapterError:
    return AdapterError(f"No adapter is called {version!r}. `acclimate adapters` lists them.")


def taken(version: str) -> AdapterError:
    return AdapterError(f"The adapter {version!r} exists already; a version is never written twice.")


def _sync(folder: Path) -> None:
    """Makes sure that the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
