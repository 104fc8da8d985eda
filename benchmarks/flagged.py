"""Places in a history that were commented on, and what became of them."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from typing import Any, Literal, Self

from acclimate_indexer.changes import CommitDetails, FileChange, Hunk
from acclimate_indexer.linting import lints
from acclimate_indexer.mining.conventions.prevalence import style_of
from acclimate_indexer.mining.conventions.succession import successor
from acclimate_indexer.mining.conventions.track_record import is_renamed
from acclimate_indexer.review.linter import RUFF
from acclimate_indexer.review.naming_style import NAMING_STYLE
from acclimate_indexer.review.replaced_names import REPLACED_NAME
from acclimate_indexer.syntax import Span

Fate = Literal["followed", "kept", "otherwise", "rewritten", "deleted", "untouched"]
FATES: tuple[Fate, ...] = ("followed", "kept", "otherwise", "rewritten", "deleted", "untouched")
CHANGED: tuple[Fate, ...] = ("followed", "kept", "otherwise")
RULES_OF_NAMES = ("F401", "F811")  # an import, a definition: another one beside it is another place
MAX_COMPARED_LINES = 20_000  # of a file that changed more than a patch shows

Read = Callable[[str], str | None]


@dataclass(slots=True, kw_only=True)
class Flagged:
    """A line that was commented on in the commit that wrote it.

    Attributes:
        line: Where it stands now, counted from 0; `text` what it says.
        subject: What the comment would have gone, and `wanted` what it would have come.
        fate: `followed`: the line was changed, and so; `kept`: changed, and the subject is still there; `otherwise`:
            changed, and neither is there; `rewritten`: what took its place has no line like it; `deleted`: nothing took
            its place; `untouched` up to the end.
        later: The commit that decided it.
    """

    repository: str
    commit: str
    day: str
    path: str
    line: int
    text: str
    code: str
    subject: str
    wanted: str
    fate: Fate = "untouched"
    later: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        return cls(**record)


class Followed:
    """The flagged places whose fate is open, by path."""

    def __init__(self, read: Read) -> None:
        """Takes what reads a blob."""
        self._read = read
        self._open: dict[str, list[Flagged]] = {}

    def add(self, places: Iterable[Flagged]) -> None:
        for place in places:
            self._open.setdefault(place.path, []).append(place)

    def take(self, commit: CommitDetails, changes: Sequence[FileChange]) -> None:
        """Sees what a commit does to the places."""
        moved: dict[str, list[Flagged]] = {}
        for change in changes:
            old = change.old_path or ""
            places = self._open.pop(old, [])
            if not places:
                continue
            if not change.new_blob and not change.is_rename:
                _decide(places, "deleted", commit)
                continue
            hunks = self._hunks(change)
            for place in places:
                self._move(place, hunks, change, commit)
                place.path = change.path
            moved[change.path] = [place for place in places if place.fate == "untouched"]
        for path, places in moved.items():
            self._open.setdefault(path, []).extend(places)

    def _hunks(self, change: FileChange) -> Sequence[Hunk]:
        if not change.is_too_large:
            return change.hunks
        old, new = ((self._read(blob) or "").split("\n") for blob in (change.old_blob, change.new_blob))
        if max(len(old), len(new)) > MAX_COMPARED_LINES:
            return (Hunk(old_start=0, removed=tuple(old), new_start=0, added=tuple(new)),)
        blocks = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        return [
            Hunk(old_start=a, removed=tuple(old[a:b]), new_start=c, added=tuple(new[c:d]))
            for tag, a, b, c, d in blocks
            if tag != "equal"
        ]

    def _move(self, place: Flagged, hunks: Sequence[Hunk], change: FileChange, commit: CommitDetails) -> None:
        """Moves a place with the lines above it, or decides what became of it."""
        shift = 0
        for hunk in hunks:
            if hunk.old_start + len(hunk.removed) <= place.line:
                shift += len(hunk.added) - len(hunk.removed)
            elif hunk.old_start <= place.line:
                same = next((at for at, line in enumerate(hunk.added) if line.strip() == place.text.strip()), None)
                if same is None:
                    same = self._laid_out(place, hunk, change)
                if same is None:
                    _decide([place], self._fate(place, hunk, change), commit)
                else:
                    place.line, place.text = hunk.new_start + same, hunk.added[same]
                return
        place.line += shift

    def _fate(self, place: Flagged, hunk: Hunk, change: FileChange) -> Fate:
        if not hunk.added:
            return "deleted"
        at = successor(place.text, hunk.added)
        if at is None:
            return "rewritten"
        if place.code.startswith(RUFF):
            lines = range(hunk.new_start, hunk.new_start + len(hunk.added))
            return "kept" if self._breaks(change, place, lines) else "followed"
        after = hunk.added[at]
        if place.code == NAMING_STYLE and _has_style_of(after, place):
            return "followed"
        if place.code == REPLACED_NAME and is_renamed(after, place.subject, place.wanted):
            return "followed"
        if _says(after, place.subject):
            return "kept"
        return "followed" if _says(after, place.wanted) else "otherwise"

    def _laid_out(self, place: Flagged, hunk: Hunk, change: FileChange) -> int | None:
        """Which added line has what was complained about, where nothing but the layout was changed: a formatter edits
        whatever there is, so that decides nothing. Where it puts the place right, that is followed.
        """
        at = successor(place.text, hunk.added)
        is_line = at is not None and _without_layout([place.text]) == _without_layout([hunk.added[at]])
        if not is_line and _without_layout(hunk.removed) != _without_layout(hunk.added):
            return None
        if place.code.startswith(RUFF):
            lines = range(hunk.new_start, hunk.new_start + len(hunk.added))
            return at if self._breaks(change, place, lines) else None
        return at if is_line else next((at for at, line in enumerate(hunk.added) if _says(line, place.subject)), None)

    def _breaks(self, change: FileChange, place: Flagged, lines: range) -> bool:
        """Whether ruff still complains, and of the same name where it names one."""
        text, rule = self._read(change.new_blob) or "", place.code.removeprefix(RUFF)
        left = [lint for _, lint in lints({"": (change.path, text)}, rules=[rule]) if lint.line in lines]
        return any(place.subject in (rule, named_by(lint.rule, lint.span, text)) for lint in left)


def named_by(rule: str, span: Span, text: str) -> str:
    """The name that one of ruff's rules complains of; of other rules the rule itself: a new name mends no variable."""
    return text[span.start : span.end] if rule in RULES_OF_NAMES else rule


def _without_layout(lines: Sequence[str]) -> str:
    """Without what a formatter sets as it likes: space, commas and brackets around what is broken, kinds of quotes."""
    return re.sub(r"[\s,()\"']|\bu(?=[\"'])", "", "".join(lines))


def _decide(places: Iterable[Flagged], fate: Fate, commit: CommitDetails) -> None:
    for place in places:
        place.fate, place.later = fate, commit.sha


def _has_style_of(text: str, place: Flagged) -> bool:
    """Whether what the line defines now is named in the style that was asked for, whatever its name says."""
    before, _, after = place.text.partition(place.subject)
    found = re.fullmatch(rf"{re.escape(before.strip())}\s*(\w+){re.escape(after[:1])}.*", text.strip())
    return found is not None and style_of(found[1]) == style_of(place.wanted)


def _says(text: str, name: str) -> bool:
    """Whether a name stands in a text, not as a part of another; a decorator not with other arguments."""
    end = r"(?![\w(])" if name.startswith("@") else r"(?!\w)"
    return re.search(rf"(?<!\w){re.escape(name)}{end}", text) is not None
