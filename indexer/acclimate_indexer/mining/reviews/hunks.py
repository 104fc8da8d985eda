"""A piece of a file with its surroundings, as a reviewer sees it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from acclimate_indexer.changes import FileChange, Hunk
from acclimate_indexer.filters.personal import personal_spans
from acclimate_indexer.filters.secrets import has_secret

LINES_AROUND = 8  # a change: the function's head or its end is mostly among them
MAX_HUNK_LINES = 60
MAX_HUNK_CHARACTERS = 4_000  # about 1,100 tokens
MAX_SUGGESTION_LINES = 20

_COMMENT = re.compile(r"^\s*(?:#|//|/?\*|--|\"\"\"|''')")

Read = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines of a file. `line` is the one that it is about, counted from 1 in `text`."""

    text: str
    line: int


def piece_around(text: str, first: int, count: int) -> Piece | None:
    """The lines from `first`, counted from 0, with those around; None for what is too large, or not there."""
    lines = text.split("\n")
    if first >= len(lines):
        return None
    start = max(0, first - LINES_AROUND)
    while start < first and not lines[start].strip():
        start += 1
    chosen = lines[start : first + max(1, count) + LINES_AROUND]
    piece = "\n".join(chosen).rstrip()
    if len(chosen) > MAX_HUNK_LINES or len(piece) > MAX_HUNK_CHARACTERS or not piece.strip():
        return None
    return Piece(piece, first - start + 1)


def flaw(change: FileChange, hunk: Hunk) -> str:
    """Why nothing can be learnt from a hunk of a correction; empty if something can."""
    if not any(line.strip() for line in hunk.removed):
        return "review_added_only"
    if len(hunk.added) > MAX_SUGGESTION_LINES or len(hunk.removed) > MAX_SUGGESTION_LINES:
        return "review_too_large"
    if _squeezed(hunk.removed) == _squeezed(hunk.added):
        return "review_formatting"
    if all(_is_no_code(line) for line in (*hunk.removed, *hunk.added)):
        return "review_comment_only"
    return "review_rename" if change.is_rename else ""


def is_private(*texts: str) -> bool:
    """Whether any text holds a secret or somebody's mail address."""
    return any(has_secret(text) or bool(personal_spans(text)) for text in texts)


def _squeezed(lines: tuple[str, ...]) -> str:
    """Without white space and trailing commas: what a formatter changes."""
    return re.sub(r",(?=[)\]}])", "", "".join("".join(line.split()) for line in lines)).replace("'", '"')


def _is_no_code(line: str) -> bool:
    return not line.strip() or _COMMENT.match(line) is not None
