"""Edits that put right what was found, or silence it."""

from collections.abc import Iterable

from acclimate_indexer.cursor_syntax import Zone, cursor_syntax
from acclimate_indexer.document_tree import DocumentTree
from acclimate_indexer.languages.language import Language
from acclimate_indexer.review.finding import Edit, Finding
from acclimate_indexer.review.ignoring import ignore_comment
from acclimate_indexer.review.line_map import LineStarts
from acclimate_indexer.syntax import Span

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
    tree = DocumentTree(language)
    tree.update(text)
    end = starts[line] + len(lines[line])
    if _zone(tree, end) != "string" and not lines[line].endswith("\\"):
        gap = "  " if language.name == "python" else " "
        return Edit(span=Span(end, end), text=gap + comment)
    begin = starts[line]
    is_continued = line > 0 and lines[line - 1].endswith("\\")
    if _zone(tree, max(0, begin - 1)) == "string" or is_continued:
        return None
    indent = lines[line][: len(lines[line]) - len(lines[line].lstrip())]
    return Edit(span=Span(begin, begin), text=f"{indent}{comment}\n")


def _zone(tree: DocumentTree, offset: int) -> Zone:
    return cursor_syntax(tree, offset).zone
