"""The SQLite file of a registry: whole or absent, shared by several processes.

The log is written ahead (WAL): a reader sees one state and waits for nobody, a writer waits for another one, and what
a killed writer had begun is undone. A file that cannot be read is set aside, never deleted.
"""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import BaseFileLock, FileLock

from acclimate_indexer.durable import disk_full_named
from acclimate_indexer.errors import AdapterError, DiskFull

from .registry_store import TABLES, RegistryStore

log = logging.getLogger(__name__)

SCHEMA = 1
BUSY_SECONDS = 30.0  # a transaction takes milliseconds; on a machine that trains, tens of them
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)  # which of the two, depends on the file system
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

Adopt = Callable[[RegistryStore], None]


@contextmanager
def reading(path: Path) -> Iterator[RegistryStore | None]:
    """The store as it is now, unchanged while the block runs; None if there is none.

    Raises:
        AdapterError: It cannot be used.
    """
    with _errors_named(path):
        connection = _whole(path)
        if connection is None:
            yield None
            return
        with closing(connection):
            connection.execute("BEGIN")
            yield RegistryStore(connection)


@contextmanager
def writing(path: Path, adopt: Adopt) -> Iterator[RegistryStore]:
    """The store to write to: all that the block does is done when it ends, or nothing is. `adopt` fills a new one.

    Raises:
        AdapterError: It cannot be used.
        DiskFull: There is no room.
    """
    with _errors_named(path), closing(_whole(path) or _made(path, adopt)) as connection, connection:
        connection.execute("BEGIN IMMEDIATE")
        yield RegistryStore(connection)


def _whole(path: Path) -> sqlite3.Connection | None:
    """A connection to a store without damage; None if there is none, or no longer."""
    try:
        return _connected(path)
    except sqlite3.DatabaseError as error:
        if _code(error) not in _DAMAGED:
            raise
    with _alone(path):  # or one process would set aside what another has just made
        try:
            return _connected(path)
        except sqlite3.DatabaseError as error:
            if _code(error) not in _DAMAGED:
                raise
            aside = _set_aside(path)
            log.warning(
                "%s cannot be read (%s) and was set aside as %s. The adapters are found again by their folders; "
                "what was measured of them is not: `acclimate evaluate` judges them anew.",
                path,
                error,
                aside.name,
            )
    return None


def _connected(path: Path) -> sqlite3.Connection | None:
    try:
        # mode=rw: a store that is not there is not made by looking for it.
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None
        )
    except sqlite3.OperationalError:
        if path.exists():
            raise
        return None
    try:
        connection.execute("PRAGMA synchronous = FULL")  # what a user was told survives a power failure
        _check(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Raises for damage that opening alone does not meet (below a millisecond for hundreds of adapters)."""
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    if found != "ok" or schema == 0:
        error = sqlite3.DatabaseError(found if found != "ok" else "it is empty")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error
    if schema > SCHEMA:
        raise AdapterError(f"{str(path)!r} has schema {schema}; this version reads {SCHEMA}. Use the newer acclimate.")


def _made(path: Path, adopt: Adopt) -> sqlite3.Connection:
    """A new store, complete before it has its name."""
    with disk_full_named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path):
            connection = _connected(path)
            if connection is not None:  # another process was faster
                return connection
            fresh = path.with_name(f".{path.name}.new")
            for leftover in _files_of(fresh):
                leftover.unlink(missing_ok=True)
            fresh.touch(mode=0o600)
            _fill(fresh, adopt)
            if any(file.exists() for file in _files_of(path)):
                _set_aside(path)  # the log of a store that was removed would be applied to this one
            fresh.replace(path)
            connection = _connected(path)
    assert connection is not None
    return connection


def _fill(path: Path, adopt: Adopt) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            for statement in TABLES:
                connection.execute(statement)
            adopt(RegistryStore(connection))
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("PRAGMA journal_mode = WAL")  # the file remembers it


def _set_aside(path: Path) -> Path:
    """Renames a store; its log first, which must never meet another store."""
    suffix = f".damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    for file in _files_of(path):
        if file.exists():
            file.rename(f"{file}{suffix}")
    return path.with_name(path.name + suffix)


def _files_of(path: Path) -> tuple[Path, ...]:
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm"), path


def _alone(path: Path) -> BaseFileLock:
    return FileLock(os.fspath(path.with_name(f"{path.name}.lock")))


@contextmanager
def _errors_named(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if _code(error) in _FULL:
            raise DiskFull(
                f"The disk is full: {str(path)!r} could not be written. Free some space, then run it again."
            ) from error
        if _code(error) in _BUSY:
            raise AdapterError(
                f"Another process has held {str(path)!r} for {BUSY_SECONDS:.0f} seconds. Run it again later."
            ) from error
        raise AdapterError(
            f"{str(path)!r} cannot be used ({error}). Run it again: one that is damaged is set aside."
        ) from error


def _code(error: sqlite3.Error) -> int:
    """SQLite's own code, without its details."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
