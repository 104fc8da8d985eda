"""Fill-in-the-middle pairs of one file."""

import hashlib
import random
from dataclasses import dataclass

from acclimate_indexer.completion_cut import cut
from acclimate_indexer.filters.duplicates import CONTEXT_LINES
from acclimate_indexer.pairs import CompletionKind, CompletionPair
from acclimate_indexer.prompts import WINDOW_PREFIX_CHARACTERS, WINDOW_SUFFIX_CHARACTERS
from acclimate_indexer.syntax import Span

from .holes import HoleFinder
from .source import Source

LINES_PER_PAIR = 8  # a file gives at most a pair for so many lines, so that a short one is not all holes
TRIES_PER_PAIR = 4
MIN_MIDDLE_CHARACTERS = 3  # not counting white space; less is typed faster than read
MIN_OPEN_END_CHARACTERS = 5  # where the hole could as well have begun earlier: the tail of a word teaches little
RUN_ON_CHARACTERS = 400  # of the suffix that are appended to see that the cut finds the true end again


@dataclass(frozen=True, slots=True)
class Candidate:
    """A hole that may become a pair: `text[first:span.start]` is its prefix, `text[span.end:last]` its suffix."""

    place: str
    span: Span
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Drop:
    """A hole that is no good, the line it begins on, counted from 0, and why."""

    line: int
    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a file gives, in the order in which it was drawn, and what it does not give."""

    found: tuple[Candidate, ...] = ()
    drops: tuple[Drop, ...] = ()


def completion_candidates(
    source: Source, *, count: int, seed: int, within: tuple[range, ...] | None = None
) -> Candidates:
    """At most `count` holes of a file that do not overlap, always the same for the same blob, path and seed.

    Args:
        within: The lines that a middle must lie in.
    """
    choice = random.Random(_seed(source, seed))  # noqa: S311 - repeatable, not secret
    finder = HoleFinder(source, choice, within)
    size = len(source.line_starts) if within is None else sum(map(len, within))
    count = min(count, 1 + size // LINES_PER_PAIR)
    found: list[Candidate] = []
    drops: list[Drop] = []
    for _ in range(count * TRIES_PER_PAIR):
        if len(found) == count:
            break
        hole = finder.draw()
        if hole is None or any(overlap(hole.span, other.span) for other in found):
            continue
        candidate = windowed(source, hole.place, hole.span)
        reason = candidate if isinstance(candidate, str) else flaw(source, candidate)
        if isinstance(candidate, str) or reason:
            drops.append(Drop(source.line_of(hole.span.start), hole.place, reason))
        else:
            found.append(candidate)
    return Candidates(tuple(found), tuple(drops))


def pair_of(source: Source, candidate: Candidate, kind: CompletionKind = "completion") -> CompletionPair:
    """The pair of a candidate of this very source."""
    start, end = candidate.span
    return CompletionPair(
        kind=kind,
        language=source.language.name,
        path=source.path,
        commit=source.commit,
        prefix=source.text[candidate.first : start],
        middle=source.text[start:end],
        suffix=source.text[end : candidate.last],
        place=candidate.place,
    )


def windowed(source: Source, place: str, span: Span) -> Candidate | str:
    """A hole with its window; or what must be hidden in or near it. What is further away ends the window."""
    start, end = span
    first, last = max(0, start - WINDOW_PREFIX_CHARACTERS), min(len(source.text), end + WINDOW_SUFFIX_CHARACTERS)
    if source.hidden:
        lines = source.lines(span)
        near_first = source.line_starts[max(0, lines[0] - CONTEXT_LINES)]
        near_last = source.line_end(source.line_starts[min(len(source.line_starts) - 1, lines[-1] + CONTEXT_LINES)])
        for hidden, why in source.hidden.items():
            if hidden.end > near_first and hidden.start < near_last:
                return why
            if hidden.end <= near_first:
                first = max(first, hidden.end)
            else:
                last = min(last, hidden.start)
    return Candidate(place, span, first, last)


def overlap(one: Span, other: Span) -> bool:
    """Whether two places have a character in common."""
    return one.start < other.end and other.start < one.end


def _seed(source: Source, seed: int) -> int:
    named = f"{seed}\0{source.blob}\0{source.path}".encode("utf-8", errors="replace")
    return int.from_bytes(hashlib.sha256(named).digest()[:8])


def flaw(source: Source, candidate: Candidate) -> str:
    """Why a hole is no good; empty if it is."""
    text, (start, end) = source.text, candidate.span
    middle = text[start:end]
    least = MIN_OPEN_END_CHARACTERS if candidate.place in ("rest_of_line", "arguments") else MIN_MIDDLE_CHARACTERS
    if len("".join(middle.split())) < least or not any(map(str.isalnum, middle)):
        return "trivial"
    prefix, suffix = text[candidate.first : start], text[end : candidate.last]
    language = source.language.name
    if cut(middle, language=language, prefix=prefix, suffix=suffix) != middle:
        return "cut_too_short"
    if cut(middle + suffix[:RUN_ON_CHARACTERS], language=language, prefix=prefix, suffix=suffix) != middle:
        return "cut_too_long"
    return ""
