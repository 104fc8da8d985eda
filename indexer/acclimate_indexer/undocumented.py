"""Where a definition lacks a doc-comment, asked for just as the pairs of mining ask for one that is there.

A pair's hole is the comment itself: before it stands the comment's indentation, after it a line break. So what is asked
is the file with a line of its own for the comment, and what is put in is that line.
"""

from bisect import bisect_left
from dataclasses import dataclass, replace

from .languages.language import Language
from .prompts import Cursor
from .syntax import Outline, Span, Symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class DocPlace:
    """A place in a text for the doc-comment of a definition that has none.

    Attributes:
        name: Of the definition.
        definition: All of it, and what may stand between it and its comment.
        symbol_start: Where it begins itself.
        offset: Where the comment's line is put in: the start of another line.
        indentation: What the comment's line begins with.
    """

    name: str
    definition: Span
    symbol_start: int
    offset: int
    indentation: str

    def lines(self, comment: str) -> str:
        """What is put in at `offset`."""
        return f"{self.indentation}{comment}\n"

    def with_comment(self, text: str, comment: str) -> str:
        """The text with the comment."""
        return f"{text[: self.offset]}{self.lines(comment)}{text[self.offset :]}"

    def cursor(self, *, path: str, language: str, text: str) -> Cursor:
        """What a model is asked: exactly what mining would cut from the text with its comment."""
        start = self.offset + len(self.indentation)
        return Cursor.at(path=path, language=language, text=self.with_comment(text, ""), start=start)

    def moved(self, old: str, new: str) -> "DocPlace | None":
        """The same place in a text that was changed elsewhere; None if it was changed here."""
        start, end = self.definition
        if new.startswith(old[: end + 1]):
            return self
        if not new.endswith(old[max(0, start - 1) :]):
            return None
        by = len(new) - len(old)
        return replace(
            self, definition=Span(start + by, end + by), symbol_start=self.symbol_start + by, offset=self.offset + by
        )


def doc_place(text: str, outline: Outline, language: Language, offset: int) -> DocPlace | None:
    """The place for the doc-comment of the innermost definition around `offset`; None where there is none without one.

    Around it is on any of its lines. What begins inside a line has no place of its own, such as one of two methods on
    one line, nor has what shares its comment with another definition.
    """
    around = [each for each in outline.symbols if _is_on(text, outline, each, offset)]
    if not around:
        return None
    innermost = around[-1].span
    line = _line_start(text, innermost.start)
    first = next(each for each in around if _line_start(text, each.span.start) == line)  # of `typedef struct shop {`
    if text[line : first.span.start].strip() or first.span.end < innermost.end or _is_shared(first, outline):
        return None
    return _below_head(text, outline, first) if _has_docstrings(language) else _above(text, outline, first)


def _has_docstrings(language: Language) -> bool:
    return "@docstring" in language.spans


def _is_shared(symbol: Symbol, outline: Outline) -> bool:
    return any(each.span == symbol.span and each.name != symbol.name for each in outline.symbols)


def _is_on(text: str, outline: Outline, symbol: Symbol, offset: int) -> bool:
    return offset <= _line_end(text, symbol.span.end) and _top(text, outline, symbol) <= offset


def _top(text: str, outline: Outline, symbol: Symbol) -> int:
    """The start of a definition's first line, or of the first attribute's above it."""
    top = _line_start(text, symbol.span.start)
    for number in range(bisect_left(outline.attributes, (top, top)) - 1, -1, -1):
        attribute = outline.attributes[number]
        start, line_above = _line_start(text, attribute.start), _line_start(text, top - 1)
        end = attribute.start + len(text[attribute.start : attribute.end].rstrip())  # some take their line break along
        if end <= line_above or text[end:top].strip() or text[start : attribute.start].strip():
            break
        top = start
    return top


def _above(text: str, outline: Outline, symbol: Symbol) -> DocPlace | None:
    """Before the definition, above its attributes."""
    if symbol.doc is not None:
        return None
    top, line = _top(text, outline, symbol), _line_start(text, symbol.span.start)
    return DocPlace(
        name=symbol.name,
        definition=Span(top, symbol.span.end),
        symbol_start=symbol.span.start,
        offset=top,
        indentation=text[line : symbol.span.start],
    )


def _below_head(text: str, outline: Outline, symbol: Symbol) -> DocPlace | None:
    """The first line below the head. A body on the head's own line has no room for it."""
    body = symbol.body
    if body is None or (symbol.doc is not None and symbol.doc.start >= body.start):
        return None
    line = _line_start(text, body.start)
    offset = _line_end(text, _head_end(text, outline, symbol.span.start, body.start)) + 1
    if offset > line or text[line : body.start].strip():
        return None
    return DocPlace(
        name=symbol.name,
        definition=symbol.span,
        symbol_start=symbol.span.start,
        offset=offset,
        indentation=text[line : body.start],
    )


def _head_end(text: str, outline: Outline, start: int, body: int) -> int:
    """Where the head ends that is followed by the body, or by comments first."""
    end = body
    for prose in reversed(outline.prose):
        if start <= prose.start < end and not text[prose.end : end].strip():
            end = prose.start
    return len(text[:end].rstrip())


def _line_start(text: str, position: int) -> int:
    return text.rfind("\n", 0, position) + 1


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end
