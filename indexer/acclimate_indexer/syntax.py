"""Source to spans: where the statements, bodies, arguments and values of a file are, in characters.

tree-sitter counts bytes; everything else here counts characters. The traversal is tree-sitter's own query cursor, which
does not recurse, so that a file nested a hundred thousand deep costs no stack. Its time would grow with the square of
the depth, and of the width of a damaged place; both are bounded.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from .languages.language import Language, grammar, spans_query

if TYPE_CHECKING:
    from tree_sitter import Node, Query

MAX_DEPTH = 128  # of nodes; forty blocks in each other, more than anybody reads
MAX_WRAPPERS = 3  # around a definition: decorators, `export`, `template`
MAX_DECLARATORS = 8  # pointers to functions that return pointers and so on
MAX_NAME_BYTES = 80  # of a callee's end; a name is shorter
MAX_DAMAGE = 10_000  # nodes side by side that fit nothing: this is not the language that its name says


class Span(NamedTuple):
    """Characters of a file, `end` excluded."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """A definition: a function, a method, a class or the like.

    Attributes:
        name: As defined, without its owner.
        kind: `function`, `class`, `constant` or `type`.
        span: All of the definition, decorators and body included, its doc-comment not where that stands before it.
        signature: From its head's first character up to where its body begins, white space at the end left out.
        body: Where it has one, with braces if there are any.
        doc: The doc-comment or docstring, with its marks; None where there is none.
    """

    name: str
    kind: str
    span: Span
    signature: Span
    body: Span | None
    doc: Span | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What can be told of a file in half the time.

    Attributes:
        prose: Comments and documentation.
        symbols: The definitions, in the order of the file; one inside another follows it.
        attributes: What may stand between a definition and its doc-comment. Only of a file that was just parsed: no
            pair needs it, so that `to_json` leaves it out.
    """

    prose: tuple[Span, ...]
    symbols: tuple[Symbol, ...] = ()
    attributes: tuple[Span, ...] = ()

    def to_json(self) -> list[Any]:
        symbols = [[each.name, each.kind, each.span, each.signature, each.body, each.doc] for each in self.symbols]
        return [self.prose, symbols]

    @staticmethod
    def from_json(record: list[Any]) -> "Outline":
        """Reads what `to_json` gave."""
        prose, symbols = record
        return Outline(
            prose=tuple(Span(*each) for each in prose),
            symbols=tuple(
                Symbol(
                    name=name,
                    kind=kind,
                    span=Span(*span),
                    signature=Span(*signature),
                    body=Span(*body) if body else None,
                    doc=Span(*doc) if doc else None,
                )
                for name, kind, span, signature, body, doc in symbols
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Syntax(Outline):
    """What the language's query found in a file, each in the order of the file.

    Attributes:
        blocks: The statements of each block.
        bodies: Of functions, with their braces if there are any.
        arguments: Of calls, with their parentheses.
        imports: The starts of statements that only import.
        import_statements: Whole statements that import.
        calls: The names that are called, each once, in the order of their first call.
        damage: The share of the file's bytes, from 0 to 1, that fits no rule of the grammar.
    """

    blocks: tuple[tuple[Span, ...], ...]
    bodies: tuple[Span, ...]
    arguments: tuple[Span, ...]
    expressions: tuple[Span, ...]
    imports: frozenset[int]
    import_statements: tuple[Span, ...] = ()
    calls: tuple[str, ...] = ()
    damage: float = 0.0


_LAST_WORD = re.compile(rb"[^\W\d]\w*\Z")
_WORD = re.compile(rb"\w+")


def syntax_of(text: str, language: Language) -> Syntax:
    """Parses a file; damaged code gives the spans that could still be told."""
    if language.grammar is None:
        from .plain_syntax import plain_syntax

        return plain_syntax(text)
    return _Reading(text, language, spans_query(language)).syntax()


def outline_of(text: str, language: Language) -> Outline:
    """A file's definitions, and what is no code in it."""
    return (
        syntax_of(text, language)
        if language.grammar is None
        else _Reading(text, language, _outline_query(language)).outline()
    )


class _Reading:
    """One file, parsed."""

    def __init__(self, text: str, language: Language, query: "Query") -> None:
        from tree_sitter import Parser, QueryCursor

        self._text = text
        self._language = language
        self._data = text.encode("utf-8", errors="replace")
        self._character = _character_offsets(text, self._data)
        self._root = Parser(grammar(language)).parse(self._data).root_node
        cursor = QueryCursor(query)
        cursor.set_max_start_depth(MAX_DEPTH)
        is_hopeless = self._root.type == "ERROR" and self._root.child_count > MAX_DAMAGE
        self._captures: dict[str, list[Node]] = {} if is_hopeless else cursor.captures(self._root)

    def outline(self) -> Outline:
        comments = self._spans("prose")
        attributes = self._spans("attribute")
        return Outline(prose=self._prose(comments), symbols=self._symbols(comments), attributes=attributes)

    def syntax(self) -> Syntax:
        comments = self._spans("prose")
        blocks = sorted(self._captures.get("block", ()), key=lambda node: (node.start_byte, -node.end_byte))
        statements = self._spans("import")
        return Syntax(
            blocks=tuple(
                tuple(self._span(child) for child in block.named_children if not child.has_error) for block in blocks
            ),
            bodies=self._spans("body"),
            arguments=self._spans("arguments"),
            expressions=self._spans("expression"),
            imports=frozenset(each.start for each in statements),
            prose=self._prose(comments),
            symbols=self._symbols(comments),
            import_statements=statements,
            calls=self._calls(),
            damage=self._damage(),
        )

    def _span(self, node: "Node") -> Span:
        return Span(self._character(node.start_byte), self._character(node.end_byte))

    def _spans(self, name: str) -> tuple[Span, ...]:
        return tuple(sorted({self._span(node) for node in self._captures.get(name, ()) if not node.has_error}))

    def _prose(self, comments: Iterable[Span]) -> tuple[Span, ...]:
        return tuple(sorted({*comments, *self._spans("docstring")}))

    def _symbols(self, comments: Iterable[Span]) -> tuple[Symbol, ...]:
        """The definitions. Documentation stands in them, or in the comments right before them."""
        docstrings = {span.start: span for span in self._spans("docstring")}
        wrappers = self._wrappers()
        before = _Before(self._text, comments, self._spans("attribute"))
        found = set()
        for capture in ("symbol.function", "symbol.class"):
            for node in self._captures.get(capture, ()):
                name = _name(node)
                if not name or node.has_error:
                    continue
                body = _body(node)
                inner = None if body is None else self._span(body)
                span = self._wrapped(node, wrappers)
                head = Span(span.start, span.end if inner is None else inner.start)
                found.add(
                    Symbol(
                        name=name,
                        kind=capture.removeprefix("symbol."),
                        span=span,
                        signature=Span(head.start, head.start + len(self._text[head.start : head.end].rstrip())),
                        body=inner,
                        doc=(docstrings.get(inner.start) if inner else None) or before.comments(span.start),
                    )
                )
        return tuple(sorted(found, key=lambda symbol: (symbol.span.start, -symbol.span.end, symbol.kind)))

    def _wrappers(self) -> dict[tuple[int, int], "Node"]:
        """What stands around a definition and belongs to it, by the bytes of what it wraps."""
        return {
            (child.start_byte, child.end_byte): node
            for node in self._captures.get("wrapper", ())
            for child in node.named_children
        }

    def _wrapped(self, node: "Node", wrappers: dict[tuple[int, int], "Node"]) -> Span:
        for _ in range(MAX_WRAPPERS):
            node = wrappers.get((node.start_byte, node.end_byte), node)
        return self._span(node)

    def _calls(self) -> tuple[str, ...]:
        names: dict[bytes, None] = {}
        for node in sorted(self._captures.get("call", ()), key=lambda node: node.end_byte):
            end = node.end_byte
            word = _LAST_WORD.search(self._data[max(node.start_byte, end - MAX_NAME_BYTES) : end])
            if word is not None:
                names[word[0]] = None
        return tuple(name.decode("utf-8", errors="replace") for name in names)

    def _damage(self) -> float:
        from tree_sitter import QueryCursor

        if not self._root.has_error or not self._data:
            return 0.0
        if self._root.type == "ERROR":
            return 1.0
        damaged = reached = 0
        cursor = QueryCursor(_errors_query(self._language))
        cursor.set_max_start_depth(MAX_DEPTH)
        for node in cursor.captures(self._root).get("error", ()):
            damaged += max(0, node.end_byte - max(node.start_byte, reached))
            reached = max(reached, node.end_byte)
        return damaged / len(self._data)


class _Before:
    """The comments of a file, asked for those that stand right before a place."""

    def __init__(self, text: str, comments: Iterable[Span], attributes: Iterable[Span]) -> None:
        self._text = text
        self._attributes = frozenset(attributes)
        self._spans = sorted({*comments, *self._attributes})
        self._starts = [span.start for span in self._spans]

    def comments(self, start: int) -> Span | None:
        """The neighbouring comments that end on the line before `start`, attributes between them left aside."""
        first = last = None
        below = start
        for number in range(bisect_left(self._starts, start) - 1, -1, -1):
            span = self._spans[number]
            end = span.start + len(self._text[span.start : span.end].rstrip())
            gap = self._text[end:below]
            if gap.strip() or gap.count("\n") != 1 or not self._begins_line(span.start):
                break
            below = span.start
            if span not in self._attributes:
                first, last = span.start, last or end
        return None if first is None or last is None else Span(first, last)

    def _begins_line(self, position: int) -> bool:
        return not self._text[self._text.rfind("\n", 0, position) + 1 : position].strip()


def _name(node: "Node") -> str:
    """The last word of a definition's name; C hides it in declarators."""
    for _ in range(MAX_DECLARATORS):
        named = node.child_by_field_name("name")
        if named is not None:
            node = named
            break
        inner = node.child_by_field_name("declarator")
        if inner is None:
            break
        node = inner
    words = _WORD.findall(node.text or b"") if node.end_byte - node.start_byte <= MAX_NAME_BYTES else []
    return words[-1].decode("utf-8", errors="replace") if words else ""


def _body(node: "Node") -> "Node | None":
    """A definition's body: a field of its own, of its value, or the last thing in it."""
    body = node.child_by_field_name("body")
    if body is None and (value := node.child_by_field_name("value")) is not None:
        body = value.child_by_field_name("body")
    if body is None and node.named_child_count:
        last = node.named_child(node.named_child_count - 1)
        body = last if last is not None and last.type.endswith("body") else None
    return body


@cache
def _outline_query(language: Language) -> "Query":
    """The spans' query without the captures that only holes are made of."""
    from tree_sitter import Query

    query = Query(grammar(language), language.spans)
    for name in ("block", "body", "arguments", "expression", "import", "call"):
        query.disable_capture(name)
    return query


@cache
def _errors_query(language: Language) -> "Query":
    from tree_sitter import Query

    return Query(grammar(language), "(ERROR) @error")


def _character_offsets(text: str, data: bytes) -> Callable[[int], int]:
    """What turns an offset in `data` into one in `text`."""
    if len(data) == len(text):
        return int
    starts = list(accumulate(((byte & 0xC0) != 0x80 for byte in data), initial=0))  # 10xxxxxx goes on a character
    return starts.__getitem__
