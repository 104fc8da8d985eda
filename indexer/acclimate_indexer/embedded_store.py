"""SQLite files that several processes use at once, and whose contents can be done without.

One that cannot be read is made anew: what is in it can be found again, or was only counted.
"""

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .durable import disk_full_named
from .errors import DiskFull

logger = logging.getLogger(__name__)

BUSY_SECONDS = 30.0  # another process writes a batch in far less
RETRY_SECONDS = 0.02
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_FULL = ("database or disk is full", "disk i/o error")


def connected(path: Path, tables: str) -> sqlite3.Connection:
    """A connection to the file with these tables, which is made where it is missing or damaged; its owner's alone.

    Raises:
        DiskFull: There is no room for it.
    """
    with disk_full_named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    try:
        return _whole(path, tables)
    except sqlite3.DatabaseError as error:
        if _code(error) not in _DAMAGED:
            raise
        logger.warning("%s cannot be read (%s); it is made anew", path.name, error)
        for name in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            name.unlink(missing_ok=True)
        path.touch(mode=0o600)
        return _whole(path, tables)


@contextmanager
def full_disk_named(path: Path) -> Iterator[None]:
    """Turns SQLite's "no space left" into a sentence about `path`.

    Raises:
        DiskFull: There is no room.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        if str(error).lower().startswith(_FULL):
            raise DiskFull(
                f"The disk is full: {str(path)!r} could not be written. Free some space, then run it again."
            ) from error
        raise


def _whole(path: Path, tables: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
    try:
        _log_ahead(connection)
        connection.execute("PRAGMA synchronous = NORMAL")  # a power failure may lose the last batch, nothing else
        connection.executescript(tables)
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


def _code(error: sqlite3.Error) -> int:
    """SQLite's own code, without its details."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
