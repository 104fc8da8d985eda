"""Adapters for an engine that cannot read our disk: copies in a folder that both can.

A copy lies under its version's name, which is never used twice, and never changes: the engine's prefix cache is keyed
by name and path. It is whole or absent. Several people may use one folder; each cleans up after itself alone, by the
mark in each copy.
"""

import hashlib
import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from acclimate_indexer.durable import disk_full_named
from acclimate_indexer.errors import AdapterError, EngineError

from .adapter_files import CONFIG, WEIGHTS, changed_file, checksums

SERVED = (CONFIG, WEIGHTS)  # what the engine reads; the lineage tells of the repository and stays at home
MARK = "acclimate-copy.json"
SCHEMA = 1
KEPT_COPIES = 4  # of one origin, beside those in use: to go back to; tens of megabytes each
HIDDEN = ".acclimate-"  # begins the names of what is being written or deleted
HIDDEN_SECONDS = 3600.0  # a copy takes seconds: what is older was interrupted


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedFolder:
    """The settings `engine.adapters_folder` and `engine.adapters_folder_there`.

    Attributes:
        here: The folder, as this machine calls it.
        there: The same folder, as the engine's machine calls it.
    """

    here: Path
    there: str

    @classmethod
    def of(cls, here: str, there: str) -> Self | None:
        """From the settings; None where no folder is set."""
        if not here:
            return None
        folder = Path(here).expanduser()
        return cls(here=folder, there=(there or str(folder)).rstrip("/"))

    def place(self, name: str, adapter: Path) -> str:
        """Copies an adapter, unless it lies there, and gives the path that the engine knows it by.

        Raises:
            AdapterError: There is no whole adapter to copy, or another one has its name there.
            EngineError: The folder cannot be written.
            DiskFull: There is no room.
        """
        if not all((adapter / file).is_file() for file in SERVED):
            raise AdapterError(f"{str(adapter)!r} holds no whole adapter.")
        files = {file: checksum for file, checksum in checksums(adapter).items() if file in SERVED}
        target = self.here / name
        with self._failures_named():
            if not target.exists():
                self._copy(adapter, target, files)
            if changed_file(target, files) is not None:
                raise AdapterError(
                    f"{str(target)!r} is another adapter of the same name, or was changed. Delete that folder."
                )
            if _owner_of(target) == _owner(adapter.parent):
                os.utime(target / MARK)  # used last
        return f"{self.there}/{name}"

    def old_copies(self, origin: Path, keep: Container[str]) -> list[str]:
        """Names of what was copied out of the folder `origin` and is neither to be kept nor among the last used."""
        owner = _owner(origin)
        mine = [place for place in self._copies() if _owner_of(place) == owner]
        mine.sort(key=lambda place: (place / MARK).stat().st_mtime, reverse=True)
        return [place.name for place in [place for place in mine if place.name not in keep][KEPT_COPIES:]]

    def remove(self, name: str) -> None:
        """Deletes a copy that the engine was told to forget; no half of it is ever seen."""
        with self._failures_named():
            hidden = Path(tempfile.mkdtemp(dir=self.here, prefix=HIDDEN))
            (self.here / name).rename(hidden / name)
            shutil.rmtree(hidden)

    def _copy(self, adapter: Path, target: Path, files: dict[str, str]) -> None:
        self._remove_interrupted()
        partial = Path(tempfile.mkdtemp(dir=self.here, prefix=HIDDEN))
        try:
            mark = {"schema": SCHEMA, "owner": _owner(adapter.parent)}
            (partial / MARK).write_text(json.dumps(mark), encoding="utf-8")
            for name in files:
                shutil.copyfile(adapter / name, partial / name)
            for path in partial.iterdir():
                path.chmod(0o644)  # the engine's user is another one, as a rule
            written = checksums(partial)  # which also sees to it that they are on the disk
            if any(written[name] != checksum for name, checksum in files.items()):
                raise AdapterError(f"{str(adapter)!r} was changed while it was copied to {str(self.here)!r}.")
            partial.chmod(0o755)
            if not target.exists():  # another editor may have been faster
                partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _remove_interrupted(self) -> None:
        for place in self.here.glob(f"{HIDDEN}*"):
            found = place.stat()
            if found.st_uid == os.getuid() and time.time() - found.st_mtime > HIDDEN_SECONDS:
                shutil.rmtree(place, ignore_errors=True)

    def _copies(self) -> Iterator[Path]:
        for place in self.here.glob(f"*/{MARK}"):
            if not place.parent.name.startswith("."):
                yield place.parent

    @contextmanager
    def _failures_named(self) -> Iterator[None]:
        try:
            with disk_full_named(self.here):
                yield
        except OSError as error:
            raise EngineError(
                f"`engine.adapters_folder` is {str(self.here)!r}, which cannot be used: {error.strerror or error}."
            ) from error


def _owner(origin: Path) -> str:
    """Tells whose a copy is, and says nothing about whom: the machine, the user and the folder it came from."""
    told = f"{socket.gethostname()}\n{os.getuid()}\n{origin.resolve()}"
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _owner_of(copy: Path) -> str | None:
    try:
        record: Any = json.loads((copy / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return str(record.get("owner")) if isinstance(record, dict) else None
