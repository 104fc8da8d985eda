"""Fill-in-the-middle pairs of one file."""

import hashlib
import random
from collections import Counter

from acclimate_indexer.completion_cut import cut
from acclimate_indexer.filters.duplicates import CONTEXT_LINES
from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.prompts import WINDOW_PREFIX_CHARACTERS, WINDOW_SUFFIX_CHARACTERS
from acclimate_indexer.syntax import Span

from .holes import Hole, HoleFinder
from .source import Source

LINES_PER_PAIR = 8  # a file gives at most a pair for so many lines, so that a short one is not all holes
TRIES_PER_PAIR = 4
MIN_MIDDLE_CHARACTERS = 3  # not counting white space; less is typed faster than read
MIN_OPEN_END_CHARACTERS = 5  # where the hole could as well have begun earlier: the tail of a word teaches little
RUN_ON_CHARACTERS = 400  # of the suffix that are appended to see that the cut finds the true end again


def mine_completions(
    source: Source,
    *,
    count: int,
    seed: int,
    dropped: Counter[str],
    within: tuple[range, ...] | None = None,
) -> list[CompletionPair]:
    """At most `count` pairs of a file that do not overlap, always the same for the same blob, path and seed.

    Args:
        dropped: Counts what was left out, by reason.
        within: The lines that a middle must lie in.
    """
    choice = random.Random(_seed(source, seed))  # noqa: S311 - repeatable, not secret
    finder = HoleFinder(source, choice, within)
    size = len(source.line_starts) if within is None else sum(map(len, within))
    count = min(count, 1 + size // LINES_PER_PAIR)
    chosen: list[Span] = []
    pairs: list[CompletionPair] = []
    for _ in range(count * TRIES_PER_PAIR):
        if len(pairs) == count:
            break
        hole = finder.draw()
        if hole is None or any(hole.span.start < other.end and other.start < hole.span.end for other in chosen):
            continue
        pair = _pair(source, hole)
        reason = "secret" if pair is None else _flaw(pair)
        if pair is None or reason:
            dropped[reason] += 1
            continue
        chosen.append(hole.span)
        pairs.append(pair)
    return pairs


def _seed(source: Source, seed: int) -> int:
    named = f"{seed}\0{source.blob}\0{source.path}".encode("utf-8", errors="replace")
    return int.from_bytes(hashlib.sha256(named).digest()[:8])


def _pair(source: Source, hole: Hole) -> CompletionPair | None:
    """The pair of a hole; None with a secret in or near it. A secret further away ends the prefix or the suffix."""
    start, end = hole.span
    first, last = max(0, start - WINDOW_PREFIX_CHARACTERS), min(len(source.text), end + WINDOW_SUFFIX_CHARACTERS)
    lines = source.lines(hole.span)
    near_first = source.line_starts[max(0, lines[0] - CONTEXT_LINES)]
    near_last = source.line_end(source.line_starts[min(len(source.line_starts) - 1, lines[-1] + CONTEXT_LINES)])
    for secret in source.secrets:
        if secret.end > near_first and secret.start < near_last:
            return None
        if secret.end <= near_first:
            first = max(first, secret.end)
        else:
            last = min(last, secret.start)
    return CompletionPair(
        kind="completion",
        language=source.language.name,
        path=source.path,
        commit=source.commit,
        prefix=source.text[first:start],
        middle=source.text[start:end],
        suffix=source.text[end:last],
        place=hole.place,
    )


def _flaw(pair: CompletionPair) -> str:
    """Why a pair is no good; empty if it is."""
    middle = pair.middle
    least = MIN_OPEN_END_CHARACTERS if pair.place in ("rest_of_line", "arguments") else MIN_MIDDLE_CHARACTERS
    if len("".join(middle.split())) < least or not any(map(str.isalnum, middle)):
        return "trivial"
    around = {"language": pair.language, "prefix": pair.prefix, "suffix": pair.suffix}
    if cut(middle, **around) != middle:
        return "cut_too_short"
    if cut(middle + pair.suffix[:RUN_ON_CHARACTERS], **around) != middle:
        return "cut_too_long"
    return ""
