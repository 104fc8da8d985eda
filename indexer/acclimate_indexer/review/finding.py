"""What a review says: a place, a sentence, the proof, and what to put there instead."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

from acclimate_indexer.pairs import Severity
from acclimate_indexer.syntax import Span

Reviewer = Literal["conventions", "linter", "model"]
REVIEWERS: tuple[Reviewer, ...] = ("conventions", "linter", "model")  # who goes first where two say the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A commit that shows what a finding says.

    Attributes:
        date: When it was committed, e.g. `2026-11-26`.
    """

    commit: str
    date: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Characters of the text, and what takes their place."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One comment on a text.

    Attributes:
        span: What is underlined, in characters of the reviewed text.
        code: What kind it is, e.g. `replaced-name`, `ruff:B006`; a reviewer's own word, the same for all of a kind.
        subject: What it is about, e.g. the name that was given up: with `code` it says what "never again" concerns.
        fix: Edits that put it right, none overlapping another; empty where nobody knows.
        evidence: The commits that show it, the newest first.
        is_deprecated: Whether what stands there is given up by this repository.
        confidence: That it is right, where the reviewer knows.
    """

    path: str
    span: Span
    severity: Severity
    reviewer: Reviewer
    code: str
    subject: str
    message: str
    fix: tuple[Edit, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    is_deprecated: bool = False
    confidence: float | None = None

    def moved(self, characters: int) -> Self:
        """The same so many characters further on."""
        fix = tuple(replace(each, span=_moved(each.span, characters)) for each in self.fix)
        return replace(self, span=_moved(self.span, characters), fix=fix)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def fixed(text: str, fix: tuple[Edit, ...]) -> str:
    """The text with the edits made."""
    for edit in sorted(fix, key=lambda each: each.span, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def _moved(span: Span, characters: int) -> Span:
    return Span(span.start + characters, span.end + characters)
