"""What commits changed: hunks with the lines on both sides, and what the commits say about themselves.

Every line is read once, as it comes; of a file or a commit that changes too much only the fact is kept. Where a line
stands decides what it means, so that code that looks like a patch is still code.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from .patches import COMMIT_LINE, REGULAR_MODES, patched_path

MAX_CHANGED_LINES = 400  # of a file in a commit; more is an import, a generated file or a reformatting
MAX_CHANGED_FILES = 60  # of a commit; more is a sweep, which says nothing about any of its places
DETAILS_FORMAT = "%H%x00%P%x00%ct%x00%an%x00%s%x00%b%x00"  # the one byte that no message can hold
LATEST_TIME = 253_402_300_799  # seconds: the last moment that a datetime can name; a commit may claim any
MAX_BODY_CHARACTERS = 4_000  # of a commit's message; the reason stands in its first lines

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """Neighbouring lines that were replaced. Lines are counted from 0, their text is without the line break."""

    old_start: int
    removed: tuple[str, ...]
    new_start: int
    added: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """What a commit did to a file.

    Attributes:
        path: After the commit; of a deleted file before it.
        old_path: Before the commit; None for a new file.
        old_blob: Empty where there was none and where nothing but the name changed, as is `new_blob`.
        hunks: Empty where nothing but the name changed, and where too much did (`is_too_large`).
    """

    path: str
    old_path: str | None
    old_blob: str
    new_blob: str
    hunks: tuple[Hunk, ...]
    is_rename: bool = False
    is_too_large: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitDetails:
    """A commit and what it says."""

    sha: str
    parents: tuple[str, ...]
    time: datetime
    author: str
    subject: str
    body: str


History = list[tuple[CommitDetails, tuple[FileChange, ...]]]


def commit_details(output: bytes) -> Iterator[CommitDetails]:
    """Reads what `git rev-list --no-commit-header --format=DETAILS_FORMAT` prints."""
    fields = output.decode("utf-8", errors="replace").split("\0")
    for sha, parents, stamp, author, subject, body in zip(*[iter(fields)] * 6, strict=False):
        yield CommitDetails(
            sha=sha.strip(),
            parents=tuple(parents.split()),
            time=moment(stamp),
            author=author,
            subject=subject[:MAX_BODY_CHARACTERS],
            body=body.strip()[:MAX_BODY_CHARACTERS],
        )


def moment(stamp: str | bytes) -> datetime:
    """The time of a commit, given in seconds; a hostile one is moved to the nearest that can be named."""
    return datetime.fromtimestamp(min(max(int(stamp), 0), LATEST_TIME), UTC)


def file_changes(output: Iterable[bytes]) -> Iterator[tuple[str, tuple[FileChange, ...]]]:
    """Reads patches without context lines, one commit after another, as they come."""
    reader = _Reader()
    for line in output:
        if reader.take(line):
            continue
        if COMMIT_LINE.match(line):
            if reader.commit:
                yield reader.commit, reader.changes()
            reader = _Reader(line.decode().strip())
    if reader.commit:
        yield reader.commit, reader.changes()


class _Reader:
    """The patches of one commit."""

    def __init__(self, commit: str = "") -> None:
        self.commit = commit
        self._files: list[_FileReader] = []

    def take(self, line: bytes) -> bool:
        """Whether the line was part of a patch."""
        file = self._files[-1] if self._files else None
        if file is not None and file.take_changed(line):
            return True
        if line.startswith(b"diff --git "):
            self._files.append(_FileReader(is_kept=len(self._files) < MAX_CHANGED_FILES))
            return True
        if file is None or COMMIT_LINE.match(line):
            return False
        file.take_header(line)
        return True

    def changes(self) -> tuple[FileChange, ...]:
        is_sweep = len(self._files) > MAX_CHANGED_FILES
        found = (file.change(is_sweep) for file in self._files)
        return tuple(change for change in found if change is not None)


class _FileReader:
    """The patch of one file."""

    def __init__(self, *, is_kept: bool) -> None:
        self._is_kept = is_kept
        self._old_path = self._new_path = ""
        self._blobs = ("", "")
        self._hunks: list[tuple[int, list[str], int, list[str]]] = []
        self._remaining = 0
        self._changed = 0
        self._is_regular = True

    def take_changed(self, line: bytes) -> bool:
        if not self._remaining:
            return False
        if line.startswith(b"\\"):
            return True  # "No newline at end of file"
        self._remaining -= 1
        self._changed += 1
        if self._is_kept and self._changed <= MAX_CHANGED_LINES:
            _, removed, _, added = self._hunks[-1]
            (removed if line.startswith(b"-") else added).append(
                line[1:].removesuffix(b"\n").decode("utf-8", errors="replace")
            )
        return True

    def take_header(self, line: bytes) -> None:
        if hunk := _HUNK.match(line):
            old_start, removed, new_start, added = (1 if group is None else int(group) for group in hunk.groups())
            self._remaining = removed + added
            # Where a side is empty, git names the line before it.
            self._hunks.append((old_start - (removed > 0), [], new_start - (added > 0), []))
        elif line.startswith(b"index "):
            fields = line.split()
            old, _, new = fields[1].decode().partition("..")
            self._blobs = (old.rstrip("0") and old, new.rstrip("0") and new)
            self._is_regular = self._is_regular and (len(fields) == 2 or fields[2] in REGULAR_MODES)
        elif line.startswith((b"new file mode ", b"deleted file mode ")):
            self._is_regular = line.split()[-1] in REGULAR_MODES
        elif line.startswith(b"rename from "):
            self._old_path = patched_path(line.removeprefix(b"rename from "), b"")
        elif line.startswith(b"rename to "):
            self._new_path = patched_path(line.removeprefix(b"rename to "), b"")
        elif line.startswith(b"--- "):
            self._old_path = patched_path(line.removeprefix(b"--- "), b"a/")
        elif line.startswith(b"+++ "):
            self._new_path = patched_path(line.removeprefix(b"+++ "), b"b/")

    def change(self, is_sweep: bool) -> FileChange | None:
        """What was read; None for what is no regular file, or has no text."""
        path = self._new_path or self._old_path
        if not path or not self._is_regular:
            return None
        is_too_large = is_sweep or self._changed > MAX_CHANGED_LINES
        hunks = (
            ()
            if is_too_large
            else (
                Hunk(old_start=old, removed=tuple(removed), new_start=new, added=tuple(added))
                for old, removed, new, added in self._hunks
            )
        )
        return FileChange(
            path=path,
            old_path=self._old_path or None,
            old_blob=self._blobs[0],
            new_blob=self._blobs[1],
            hunks=tuple(hunks),
            is_rename=bool(self._old_path and self._new_path and self._old_path != self._new_path),
            is_too_large=is_too_large,
        )
