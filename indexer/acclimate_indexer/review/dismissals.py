"""What people did not want to hear: remembered by what was said and where.

A line that was moved stays dismissed, one that was altered does not. Dismissals lie in the feedback of a repository, so
that its next training learns from them, and all editors on this machine know them at once.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self

from acclimate_indexer.feedback import FeedbackStore
from acclimate_indexer.mining.reviews.surroundings import surroundings

from .dismissal_log import Dismissal, Scope, dismissals
from .finding import Finding
from .target import ReviewTarget

DIGEST_CHARACTERS = 16  # of a SHA-256: more than enough to tell the lines of a file apart
NEIGHBOURS = 2  # lines with letters on each side: one of them is enough to know a place again


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What tells a finding again.

    Attributes:
        line: Digest of the lines that it is about, without white space.
        near: Digests of the lines around them, `-` before those above and `+` before those below.
    """

    code: str
    subject: str
    path: str
    line: str
    near: tuple[str, ...]

    @property
    def key(self) -> str:
        """A name for it; what stands in another place has another."""
        return _digest("\0".join((self.code, self.subject, self.path, self.line, *self.near)))


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissedCode:
    """A piece of code that somebody found nothing wrong with, as a model would be shown it."""

    path: str
    language: str
    commit: str
    hunk: str


class Dismissals:
    """All that was dismissed in a repository, at one moment."""

    def __init__(self, here: Sequence[Mark] = (), never: Sequence[tuple[str, str]] = ()) -> None:
        self._here: dict[tuple[str, str, str, str], list[Mark]] = defaultdict(list)
        for mark in here:
            self._here[_place(mark)].append(mark)
        self._never = frozenset(never)

    @classmethod
    def read(cls, store: FeedbackStore) -> Self:
        """Those in a repository's feedback that hold; an entry that says too little is passed over."""
        found = dismissals(store)
        here = [_mark(each) for each in found if each.scope == "here" and each.path and each.line]
        return cls(here, [(each.code, each.subject) for each in found if each.scope == "never"])

    def covers(self, finding: Finding, where: range, lines: Sequence[str]) -> bool:
        """Whether a finding about some of these lines was dismissed."""
        if (finding.code, finding.subject) in self._never:
            return True
        mark = mark_of(finding, where, lines)
        known = self._here.get(_place(mark), ())
        if not known:
            return False
        first = _bare(lines[where.start])
        is_alone = sum(_bare(line) == first for line in lines) == 1
        return is_alone or any(not {*each.near}.isdisjoint(mark.near) for each in known)


def dismiss(store: FeedbackStore, finding: Finding, target: ReviewTarget, *, scope: Scope, commit: str) -> None:
    """Remembers that a finding was not wanted, with what the next training learns from it.

    Code with a secret in it is not kept; that it was dismissed is.

    Args:
        commit: What was checked out.

    Raises:
        DiskFull: There is no room.
    """
    source = target.source
    where, lines = source.lines(finding.span), target.text.split("\n")
    mark = mark_of(finding, where, lines)
    said: dict[str, Any] = {"scope": scope, "code": mark.code, "subject": mark.subject, "path": mark.path}
    known = said | {"line": mark.line, "near": list(mark.near), "commit": commit, "language": source.language.name}
    hunk = surroundings(source, where.start, where.stop - 1).text
    learnt = {"reviewer": finding.reviewer, "message": finding.message, "hunk": hunk}
    if not store.add("dismissed", known | learnt):
        store.add("dismissed", known)


def dismissed_code(store: FeedbackStore) -> list[DismissedCode]:
    """The code that people found nothing wrong with, each piece once."""
    found = [
        DismissedCode(path=each.path, language=each.language, commit=each.commit, hunk=each.hunk)
        for each in dismissals(store)
        if each.path and each.language and each.hunk
    ]
    return list(dict.fromkeys(found))


def mark_of(finding: Finding, where: range, lines: Sequence[str]) -> Mark:
    """The mark of a finding about some lines of a text."""
    return Mark(
        code=finding.code,
        subject=finding.subject,
        path=finding.path,
        line=_digest("\n".join(_bare(line) for line in lines[where.start : where.stop])),
        near=_near(where, lines),
    )


def line_now(dismissal: Dismissal, lines: Sequence[str]) -> int | None:
    """Where in a text the line stands that was dismissed, counted from 0; None where it does not (any more)."""
    places = [number for number, line in enumerate(lines) if _digest(_bare(line)) == dismissal.line]
    known = {*dismissal.near}
    near = (number for number in places if not known.isdisjoint(_near(range(number, number + 1), lines)))
    return places[0] if len(places) == 1 else next(near, None)


def _mark(dismissal: Dismissal) -> Mark:
    return Mark(
        code=dismissal.code,
        subject=dismissal.subject,
        path=dismissal.path,
        line=dismissal.line,
        near=dismissal.near,
    )


def _near(where: range, lines: Sequence[str]) -> tuple[str, ...]:
    above = islice(_telling(lines[number] for number in range(where.start - 1, -1, -1)), NEIGHBOURS)
    below = islice(_telling(lines[number] for number in range(where.stop, len(lines))), NEIGHBOURS)
    return (*(f"-{_digest(line)}" for line in above), *(f"+{_digest(line)}" for line in below))


def _telling(lines: Iterable[str]) -> Iterator[str]:
    """Lines that are more than brackets, without white space."""
    return (_bare(line) for line in lines if any(map(str.isalnum, line)))


def _place(mark: Mark) -> tuple[str, str, str, str]:
    return mark.code, mark.subject, mark.path, mark.line


def _bare(line: str) -> str:
    return "".join(line.split())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", errors="replace")).hexdigest()[:DIGEST_CHARACTERS]
