"""What a review of a document looks at: the lines that changed since it was committed, less those looked at before."""

from dataclasses import dataclass, replace
from typing import Literal

from acclimate_indexer.languages.language import Language
from acclimate_indexer.review.finding import Finding
from acclimate_indexer.review.line_map import LineStarts
from acclimate_indexer.review.target import ReviewTarget, as_ranges, changed_lines, without

from ..settings import ReviewSettings
from .committed import committed_text
from .ground import Ground, Panel
from .merge import merged
from .reviewed import Reviewed
from .reviewers import Findings
from .scope import is_broken, why_not_reviewed

UNREADABLE = "What was committed here was a link or no text: nobody can tell which lines changed."
BROKEN = "The file does not parse at the moment; it did when it was committed."

Asked = range | Literal["file", "changes"] | None  # lines, counted from 0; or None: it was merely saved


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A review to be done.

    Attributes:
        target: All that was changed; nothing where everything was said about this very text.
        known: What is known of it.
        kept: What was found that nobody looks for again.
    """

    target: ReviewTarget
    panel: Panel
    known: Reviewed
    kept: tuple[Finding, ...]

    def done(self, findings: Findings) -> Reviewed:
        """What is known when this was found. Who was silent is asked again at the next save."""
        if not self.target.changed:
            return self.known
        starts = LineStarts(self.known.text.split("\n"))
        is_model_silent = any(each.name in findings.silent for each in self.panel.reviewers if not each.looks_again)
        return replace(
            self.known,
            lines=self.known.lines if is_model_silent else self.target.changed,
            found=tuple(merged((*self.kept, *findings.found), starts)),
            is_current=not findings.silent,
            has_current_fixes=True,
        )


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
    committed = committed_text(ground.repository, path, text)
    if committed is None:
        return NoReview(reason=UNREADABLE)
    if asked is None and is_broken(language, text, committed):
        return NoReview(reason=BROKEN, is_broken=True)
    known = before.carried(text)
    if known.basis != panel.basis:
        known = Reviewed(text=text, basis=panel.basis, asked=known.asked)
    changed = changed_lines(committed, text)
    wanted_lines = _union(known.asked, _asked_lines(asked, changed, text))
    scope = _union(changed, wanted_lines)
    starts = LineStarts(text.split("\n"))
    in_scope = tuple(found for found in known.found if _touches(starts.lines_of(found.span), scope))
    known = replace(known, asked=wanted_lines, found=in_scope)
    is_news = not known.is_current or bool(without(scope, known.lines))
    target = ReviewTarget(path=path, language=language, text=text, changed=scope if is_news else ())
    again = {each.name for each in panel.reviewers if each.looks_again}
    kept = tuple(found for found in in_scope if found.reviewer not in again)
    return Plan(target=target, panel=panel, known=known, kept=kept)


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
