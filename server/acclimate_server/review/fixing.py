"""Edits that put right what was found, or silence it."""

from collections.abc import Iterable

from acclimate_indexer.doc_comment_check import words_of_code
from acclimate_indexer.languages.language import Language
from acclimate_indexer.review.finding import Edit, Finding, fixed
from acclimate_indexer.review.ignoring import ignore_comment
from acclimate_indexer.review.line_map import LineStarts
from acclimate_indexer.syntax import Outline, Span, outline_of

from .merge import overlap


def all_fixes(findings: Iterable[Finding]) -> tuple[Edit, ...]:
    """The edits of several findings, each once; those of a finding that would change what another did are left out."""
    made: list[Edit] = []
    for found in findings:
        new = [edit for edit in found.fix if edit not in made]
        if not any(overlap(edit.span, other.span) for edit in new for other in made):
            made += new
    return tuple(sorted(made, key=lambda edit: edit.span))


def ignoring_edit(text: str, language: Language, found: Finding) -> Edit | None:
    """Puts a comment behind the line of a finding, or above it; None where neither place takes a comment."""
    lines = text.split("\n")
    starts = LineStarts(lines)
    line = starts.line_of(found.span.start)
    comment = ignore_comment(found.code, language)
    begin, end = starts[line], starts[line] + len(lines[line])
    gap = "  " if language.name == "python" else " "
    indent = lines[line][: len(lines[line]) - len(lines[line].lstrip())]
    places = (Edit(span=Span(end, end), text=gap + comment), Edit(span=Span(begin, begin), text=f"{indent}{comment}\n"))
    outline = outline_of(text, language)
    return next((edit for edit in places if _is_comment(edit, comment, text, outline, language)), None)


def _is_comment(edit: Edit, comment: str, text: str, outline: Outline, language: Language) -> bool:
    """Whether the parser takes what is put in for a comment, and the code for what it was.

    What stands in the text of a page, a here-document or a string would be said to whoever runs it.
    """
    start = edit.span.start + edit.text.index(comment)
    if any(prose.start < edit.span.start < prose.end for prose in outline.prose):
        return False  # in documentation
    if text[: edit.span.start].removesuffix("\n").endswith("\\"):
        return False  # the line goes on
    after = fixed(text, (edit,))
    found = outline_of(after, language)
    is_prose = any(prose.start <= start and start + len(comment) <= prose.end for prose in found.prose)
    return is_prose and words_of_code(after, found) == words_of_code(text, outline)
