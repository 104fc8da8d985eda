"""Several reviewers in one voice: who says the same thing twice is heard once.

Conventions go before linters, and linters before the model: the first has the better proof.
"""

from collections.abc import Iterable

from acclimate_indexer.review.finding import REVIEWERS, Finding
from acclimate_indexer.review.line_map import LineStarts
from acclimate_indexer.syntax import Span

MIN_SHARED_WORDS = 0.5  # of the words of the shorter message: two sentences about one thing


def merged(findings: Iterable[Finding], starts: LineStarts) -> list[Finding]:
    """The findings in the order of the text, each thing said once, no two of whose fixes change the same place.

    Args:
        starts: Where the lines of the text begin.
    """
    kept: list[Finding] = []
    for each in sorted(findings, key=lambda found: (REVIEWERS.index(found.reviewer), found.span, found.code)):
        if not any(_says_the_same(other, each, starts) or _conflict(other, each) for other in kept):
            kept.append(each)
    return sorted(kept, key=lambda found: (found.span, REVIEWERS.index(found.reviewer)))


def _says_the_same(one: Finding, other: Finding, starts: LineStarts) -> bool:
    """Two uses of a name are two findings of one reviewer, unless that is the model, which points at lines."""
    if one.reviewer == other.reviewer != "model":
        return overlap(one.span, other.span) and (one.code, one.subject) == (other.code, other.subject)
    if not _touch(starts.lines_of(one.span), starts.lines_of(other.span)):
        return False
    is_same_fix = bool(one.fix) and one.fix == other.fix
    return is_same_fix or _names(one, other) or _names(other, one) or _share_words(one.message, other.message)


def _names(one: Finding, other: Finding) -> bool:
    return bool(one.subject) and one.subject in other.message


def _conflict(one: Finding, other: Finding) -> bool:
    """Whether both cannot be fixed. The very same edit, e.g. a missing import, is none: it is made once."""
    return any(overlap(a.span, b.span) for a in one.fix for b in other.fix if a != b)


def _share_words(one: str, other: str) -> bool:
    words, others = (set(text.lower().split()) for text in (one, other))
    return bool(words and others) and len(words & others) >= MIN_SHARED_WORDS * min(len(words), len(others))


def overlap(one: Span, other: Span) -> bool:
    """Whether they share a character, or begin at the same one."""
    return one.start == other.start or (one.start < other.end and other.start < one.end)


def _touch(one: range, other: range) -> bool:
    return one.start <= other.stop and other.start <= one.stop
