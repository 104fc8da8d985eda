"""What was found in single files, kept by git blob: an embedded store that several processes may use at once."""

import logging
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from .durable import disk_full_named
from .errors import DiskFull

logger = logging.getLogger(__name__)

BUSY_SECONDS = 30.0  # another process writes a batch in far less
RETRY_SECONDS = 0.02
ASKED_AT_ONCE = 500  # SQLite takes at least 999 parameters in one statement
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_FULL = ("database or disk is full", "disk i/o error")
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
        with disk_full_named(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
        try:
            return cls(path, _connected(path))
        except sqlite3.DatabaseError as error:
            if _code(error) not in _DAMAGED:
                raise
            logger.warning("%s cannot be read (%s); it is made anew", path.name, error)
            for name in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
                name.unlink(missing_ok=True)
            path.touch(mode=0o600)
            return cls(path, _connected(path))

    def close(self) -> None:
        self._connection.close()

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The findings under these keys; what is not there is left out."""
        found: dict[str, bytes] = {}
        with self._errors():
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
        with self._errors(), self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO findings VALUES (?, ?)", findings.items())

    def view(self, name: str) -> dict[str, str]:
        """The key of each path in a view; empty for one that was never set."""
        with self._errors():
            return dict(self._connection.execute("SELECT path, key FROM views WHERE name = ? ORDER BY path", (name,)))

    def set_view(self, name: str, keys: Mapping[str, str]) -> None:
        """Makes a view hold these paths and no others.

        Raises:
            DiskFull: There is no room.
        """
        with self._errors(), self._connection:
            self._connection.execute("DELETE FROM views WHERE name = ?", (name,))
            self._connection.executemany("INSERT OR REPLACE INTO views VALUES (?, ?, ?)", _rows(name, keys))

    def put_in_view(self, name: str, keys: Mapping[str, str]) -> None:
        """Puts paths into a view beside those that are there, or gives them another key.

        Raises:
            DiskFull: There is no room.
        """
        with self._errors(), self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO views VALUES (?, ?, ?)", _rows(name, keys))

    def remove_from_view(self, name: str, path: str) -> None:
        """Takes one path out of a view, if it is there."""
        with self._errors(), self._connection:
            self._connection.execute("DELETE FROM views WHERE name = ? AND path = ?", (name, _storable(path)))

    def prune(self) -> None:
        """Forgets what is in no view."""
        with self._errors(), self._connection:
            self._connection.execute("DELETE FROM findings WHERE key NOT IN (SELECT key FROM views)")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if str(error).lower().startswith(_FULL):
                raise DiskFull(
                    f"The disk is full: {str(self._path)!r} could not be written. Free some space, then run it again."
                ) from error
            raise


def _rows(name: str, keys: Mapping[str, str]) -> list[tuple[str, str, str]]:
    return [(name, _storable(path), key) for path, key in keys.items()]


def _storable(path: str) -> str:
    return path.encode(errors="replace").decode()


def _code(error: sqlite3.Error) -> int:
    """SQLite's own code, without its details."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
    try:
        _log_ahead(connection)
        connection.execute("PRAGMA synchronous = NORMAL")  # a power failure may lose the last batch, nothing else
        connection.executescript(_TABLES)
        _check(connection)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection) -> None:
    """Raises for damage that opening alone does not meet; ten milliseconds for a repository of 600,000 lines."""
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        error = sqlite3.DatabaseError(found)
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Switches to the log that lets others read while one writes; SQLite does not wait for that, so we do."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(RETRY_SECONDS)
        else:
            return


def _chunks(keys: Iterable[str]) -> Iterator[list[str]]:
    left = iter(keys)
    while some := list(islice(left, ASKED_AT_ONCE)):
        yield some
