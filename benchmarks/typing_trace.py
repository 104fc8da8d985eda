"""What authors typed: the hunks of real commits, as keystrokes.

A commit says what was written, not how. Here a hunk is typed in one go, from its first character to its last, after the
lines that it replaced were deleted; the hunks above it in the file are there, those below are not yet. Enter brings the
indentation of the next line along, as editors do, so that nobody is credited with white space. What was written and
thrown away between two commits is not in a history.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from acclimate_indexer.changes import CommitDetails, FileChange, Hunk
from acclimate_indexer.filters.generated import unwanted_path, unwanted_text
from acclimate_indexer.languages.registry import extensions_in, language_of
from acclimate_indexer.repository import Repository

MAX_COMMITS = 400  # the newest; more than a run has time for
MIN_STROKES = 30  # less is a correction in which there is nothing to complete
MAX_STROKES = 500  # more takes minutes, and a few hunks would decide everything
MAX_FILE_CHARACTERS = 400_000  # larger files are almost always generated

_STROKE = re.compile(r"\n[ \t]*|.")
_INDENT = re.compile(r"[ \t]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedHunk:
    """A hunk of a commit as it was typed.

    Attributes:
        parent: The commit that the author had before them.
        before: The file when the first key is pressed, and `offset` where.
        strokes: What each key inserts.
    """

    commit: str
    parent: str
    path: str
    language: str
    before: str
    offset: int
    strokes: tuple[str, ...]

    @property
    def after(self) -> str:
        """The file when the last key was pressed."""
        return self.before[: self.offset] + "".join(self.strokes) + self.before[self.offset :]


def typed_hunks(repository: Repository, *, since: str | None = None) -> list[TypedHunk]:
    """The hunks of the newest commits that somebody typed, oldest commit first; `since` leaves out what led to it."""
    patterns = [f"*{extension}" for extension in extensions_in(())]
    history = repository.history(repository.head(), since=since, count=MAX_COMMITS, patterns=patterns)
    found = [
        hunk
        for details, changes in reversed(list(history))
        if details.parents
        for change in changes
        for hunk in _of_a_file(repository, details, change)
    ]
    return [hunk for hunk in found if MIN_STROKES <= len(hunk.strokes) <= MAX_STROKES]


def spread_over_files(hunks: Sequence[TypedHunk], *, seed: int) -> list[TypedHunk]:
    """All of them in an order by chance in which no file comes twice before every file has come once."""
    chance = random.Random(seed)  # noqa: S311  # an order, not a key
    files: dict[str, list[TypedHunk]] = defaultdict(list)
    for hunk in hunks:
        files[hunk.path].append(hunk)
    turns: list[tuple[int, float, TypedHunk]] = []
    for path in sorted(files):
        chance.shuffle(files[path])
        turns += [(turn, chance.random(), hunk) for turn, hunk in enumerate(files[path])]
    return [hunk for _, _, hunk in sorted(turns, key=lambda each: each[:2])]


def _of_a_file(repository: Repository, details: CommitDetails, change: FileChange) -> Iterator[TypedHunk]:
    language = language_of(change.path)
    if language is None or not (change.old_blob and change.new_blob) or unwanted_path(change.path):
        return
    old, new = repository.text(change.old_blob), repository.text(change.new_blob)
    if old is None or new is None or not (_is_plain(old) and _is_plain(new)) or unwanted_text(new):
        return
    for hunk in change.hunks:
        if hunk.added:
            before, offset, typed = _as_typed(old.split("\n"), new.split("\n"), hunk)
            yield TypedHunk(
                commit=details.sha,
                parent=details.parents[0],
                path=change.path,
                language=language.name,
                before=before,
                offset=offset,
                strokes=tuple(_STROKE.findall(typed)),
            )


def _as_typed(old: list[str], new: list[str], hunk: Hunk) -> tuple[str, int, str]:
    """The file before the hunk is typed, the place of the cursor, and what is typed there."""
    above, below = new[: hunk.new_start], old[hunk.old_start + len(hunk.removed) :]
    added = "\n".join(hunk.added)
    if hunk.removed:  # what stood there was deleted, and the cursor stands where the line was
        indent = _indent_of(added)
        start = sum(len(line) + 1 for line in above) + len(indent)
        return "\n".join([*above, indent, *below]), start, added.removeprefix(indent)
    if above:  # Enter at the end of the line above
        return "\n".join([*above, *below]), sum(len(line) + 1 for line in above) - 1, "\n" + added
    return "\n".join(below), 0, added + "\n"


def _indent_of(line: str) -> str:
    found = _INDENT.match(line)
    return found.group() if found is not None else ""


def _is_plain(text: str) -> bool:
    """Whether its lines end as all others do, so that they can be put together again."""
    return text.endswith("\n") and "\r" not in text and len(text) <= MAX_FILE_CHARACTERS
