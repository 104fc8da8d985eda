"""What became of completions: one row an offer, on this machine only, and never sent anywhere.

Kept apart from `feedback`, which the next mining reads: this is written many times an hour, and counted. Only the text
of what was taken whole is kept, for its survival and, if the user wants that, to learn from; of all else the lengths.
Text that holds something like a secret is never kept. Of more than `MAX_OFFERS` the oldest are dropped.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

from .embedded_store import connected, full_disk_named
from .filters.secrets import has_secret

Fate = Literal["accepted", "partly", "rejected"]
Moment = Literal["30_seconds", "5_minutes", "commit"]

MAX_OFFERS = 20_000  # a hundred an hour for half a year of working days; about 6 MB
MAX_TEXT_CHARACTERS = 2_000  # mining learns from none that is half as long
MAX_AWAITING = 500  # accepted texts that are looked for at a commit; of more the newest
_TABLES = """
CREATE TABLE IF NOT EXISTS offers (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, time TEXT NOT NULL,
    path TEXT NOT NULL, language TEXT NOT NULL, adapter TEXT, model TEXT NOT NULL, milliseconds REAL,
    is_automatic INTEGER NOT NULL, confidence REAL, fate TEXT NOT NULL, shown INTEGER NOT NULL, taken INTEGER NOT NULL,
    before TEXT, text TEXT, head TEXT, kept_30_seconds INTEGER, kept_5_minutes INTEGER, kept_commit INTEGER
);
"""
_COLUMNS: dict[Moment, str] = {
    "30_seconds": "kept_30_seconds",
    "5_minutes": "kept_5_minutes",
    "commit": "kept_commit",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an offer.

    Attributes:
        time: When it was offered.
        path: Relative to the work tree.
        adapter: None is the base model.
        model: The base model's name.
        milliseconds: From the request to the answer; None where the engine was not asked.
        shown: How many characters were offered.
        taken: How many of them were taken over, in one or by typing them.
        before: The line up to the cursor, as `text` only of what was taken whole.
        head: The commit that was checked out then.
        kept_30_seconds: How many of the characters still stood there; None where nobody could look. So the others.
    """

    id: str
    time: datetime
    path: str
    language: str
    adapter: str | None
    model: str
    milliseconds: float | None
    is_automatic: bool
    confidence: float | None
    fate: Fate
    shown: int
    taken: int
    before: str | None = None
    text: str | None = None
    head: str | None = None
    kept_30_seconds: int | None = None
    kept_5_minutes: int | None = None
    kept_commit: int | None = None


_NAMES = tuple(field.name for field in fields(Outcome))


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenText:
    """A text that was taken whole, and where: behind `before` in a line of a file."""

    id: str
    path: str
    before: str
    text: str
    head: str


class CompletionFeedback:
    """The offers of one repository and what became of them. Several editors may write at once."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> Self:
        """Opens the store, or makes an empty one. For a worker thread.

        Raises:
            DiskFull: There is no room for it.
        """
        return cls(path, connected(path, _TABLES))

    def close(self) -> None:
        self._connection.close()

    def add(self, outcome: Outcome) -> int | None:
        """Notes an outcome and gives its number, which counts up; None if this offer was noted before.

        Raises:
            DiskFull: There is no room.
        """
        row = asdict(_without_what_is_not_kept(outcome)) | {"time": outcome.time.astimezone(UTC).isoformat()}
        row = {name: _storable(value) for name, value in row.items()}
        query = f"INSERT OR IGNORE INTO offers ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"  # noqa: S608
        with full_disk_named(self._path), self._connection:
            done = self._connection.execute(query, tuple(row.values()))
            if not done.rowcount:
                return None
            number = int(done.lastrowid or 0)
            self._connection.execute("DELETE FROM offers WHERE number <= ?", (number - MAX_OFFERS,))
        return number

    def note_kept(self, id: str, moment: Moment, characters: int) -> None:  # noqa: A002 - as the column is called
        """Notes how many characters of an accepted text still stand there.

        Raises:
            DiskFull: There is no room.
        """
        query = f"UPDATE offers SET {_COLUMNS[moment]} = ? WHERE id = ?"  # noqa: S608 - a name of ours
        with full_disk_named(self._path), self._connection:
            self._connection.execute(query, (characters, id))

    def outcomes(self) -> Iterator[Outcome]:
        """All that is noted, the oldest first."""
        query = f"SELECT {', '.join(_NAMES)} FROM offers ORDER BY number"  # noqa: S608 - names of ours
        for row in self._connection.execute(query):
            values: dict[str, Any] = dict(zip(_NAMES, row, strict=True))
            values |= {"time": datetime.fromisoformat(values["time"]), "is_automatic": bool(values["is_automatic"])}
            yield Outcome(**values)

    def awaiting_commit(self, head: str) -> list[TakenText]:
        """Accepted texts that were not yet looked for in a commit, and were taken before `head` was checked out."""
        return self._texts("kept_commit IS NULL AND head != ? ORDER BY number DESC LIMIT ?", head, MAX_AWAITING)

    def kept_texts(self) -> list[TakenText]:
        """Accepted texts that were committed as they were offered."""
        return self._texts("kept_commit = length(text) ORDER BY number DESC")

    def purge(self) -> int:
        """Forgets everything, on the disk too; gives how many offers there were."""
        with full_disk_named(self._path):
            with self._connection:
                count = self._connection.execute("DELETE FROM offers").rowcount
            self._connection.execute("VACUUM")  # or deleted text would stay in free pages
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # ... and in the log
        return count

    def _texts(self, condition: str, *values: Any) -> list[TakenText]:
        query = f"SELECT id, path, before, text, head FROM offers WHERE text IS NOT NULL AND {condition}"  # noqa: S608
        return [
            TakenText(id=id_, path=path, before=before or "", text=text, head=head or "")
            for id_, path, before, text, head in self._connection.execute(query, values)
        ]


def digest_of(texts: Sequence[TakenText]) -> str:
    """Names these texts and their places; neither order nor offer matters."""
    digest = hashlib.sha256()
    for named in sorted({(text.path, text.before, text.text) for text in texts}):
        digest.update("\0".join((*named, "")).encode())
    return digest.hexdigest()[:16]


def _without_what_is_not_kept(outcome: Outcome) -> Outcome:
    text = outcome.text
    is_kept = (
        outcome.fate == "accepted"
        and text is not None
        and len(text) <= MAX_TEXT_CHARACTERS
        and not has_secret(f"{outcome.before or ''}{text}")
    )
    return outcome if is_kept else replace(outcome, before=None, text=None)


def _storable(value: Any) -> Any:
    """What a model made of half a character is no UTF-8."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else value
