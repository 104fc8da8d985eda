"""What of all that was found is said: nothing that was dismissed, silenced or is too slight, and little at once."""

from collections.abc import Iterable, Sequence

from acclimate_indexer.languages.language import Language
from acclimate_indexer.pairs import SEVERITIES
from acclimate_indexer.review.dismissals import Dismissals
from acclimate_indexer.review.finding import REVIEWERS, Finding
from acclimate_indexer.review.ignoring import is_ignored
from acclimate_indexer.review.line_map import LineStarts

from ..settings import ReviewSettings


def spoken(
    findings: Iterable[Finding],
    lines: Sequence[str],
    language: Language,
    *,
    dismissals: Dismissals,
    wanted: ReviewSettings,
) -> list[Finding]:
    """The findings that may be said of a text that has these lines."""
    slightest = SEVERITIES.index(wanted.severity) if wanted.severity in SEVERITIES else len(SEVERITIES)
    starts = LineStarts(lines)
    said = []
    for found in findings:
        where = starts.lines_of(found.span)
        if (
            SEVERITIES.index(found.severity) <= slightest
            and not is_ignored(lines, where, found.code, language)
            and not dismissals.covers(found, where, lines)
        ):
            said.append(found)
    return said


def most_important(findings: Iterable[Finding], at_most: int) -> list[Finding]:
    """The gravest and the best founded, in the order of the text."""
    best = sorted(findings, key=_rank)[:at_most]
    return sorted(best, key=lambda found: found.span)


def _rank(found: Finding) -> tuple[int, int, int, float, int]:
    confidence = 1.0 if found.confidence is None else found.confidence
    return (
        SEVERITIES.index(found.severity),
        REVIEWERS.index(found.reviewer),
        -len(found.evidence),
        -confidence,
        found.span.start,
    )
