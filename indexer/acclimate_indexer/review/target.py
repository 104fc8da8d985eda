"""What is reviewed: a text, and which of its lines are new since it was last looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

from acclimate_indexer.languages.language import Language
from acclimate_indexer.mining.source import Source

MAX_COMPARED_LINES = 4_000  # between the first and the last change; beyond, all of them count as changed


@dataclass(frozen=True, kw_only=True)
class ReviewTarget:
    """A text under review.

    Attributes:
        path: Relative to the work tree, with `/`.
        text: With "\\n" as the line ending.
        changed: Ranges of lines, counted from 0, in order; nothing else is commented on.
    """

    path: str
    language: Language
    text: str
    changed: tuple[range, ...]

    @cached_property
    def source(self) -> Source:
        """The text as mining reads one."""
        return Source.of(path=self.path, blob="", commit="", language=self.language, text=self.text)

    def is_changed(self, line: int) -> bool:
        """Whether the line, counted from 0, is under review."""
        return any(line in lines for lines in self.changed)


def changed_lines(before: str, after: str) -> tuple[range, ...]:
    """The lines of `after`, counted from 0, that differ from `before`; both end their lines with "\\n"."""
    old, new = before.split("\n"), after.split("\n")
    head = _alike(old, new)
    tail = _alike(old[head:][::-1], new[head:][::-1])
    old, new = old[head : len(old) - tail], new[head : len(new) - tail]
    if not new:
        return ()
    if max(len(old), len(new)) > MAX_COMPARED_LINES or not old:
        return (range(head, head + len(new)),)
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return tuple(
        range(head + start, head + stop) for tag, _, _, start, stop in blocks if tag != "equal" and stop > start
    )


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
