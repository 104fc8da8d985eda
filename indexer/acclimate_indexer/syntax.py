"""Source to spans: where the statements, bodies, arguments and values of a file are, in characters.

tree-sitter counts bytes; everything else here counts characters. The traversal is tree-sitter's own query cursor, which
does not recurse, so that a file nested a hundred thousand deep costs no stack. Its time would grow with the square of
the depth, and of the width of a damaged place; both are bounded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from .languages.registry import Language, grammar, spans_query

MAX_DEPTH = 128  # of nodes; forty blocks in each other, more than anybody reads
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
class Syntax:
    """What the language's query found in a file, each in the order of the file.

    Attributes:
        blocks: The statements of each block.
        bodies: Of functions, with their braces if there are any.
        arguments: Of calls, with their parentheses.
        imports: The starts of statements that only import.
        prose: Comments and documentation.
        symbols: The definitions, in the order of the file; one inside another follows it.
        import_statements: Whole statements that import.
        calls: The names that are called, each once, in the order of their first call.
        damage: The share of the file's bytes, from 0 to 1, that fits no rule of the grammar.
    """

    blocks: tuple[tuple[Span, ...], ...]
    bodies: tuple[Span, ...]
    arguments: tuple[Span, ...]
    expressions: tuple[Span, ...]
    imports: frozenset[int]
    prose: tuple[Span, ...]
    symbols: tuple[Symbol, ...] = ()
    import_statements: tuple[Span, ...] = ()
    calls: tuple[str, ...] = ()
    damage: float = 0.0


def syntax_of(text: str, language: Language) -> Syntax:
    """Parses a file; damaged code gives the spans that could still be told."""
    from tree_sitter import Node, Parser, QueryCursor

    data = text.encode("utf-8", errors="replace")
    character = _character_offsets(text, data)
    tree = Parser(grammar(language)).parse(data)
    cursor = QueryCursor(spans_query(language))
    cursor.set_max_start_depth(MAX_DEPTH)
    is_damaged = tree.root_node.type == "ERROR" and tree.root_node.child_count > MAX_DAMAGE
    captures = {} if is_damaged else cursor.captures(tree.root_node)

    def span(node: Node) -> Span:
        return Span(character(node.start_byte), character(node.end_byte))

    def spans(name: str) -> tuple[Span, ...]:
        return tuple(sorted({span(node) for node in captures.get(name, ()) if not node.has_error}))

    blocks = sorted(captures.get("block", ()), key=lambda node: (node.start_byte, -node.end_byte))
    return Syntax(
        blocks=tuple(tuple(span(child) for child in block.named_children if not child.has_error) for block in blocks),
        bodies=spans("body"),
        arguments=spans("arguments"),
        expressions=spans("expression"),
        imports=frozenset(each.start for each in spans("import")),
        prose=spans("prose"),
    )


def _character_offsets(text: str, data: bytes) -> Callable[[int], int]:
    """What turns an offset in `data` into one in `text`."""
    if len(data) == len(text):
        return int
    starts = list(accumulate(((byte & 0xC0) != 0x80 for byte in data), initial=0))  # 10xxxxxx goes on a character
    return starts.__getitem__
