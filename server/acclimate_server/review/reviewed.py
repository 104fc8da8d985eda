"""What is known of a document since it was reviewed. It moves with the text."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from acclimate_indexer.languages.language import Language
from acclimate_indexer.review.finding import Edit, Finding
from acclimate_indexer.review.line_map import LineMap, LineStarts
from acclimate_indexer.review.target import ReviewTarget, as_ranges
from acclimate_indexer.syntax import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """A state of a text, and what was found in it.

    Attributes:
        basis: What the reviewers' judgement rested on.
        lines: Those that were looked at and did not change since, counted from 0.
            Only a reviewer that does not look again asks for them.
        asked: Those that somebody wanted to have reviewed, whether or not they were changed.
        found: All of it, also what is not said.
        is_current: Whether all reviewers spoke about this very text.
        has_current_fixes: Whether the fixes were given for it by all who look again.
    """

    text: str = ""
    basis: tuple[tuple[str, str], ...] = ()
    lines: tuple[range, ...] = ()
    asked: tuple[range, ...] = ()
    found: tuple[Finding, ...] = ()
    is_current: bool = False
    has_current_fixes: bool = False

    def carried(self, text: str) -> "Reviewed":
        """The same in a later text: what was said of lines that were altered since is gone."""
        if text == self.text:
            return self
        moves = LineMap(self.text, text)
        carried = (_carried(found, moves) for found in self.found)
        return replace(
            self,
            text=text,
            lines=moves.ranges(self.lines),
            asked=moves.ranges(self.asked),
            found=tuple(found for found in carried if found is not None),
            is_current=False,
            has_current_fixes=False,
        )

    def target(self, language: Language) -> ReviewTarget | None:
        """The lines of which something was found; None if of none."""
        if not self.found:
            return None
        starts = LineStarts(self.text.split("\n"))
        lines = as_ranges(line for found in self.found for line in starts.lines_of(found.span))
        return ReviewTarget(path=self.found[0].path, language=language, text=self.text, changed=lines)

    def confirmed(self, again: Iterable[Finding], reviewers: Collection[str]) -> "Reviewed":
        """The same with the fixes that these reviewers give in the text as it is now: others might do harm by now."""
        fixes = {_place(found): found.fix for found in again}
        return replace(
            self,
            has_current_fixes=True,
            found=tuple(
                replace(found, fix=fixes.get(_place(found), ())) if found.reviewer in reviewers else found
                for found in self.found
            ),
        )


def _place(found: Finding) -> tuple[str, str, str, Span]:
    return found.reviewer, found.code, found.subject, found.span


def _carried(found: Finding, moves: LineMap) -> Finding | None:
    span = moves.span(found.span)
    if span is None:
        return None
    edits = [(moves.span(edit.span), edit.text) for edit in found.fix]
    return replace(found, span=span, fix=_whole(edits))


def _whole(edits: Sequence[tuple[Span | None, str]]) -> tuple[Edit, ...]:
    """The edits, if all of them can still be made."""
    moved = [Edit(span=span, text=text) for span, text in edits if span is not None]
    return tuple(moved) if len(moved) == len(edits) else ()
