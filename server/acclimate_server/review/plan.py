"""What a review of a document looks at: the lines that changed since it was committed, less those looked at before."""

from dataclasses import dataclass, replace
from typing import Literal

from acclimate_indexer.languages.language import Language
from acclimate_indexer.review.finding import Finding
from acclimate_indexer.review.line_map import LineStarts
from acclimate_indexer.review.target import ReviewTarget, as_ranges, changed_lines, without

from ..settings import ReviewSettings
from .ground import Ground, Panel
from .merge import merged
from .reviewed import Reviewed
from .scope import is_broken, why_not_reviewed

BROKEN = "The file does not parse at the moment; it did when it was committed."

Asked = range | Literal["file", "changes"] | None  # lines, counted from 0; or None: it was merely saved


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A review to be done.

    Attributes:
        target: What is new in it.
        kept: What is known of the rest, and all the lines that count as looked at when it is done.
    """

    target: ReviewTarget
    panel: Panel
    kept: Reviewed

    def done(self, found: list[Finding]) -> Reviewed:
        """What is known when this was found."""
        starts = LineStarts(self.kept.text.split("\n"))
        return replace(self.kept, found=tuple(merged((*self.kept.found, *found), starts)))


@dataclass(frozen=True, slots=True, kw_only=True)
class NoReview:
    """Why nothing is reviewed. What is shown may stay where the file is only broken at the moment."""

    reason: str
    is_broken: bool = False


def plan(
    path: str,
    language: Language | None,
    text: str,
    *,
    before: Reviewed,
    asked: Asked,
    ground: Ground,
    panel: Panel,
    wanted: ReviewSettings,
) -> Plan | NoReview:
    """What to do with a text that was saved, or that somebody wants to have reviewed."""
    why = why_not_reviewed(wanted, path, language, text)
    if why or language is None:
        return NoReview(reason=why)
    committed = ground.committed(path)
    if asked is None and is_broken(language, text, committed):
        return NoReview(reason=BROKEN, is_broken=True)
    known = before.carried(text)
    if known.basis != panel.basis:
        known = Reviewed(text=text, basis=panel.basis, asked=known.asked)
    changed = changed_lines(committed, text)
    wanted_lines = _union(known.asked, _asked_lines(asked, changed, text))
    scope = _union(changed, wanted_lines)
    starts = LineStarts(text.split("\n"))
    target = ReviewTarget(path=path, language=language, text=text, changed=without(scope, known.lines))
    kept = tuple(found for found in known.found if _touches(starts.lines_of(found.span), scope))
    return Plan(target=target, panel=panel, kept=replace(known, lines=scope, asked=wanted_lines, found=kept))


def _asked_lines(asked: Asked, changed: tuple[range, ...], text: str) -> tuple[range, ...]:
    """The lines that somebody named; of a file that was not changed, all."""
    everything = range(text.count("\n") + 1)
    if isinstance(asked, range):
        return (everything[asked.start : asked.stop],)
    return (everything,) if asked == "file" and not changed else ()


def _union(one: tuple[range, ...], other: tuple[range, ...]) -> tuple[range, ...]:
    return as_ranges(line for lines in (*one, *other) for line in lines)


def _touches(lines: range, scope: tuple[range, ...]) -> bool:
    return any(lines.start < each.stop and each.start < lines.stop for each in scope)
