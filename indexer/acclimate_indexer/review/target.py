"""What is reviewed: a text, and which of its lines are new since it was last looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from acclimate_indexer.languages.language import Language
from acclimate_indexer.mining.source import Source

from .line_map import kept_blocks


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
    new = after.split("\n")
    blocks = kept_blocks(before.split("\n"), new)
    ends = [0, *(block.new + block.size for block in blocks)]
    starts = [*(block.new for block in blocks), len(new)]
    return tuple(range(start, stop) for start, stop in zip(ends, starts, strict=True) if start < stop)


def without(lines: Iterable[range], others: Iterable[range]) -> tuple[range, ...]:
    """Those of the lines that are none of the others."""
    left = {line for each in lines for line in each}.difference(*others)
    return as_ranges(left)


def as_ranges(lines: Iterable[int]) -> tuple[range, ...]:
    """Lines as ranges, in order."""
    found: list[range] = []
    for line in sorted(set(lines)):
        if found and found[-1].stop == line:
            found[-1] = range(found[-1].start, line + 1)
        else:
            found.append(range(line, line + 1))
    return tuple(found)
