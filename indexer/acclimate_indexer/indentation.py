"""Statements that are not as deep as those they stand among: what a tolerant parser lets pass, and Python does not."""

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from .document_tree import ParsedText
from .languages.language import Language, grammar
from .syntax import MAX_DEPTH

if TYPE_CHECKING:
    from tree_sitter import Node, Query

_CODE = re.compile(rb"\S")


def misplaced_statements(parsed: ParsedText, start: int, end: int) -> int:
    """How many statements between two bytes, or right below, begin in another column than the one before them.

    A clause (`else:`) has to begin where its statement does.
    """
    found = _CODE.search(parsed.data, end)
    below = len(parsed.data) if found is None else found.end()
    return sum(
        one != other
        for node, neighbour in _neighbours(parsed, start, below)
        if (one := _column(parsed, node)) is not None and (other := _column(parsed, neighbour)) is not None
    )


def _neighbours(parsed: ParsedText, start: int, end: int) -> "Iterator[tuple[Node, Node]]":
    """Each statement that begins between two bytes, with the one before it; each clause, with its statement."""
    from tree_sitter import QueryCursor

    cursor = QueryCursor(_blocks_query(parsed.language))
    cursor.set_max_start_depth(MAX_DEPTH)
    cursor.set_byte_range(start, end)
    for block in cursor.captures(parsed.tree.root_node).get("block", []):
        above = None
        for statement in block.named_children:
            if statement.start_byte >= end:
                break
            if statement.is_extra:
                continue
            if above is not None and statement.start_byte >= start:
                yield statement, above
            if statement.end_byte > start:
                clauses = (child for child in statement.named_children if child.type.endswith("_clause"))
                yield from ((clause, statement) for clause in clauses if start <= clause.start_byte < end)
            above = statement


def _column(parsed: ParsedText, node: "Node") -> int | None:
    """Where the node begins its line; None if something stands before it."""
    line = parsed.data.rfind(b"\n", 0, node.start_byte) + 1
    return None if parsed.data[line : node.start_byte].strip() else node.start_byte - line


@cache
def _blocks_query(language: Language) -> "Query":
    """The spans' query with nothing but blocks."""
    from tree_sitter import Query

    query = Query(grammar(language), language.spans)
    names = {query.capture_name(index) for index in range(query.capture_count)}
    for name in names - {"block"}:
        query.disable_capture(name)
    return query
