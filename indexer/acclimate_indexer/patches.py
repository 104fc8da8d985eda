"""Reads what `git diff-tree --stdin -p --unified=0` prints: which lines were added where."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

REGULAR_MODES = frozenset((b"100644", b"100755", b"100664"))  # neither symbolic links (120000) nor submodules (160000)

_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
COMMIT_LINE = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?\n?\Z")
_ESCAPED = re.compile(rb"\\([0-7]{3}|.)")
_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedLines:
    """The lines that `commit` added to a file (counted from 0), and the blob that holds them."""

    commit: str
    path: str
    blob: str
    lines: tuple[range, ...]


def added_lines(output: Iterable[bytes]) -> Iterator[AddedLines]:
    """Reads patches without context lines, as they come."""
    commit = path = blob = ""
    lines: list[range] = []
    remaining = 0
    is_regular = True

    def found() -> Iterator[AddedLines]:
        if lines and path and is_regular:
            yield AddedLines(commit=commit, path=path, blob=blob, lines=tuple(lines))

    for line in output:
        if remaining:
            remaining -= not line.startswith(b"\\")
        elif hunk := _HUNK.match(line):
            removed, start, added = (1 if group is None else int(group) for group in hunk.groups())
            remaining = removed + added
            if added:
                lines.append(range(start - 1, start - 1 + added))
        elif COMMIT_LINE.match(line) or line.startswith(b"diff --git "):
            yield from found()
            lines, path, is_regular = [], "", True
            commit = commit if line.startswith(b"diff") else line.decode().strip()
        elif line.startswith(b"index "):
            fields = line.split()
            blob = fields[1].partition(b"..")[2].decode()
            is_regular = is_regular and (len(fields) == 2 or fields[2] in REGULAR_MODES)
        elif line.startswith(b"+++ "):
            path = patched_path(line.removeprefix(b"+++ "), b"b/")
        elif line.startswith(b"new file mode "):
            is_regular = line.split()[-1] in REGULAR_MODES
    yield from found()


def patched_path(name: bytes, prefix: bytes) -> str:
    """The path that a header of a patch names, without `a/` or `b/`; empty for `/dev/null`."""
    name = name.rstrip(b"\n").rstrip(b"\t")
    if name.startswith(b'"'):
        name = _ESCAPED.sub(_unescaped, name[1:-1])
    return readable_path(name.removeprefix(prefix)) if name.startswith(prefix) else ""


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code, 8) & 0xFF]) if len(code) == 3 else _ESCAPES.get(code, code)


def readable_path(path: bytes) -> str:
    """A path of git's as text; bytes that are no UTF-8 are replaced."""
    return path.decode("utf-8", errors="replace")
