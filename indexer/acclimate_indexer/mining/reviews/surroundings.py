"""The code around a place, as whole lines: what a reviewer would be shown."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from acclimate_indexer.mining.source import Source
from acclimate_indexer.syntax import Span

MAX_HUNK_LINES = 60  # about 600 tokens: what fits beside an answer into the smallest budget
MARGIN_LINES = 8  # before and after, where no short definition surrounds the place
MAX_BLANK_LINES = 2  # between lines that belong together
MAX_LINE_CHARACTERS = 400  # a longer line is data, and alone would fill the budget

_LAYOUT = re.compile(r"[\s,;()'\"`]+")


class Place(NamedTuple):
    """Whole lines of a file, counted from 0. `text` has no line break at its end."""

    first: int
    last: int
    text: str

    @property
    def is_readable(self) -> bool:
        return bool(self.text.strip()) and max(map(len, self.text.split("\n"))) <= MAX_LINE_CHARACTERS


def surroundings(source: Source, first: int, last: int) -> Place:
    """The smallest definition around the lines that is short enough, else a few lines before and after them."""
    around = [
        lines
        for symbol in source.outline.symbols
        if (lines := source.lines(symbol.span)).start <= first
        and last < lines.stop
        and len(lines) <= MAX_HUNK_LINES
        and len(lines) > last - first + 1
    ]
    if around:
        smallest = min(around, key=len)
        return whole_lines(source, smallest.start, smallest.stop - 1)
    end = len(source.line_starts) - 1
    return whole_lines(source, max(0, first - MARGIN_LINES), min(end, last + MARGIN_LINES))


def whole_lines(source: Source, first: int, last: int) -> Place:
    starts = source.line_starts
    end = starts[last + 1] if last + 1 < len(starts) else len(source.text)
    return Place(first, last, source.text[starts[first] : end].removesuffix("\n").replace("\r\n", "\n"))


def lines_of(source: Source) -> list[str]:
    return source.text.removesuffix("\n").replace("\r\n", "\n").split("\n")


def code_of(source: Source, first: int, count: int) -> str:
    """The lines without comments, documentation, layout and quotes: equal where only those differ."""
    starts = source.line_starts
    if not count or first >= len(starts):
        return ""
    stop = starts[first + count] if first + count < len(starts) else len(source.text)
    kept = []
    position = starts[first]
    for prose in _prose_between(source, position, stop):
        kept.append(source.text[position : max(position, prose.start)])
        position = max(position, prose.end)
    kept.append(source.text[position:stop])
    return layout_free("".join(kept))


def layout_free(text: str) -> str:
    return _LAYOUT.sub("", text)


def _prose_between(source: Source, start: int, stop: int) -> list[Span]:
    return [span for span in source.outline.prose if span.end > start and span.start < stop]


class Answer(NamedTuple):
    """Where a comment stands, counted from 0, and the text that takes the place of `lines` lines from there on."""

    line: int
    lines: int
    suggestion: str


def answer(before: Sequence[str], start: int, removed: int, added: Sequence[str], comment: str) -> Answer | None:
    """Where a comment on a replacement stands and what it suggests.

    It stands at the first line of code that was taken out. Where lines were only added, it stands at a neighbour, and
    the suggestion keeps that line.

    Args:
        before: The lines before the replacement.
        start: The line at which it begins, counted from 0.
        removed: How many lines it takes out.
        added: What it puts there.
        comment: What begins a comment up to the end of the line.

    Returns:
        None in an empty file.
    """
    taken, put = list(before[start : start + removed]), list(added)
    while taken and put and taken[0] == put[0]:
        taken, put, start = taken[1:], put[1:], start + 1
    silent = _silent_head(taken, comment)
    if silent < len(taken):
        head = min(_silent_head(put, comment), len(put)) if silent else 0
        return Answer(start + silent, len(taken) - silent, "\n".join(put[head:]).rstrip())
    end = start + len(taken)
    following = next((number for number in range(end, len(before)) if before[number].strip()), None)
    if following is not None and following - end <= MAX_BLANK_LINES:
        return Answer(following, 1, "\n".join([*put, *before[end : following + 1]]))
    if start and before[start - 1].strip():
        return Answer(start - 1, 1, "\n".join([before[start - 1], *put]).rstrip())
    return None


def _silent_head(lines: Sequence[str], comment: str) -> int:
    """How many lines from the first on say nothing to the machine."""
    for number, line in enumerate(lines):
        if line.strip() and not line.lstrip().startswith(comment):
            return number
    return len(lines)
