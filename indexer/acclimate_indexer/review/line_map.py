"""Where the lines of a text are in a later one, so that what was said of a line moves with it."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from itertools import accumulate
from typing import NamedTuple

from acclimate_indexer.syntax import Span

MAX_COMPARED_LINES = 4_000  # between the first and the last change; beyond, all of them count as changed


class Block(NamedTuple):
    """So many lines that stand in both texts, counted from 0."""

    old: int
    new: int
    size: int


class LineStarts:
    """Where the lines of a text begin, in characters."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._starts = [0, *accumulate(len(line) + 1 for line in lines[:-1])]

    def __getitem__(self, line: int) -> int:
        return self._starts[line]

    def lines_of(self, span: Span) -> range:
        """The lines that a span touches."""
        return range(self.line_of(span.start), self.line_of(max(span.start, span.end - 1)) + 1)

    def line_of(self, character: int) -> int:
        return bisect_right(self._starts, character) - 1


class LineMap:
    """Two texts that end their lines with "\\n"."""

    def __init__(self, before: str, after: str) -> None:
        old, new = before.split("\n"), after.split("\n")
        self._blocks = kept_blocks(old, new)
        self._old_ends = [block.old + block.size for block in self._blocks]
        self._old_starts, self._new_starts = LineStarts(old), LineStarts(new)

    def line(self, number: int) -> int | None:
        """What became of a line of the old text; None if it was altered or taken out."""
        at = bisect_right(self._old_ends, number)
        if at == len(self._blocks) or number < self._blocks[at].old:
            return None
        return number - self._blocks[at].old + self._blocks[at].new

    def ranges(self, lines: Iterable[range]) -> tuple[range, ...]:
        """What is left of ranges of lines."""
        found = []
        for each in lines:
            for block in self._blocks:
                start, stop = max(each.start, block.old), min(each.stop, block.old + block.size)
                if start < stop:
                    found.append(range(start - block.old + block.new, stop - block.old + block.new))
        return tuple(found)

    def span(self, span: Span) -> Span | None:
        """The same characters; None if one of their lines was altered, or something was put between them."""
        first, *others = self._old_starts.lines_of(span)
        now = self.line(first)
        if now is None or any(self.line(each) != now + each - first for each in others):
            return None
        moved = self._new_starts[now] - self._old_starts[first]
        return Span(span.start + moved, span.end + moved)


def kept_blocks(old: Sequence[str], new: Sequence[str]) -> list[Block]:
    """The lines that stand in both, in order."""
    head = _alike(old, new)
    tail = _alike(old[head:][::-1], new[head:][::-1])
    blocks = [Block(0, 0, head)]
    one, other = old[head : len(old) - tail], new[head : len(new) - tail]
    if one and other and max(len(one), len(other)) <= MAX_COMPARED_LINES:
        found = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
        blocks += [Block(head + each.a, head + each.b, each.size) for each in found]
    blocks.append(Block(len(old) - tail, len(new) - tail, tail))
    return [block for block in blocks if block.size]


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
