"""Dismissals one by one: what people see of them, and how they take one back.

The store only grows. What is taken back is said in an entry of its own, which counts for all before it: whoever
dismisses the same again later is heard.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Self

from acclimate_indexer.errors import UsageError
from acclimate_indexer.feedback import FeedbackStore

Scope = Literal["here", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dismissal:
    """One time that somebody did not want to hear something; what an entry does not say is empty.

    Attributes:
        number: Which one it is, counted from 1. It stays the same whatever else is dismissed or taken back.
        commit: What was checked out.
        line: Digest of the lines that it is about.
        near: Digests of the lines around them.
        hunk: The code, as a model would be shown it.
    """

    number: int
    scope: Scope
    code: str
    subject: str
    path: str
    reviewer: str
    message: str
    commit: str
    language: str
    hunk: str
    line: str
    near: tuple[str, ...]

    @classmethod
    def of(cls, number: int, entry: dict[str, Any]) -> Self | None:
        """None for an entry that does not say what was dismissed."""
        if not isinstance(entry.get("code"), str) or not isinstance(entry.get("subject"), str):
            return None
        near = entry.get("near")
        return cls(
            number=number,
            scope="never" if entry.get("scope") == "never" else "here",
            code=entry["code"],
            subject=entry["subject"],
            path=_text(entry, "path"),
            reviewer=_text(entry, "reviewer"),
            message=_text(entry, "message"),
            commit=_text(entry, "commit"),
            language=_text(entry, "language"),
            hunk=_text(entry, "hunk"),
            line=_text(entry, "line"),
            near=tuple(map(str, near)) if isinstance(near, list) else (),
        )

    @property
    def what(self) -> str:
        """A name for what is dismissed by it: who says it twice dismisses the same."""
        place = () if self.scope == "never" else (self.path, self.line, *self.near)
        said = "\0".join((self.scope, self.code, self.subject, *place))
        return hashlib.sha256(said.encode("utf-8", errors="replace")).hexdigest()


def dismissals(store: FeedbackStore) -> list[Dismissal]:
    """All that hold, the oldest first."""
    return sorted((each for same in _holding(store).values() for each in same), key=lambda each: each.number)


def distinct_dismissals(store: FeedbackStore) -> list[Dismissal]:
    """Of all that hold and dismiss the same the oldest."""
    return [same[0] for same in _holding(store).values()]


def take_back(store: FeedbackStore, number: int) -> Dismissal:
    """From now on this is said again; gives what was dismissed.

    Raises:
        UsageError: No dismissal that holds has this number.
        DiskFull: There is no room.
    """
    found = next((each for each in dismissals(store) if each.number == number), None)
    if found is None:
        raise UsageError(f"No dismissal has the number {number}. `acclimate review --dismissed` lists them.")
    store.add("taken_back", {"what": found.what})
    return found


def _holding(store: FeedbackStore) -> dict[str, list[Dismissal]]:
    """By what they dismiss."""
    holding: dict[str, list[Dismissal]] = defaultdict(list)
    for each in _events(store):
        if isinstance(each, Dismissal):
            holding[each.what].append(each)
        else:
            holding.pop(each, None)
    return holding


def _events(store: FeedbackStore) -> Iterator[Dismissal | str]:
    """In the order in which they came; of what is taken back what it was."""
    number = 0
    for entry in store.entries("dismissed", "taken_back"):
        if entry["kind"] == "taken_back":
            yield _text(entry, "what")
            continue
        number += 1
        if (found := Dismissal.of(number, entry)) is not None:
            yield found


def _text(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""
