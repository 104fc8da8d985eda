"""Completions that somebody took and committed as they were, as holes of their files.

Where they stand at the commit that is mined is found by their line; one that is not there (any more) gives nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from acclimate_indexer.completion_feedback import TakenText
from acclimate_indexer.syntax import Span

from .completion import Candidate, flaw, overlap, windowed
from .holes import MAX_MIDDLE_CHARACTERS
from .source import Source

PLACE = "taken"


def by_path(taken: Iterable[TakenText]) -> dict[str, list[TakenText]]:
    """The texts of each file, in an order that does not depend on when they were taken."""
    found: dict[str, list[TakenText]] = defaultdict(list)
    for each in sorted(taken, key=lambda each: (each.path, each.before, each.text)):
        found[each.path].append(each)
    return found


def taken_candidates(source: Source, taken: Iterable[TakenText]) -> list[Candidate]:
    """The holes of a file that these texts stand in, none of which overlap; those that mining would not make left out.

    A text whose line occurs several times in the file stands at the first of them.
    """
    found: list[Candidate] = []
    for each in taken:
        at = f"\n{source.text}".find(f"\n{each.before}{each.text}")
        if at < 0:
            continue
        start = at + len(each.before)
        span = Span(start, start + len(each.text.rstrip()))
        if span.end - span.start > MAX_MIDDLE_CHARACTERS or any(overlap(span, other.span) for other in found):
            continue
        candidate = windowed(source, PLACE, span)
        if isinstance(candidate, Candidate) and not flaw(source, candidate):
            found.append(candidate)
    return found


def without_overlap(candidates: Sequence[Candidate], preferred: Sequence[Candidate]) -> Sequence[Candidate]:
    """The candidates that share no character with a preferred one."""
    if not preferred:
        return candidates
    return [each for each in candidates if not any(overlap(each.span, other.span) for other in preferred)]
