"""What is shown of a review: comments, each with its mark and the page that explains it."""

from dataclasses import dataclass

from acclimate_indexer.errors import AcclimateError
from acclimate_indexer.languages.language import Language
from acclimate_indexer.review.dismissals import mark_of
from acclimate_indexer.review.finding import Finding
from acclimate_indexer.review.line_map import LineStarts
from acclimate_indexer.review.target import ReviewTarget

from ..settings import ReviewSettings
from .explanations import written_explanation
from .ground import Ground
from .opened import OpenText
from .reviewed import Reviewed
from .voice import most_important, spoken


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A finding as it is shown.

    Attributes:
        mark: What commands call it.
        page: The URI of its explanation; None if it was not written.
    """

    finding: Finding
    mark: str
    page: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The comments on a document in one of its states.

    Attributes:
        path: Relative to the work tree.
        comments: At most as many as are wanted.
        beyond: The others, which "fix all" fixes too.
    """

    document: OpenText
    path: str = ""
    language: Language | None = None
    comments: tuple[Comment, ...] = ()
    beyond: tuple[Comment, ...] = ()

    @property
    def target(self) -> ReviewTarget:
        """The text, as reviewers read one.

        Raises:
            ValueError: Nothing is commented on.
        """
        if self.language is None:
            raise ValueError(f"{self.path!r} was not reviewed.")
        return ReviewTarget(path=self.path, language=self.language, text=self.document.text, changed=())

    @property
    def all(self) -> tuple[Comment, ...]:
        return (*self.comments, *self.beyond)


def shown(document: OpenText, reviewed: Reviewed, language: Language, ground: Ground, wanted: ReviewSettings) -> Shown:
    """What is shown of what is known of a document, in the text that it has."""
    if not wanted.enabled or not reviewed.found:
        return Shown(document=document)
    lines = reviewed.text.split("\n")
    starts = LineStarts(lines)
    said = spoken(reviewed.found, lines, language, dismissals=ground.dismissals(), wanted=wanted)
    chosen = most_important(said, wanted.max_comments)
    marks = {found: mark_of(found, starts.lines_of(found.span), lines).key for found in said}
    return Shown(
        document=document,
        path=reviewed.found[0].path,
        language=language,
        comments=tuple(Comment(finding=each, mark=marks[each], page=_page(each, ground)) for each in chosen),
        beyond=tuple(Comment(finding=each, mark=marks[each]) for each in said if each not in chosen),
    )


def _page(found: Finding, ground: Ground) -> str | None:
    try:
        return written_explanation(ground.home, found).as_uri()
    except (AcclimateError, OSError):  # a full disk or a read-only one: what is said stands in the message, too
        return None
