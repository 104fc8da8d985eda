"""What changes about adapters, as tables: verdicts and figures, tags, which one is in use, and how that came."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

TABLES = (
    # A version stays listed when it is deleted: its name is never given again.
    "CREATE TABLE adapters (number INTEGER PRIMARY KEY AUTOINCREMENT, version TEXT NOT NULL UNIQUE, tag TEXT UNIQUE)",
    "CREATE TABLE facts (version TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (version, name))",
    "CREATE TABLE pointer (one INTEGER PRIMARY KEY CHECK (one = 1), version TEXT)",
    "INSERT INTO pointer VALUES (1, NULL)",
    "CREATE TABLE history (id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, action TEXT NOT NULL, version TEXT,"
    " from_version TEXT, live TEXT, reason TEXT NOT NULL)",
    "CREATE TRIGGER history_is_not_rewritten BEFORE UPDATE ON history"
    " BEGIN SELECT RAISE(ABORT, 'the history is only added to'); END",
    "CREATE TRIGGER history_is_kept BEFORE DELETE ON history"
    " BEGIN SELECT RAISE(ABORT, 'the history is only added to'); END",
)

_KNOWN = "SELECT version FROM adapters UNION SELECT version FROM facts"

Action = Literal["promote", "trial", "reject", "use", "rollback", "delete", "import", "tag", "withdraw"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the history.

    Attributes:
        at: When, in UTC, as ISO 8601.
        version: What it is about; None is the base model.
        from_version: What was in use before.
        live: What was in use after.
    """

    at: str
    action: Action
    version: str | None
    from_version: str | None
    live: str | None
    reason: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class RegistryStore:
    """The tables within one transaction; `registry_file` begins and ends it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, version: str) -> bool:
        """Lists a version and tags it `v` and its number; False if the name was given before."""
        if self._connection.execute("SELECT 1 FROM adapters WHERE version = ?", (version,)).fetchone():
            return False
        number = self._connection.execute("INSERT INTO adapters (version) VALUES (?)", (version,)).lastrowid
        if self.tagged(f"v{number}") is None:
            self.set_tag(version, f"v{number}")
        return True

    def remove(self, version: str) -> None:
        """Forgets what is known of a version, but not its name."""
        self._connection.execute("UPDATE adapters SET tag = NULL WHERE version = ?", (version,))
        self._connection.execute("DELETE FROM facts WHERE version = ?", (version,))

    def facts(self) -> dict[str, dict[str, Any]]:
        """What has been put of each version, and its tag."""
        return {version: self.facts_of(version) for (version,) in self._connection.execute(_KNOWN).fetchall()}

    def facts_of(self, version: str) -> dict[str, Any]:
        """What has been put of one version, and its tag."""
        rows = self._connection.execute("SELECT name, value FROM facts WHERE version = ?", (version,))
        facts = {name: json.loads(value) for name, value in rows}
        tag = self._connection.execute("SELECT tag FROM adapters WHERE version = ?", (version,)).fetchone()
        return facts if tag is None else {"tag": tag[0], **facts}

    def tags(self) -> dict[str, str]:
        """The versions by their tags."""
        return dict(self._connection.execute("SELECT tag, version FROM adapters WHERE tag IS NOT NULL"))

    def put(self, version: str, facts: Mapping[str, Any]) -> None:
        """Sets these facts; the others of the version stay."""
        rows = [(version, name, json.dumps(value, ensure_ascii=False)) for name, value in facts.items()]
        self._connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", rows)

    def tagged(self, tag: str) -> str | None:
        """The version of a tag."""
        row = self._connection.execute("SELECT version FROM adapters WHERE tag = ?", (tag,)).fetchone()
        return None if row is None else str(row[0])

    def set_tag(self, version: str, tag: str | None) -> None:
        """Gives a version a tag that no other one has."""
        self._connection.execute("UPDATE adapters SET tag = ? WHERE version = ?", (tag, version))

    def pointer(self) -> str | None:
        """The version in use."""
        (version,) = self._connection.execute("SELECT version FROM pointer").fetchone()
        return None if version is None else str(version)

    def point_at(self, version: str | None) -> None:
        self._connection.execute("UPDATE pointer SET version = ?", (version,))

    def append(self, action: Action, version: str | None, *, before: str | None, reason: str) -> None:
        """Writes a line of the history; `before` is what was in use, the pointer says what is now."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._connection.execute(
            "INSERT INTO history (at, action, version, from_version, live, reason) VALUES (?, ?, ?, ?, ?, ?)",
            (at, action, version, before, self.pointer(), reason),
        )

    def history(self) -> list[Event]:
        """All that happened, oldest first."""
        rows = self._connection.execute(
            "SELECT at, action, version, from_version, live, reason FROM history ORDER BY id"
        )
        return [
            Event(at=at, action=action, version=version, from_version=before, live=live, reason=reason)
            for at, action, version, before, live, reason in rows
        ]
