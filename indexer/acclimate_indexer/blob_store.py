"""What was found in single files, kept by git blob: an embedded store that several processes may use at once."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from .embedded_store import connected, full_disk_named

ASKED_AT_ONCE = 500  # SQLite takes at least 999 parameters in one statement
_TABLES = """
CREATE TABLE IF NOT EXISTS findings (key TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS views (name TEXT NOT NULL, path TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (name, path))
    WITHOUT ROWID;
"""


class BlobStore:
    """Findings by key, and views: which key each path had at some state of the repository."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> "BlobStore":
        """Opens the store, or makes an empty one. One that cannot be read is made anew: all in it can be found again.

        Raises:
            DiskFull: There is no room for it.
        """
        return cls(path, connected(path, _TABLES))

    def close(self) -> None:
        self._connection.close()

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The findings under these keys; what is not there is left out."""
        found: dict[str, bytes] = {}
        with full_disk_named(self._path):
            for some in _chunks(keys):
                marks = ",".join("?" * len(some))
                query = f"SELECT key, data FROM findings WHERE key IN ({marks})"  # noqa: S608 - question marks only
                found |= dict(self._connection.execute(query, some))
        return found

    def put_many(self, findings: Mapping[str, bytes]) -> None:
        """Keeps findings, all or none of them.

        Raises:
            DiskFull: There is no room.
        """
        with full_disk_named(self._path), self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO findings VALUES (?, ?)", findings.items())

    def view(self, name: str) -> dict[str, str]:
        """The key of each path in a view; empty for one that was never set."""
        with full_disk_named(self._path):
            return dict(self._connection.execute("SELECT path, key FROM views WHERE name = ? ORDER BY path", (name,)))

    def set_view(self, name: str, keys: Mapping[str, str]) -> None:
        """Makes a view hold these paths and no others.

        Raises:
            DiskFull: There is no room.
        """
        with full_disk_named(self._path), self._connection:
            self._connection.execute("DELETE FROM views WHERE name = ?", (name,))
            self._connection.executemany("INSERT OR REPLACE INTO views VALUES (?, ?, ?)", _rows(name, keys))

    def put_in_view(self, name: str, keys: Mapping[str, str]) -> None:
        """Puts paths into a view beside those that are there, or gives them another key.

        Raises:
            DiskFull: There is no room.
        """
        with full_disk_named(self._path), self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO views VALUES (?, ?, ?)", _rows(name, keys))

    def remove_from_view(self, name: str, path: str) -> None:
        """Takes one path out of a view, if it is there."""
        with full_disk_named(self._path), self._connection:
            self._connection.execute("DELETE FROM views WHERE name = ? AND path = ?", (name, _storable(path)))

    def prune(self) -> None:
        """Forgets what is in no view."""
        with full_disk_named(self._path), self._connection:
            self._connection.execute("DELETE FROM findings WHERE key NOT IN (SELECT key FROM views)")


def _rows(name: str, keys: Mapping[str, str]) -> list[tuple[str, str, str]]:
    return [(name, _storable(path), key) for path, key in keys.items()]


def _storable(path: str) -> str:
    return path.encode(errors="replace").decode()


def _chunks(keys: Iterable[str]) -> Iterator[list[str]]:
    left = iter(keys)
    while some := list(islice(left, ASKED_AT_ONCE)):
        yield some
