"""A piece of code, parsed where it stands: what it names, calls, imports and reaches into, and what it breaks.

A hole's answer rarely parses by itself, so the text around it is parsed with it. A token counts as the piece's if the
two share a character: `ma` between `self.na` and `()` gives the name `nama`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from .languages.language import Language, grammar
from .syntax import MAX_DEPTH

if TYPE_CHECKING:
    from tree_sitter import Node, Query, Tree

MAX_RECEIVER_DEPTH = 64  # of `a.b.c…`; nobody chains more
MAX_NAMES = 1_000  # of a piece; an answer has a hundred tokens
_WORD = re.compile(r"[^\W\d]\w*")
_WORDS_AT_ENDS = re.compile(r"\w*\Z"), re.compile(r"\w*")
_IDENTIFIER = re.compile(r"[$@]{0,2}[^\W\d]\w*[?!]?")
# What grammars call a leaf that is a name, beside `identifier` and its kinds. Keywords are leaves without a name.
_NAME_TYPES = frozenset(
    ("name", "constant", "instance_variable", "class_variable", "global_variable", "variable_name", "word")
)
_REACHES = (".", "->", "::")  # what stands before a member; two dots are a range or a spread
_BINDS = re.compile(rb"\s*(?:[-+*/%&|^]|\*\*|//|<<|>>|\|\||&&|\?\?)?=(?![=>])|\s*:(?!:)[^\n=(){}]*=(?!=)|\s*:=")


class Member(NamedTuple):
    """`name`, reached from something whose first name is `root`; empty where it has none."""

    name: str
    root: str


class Import(NamedTuple):
    """A statement that imports, whole, and those of its words that stand in the piece."""

    statement: str
    written: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """What a piece of code holds, each name as often as it stands there unless said otherwise.

    Attributes:
        identifiers: Names, in their order; keywords, comments and strings are none.
        bound: Those that stand there as names of their own or are assigned to: not called, not reached into.
        calls: Names that are called and not reached through anything.
        members: Names that are reached through something, and not assigned to.
        imports: The import statements that the piece shares a character with.
        other_imports: Those of the text around it.
        errors: Places of the whole text that fit no rule of the grammar, or where something is missing; None where
            the language has no grammar.
    """

    identifiers: tuple[str, ...] = ()
    bound: frozenset[str] = frozenset()
    calls: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()
    imports: tuple[Import, ...] = ()
    other_imports: tuple[str, ...] = ()
    errors: int | None = None


def fragment(piece: str, *, prefix: str, suffix: str, language: Language | None) -> Fragment:
    """Parses `prefix + piece + suffix` and tells of `piece`. Without a grammar only its words are told."""
    if language is None or language.grammar is None:
        return Fragment(identifiers=tuple(_WORD.findall(_widened(piece, prefix, suffix))) if piece else ())
    return _Parsed(piece, prefix, suffix, language).fragment()


def _widened(piece: str, prefix: str, suffix: str) -> str:
    """With the rest of the words that it begins and ends inside of."""
    before, after = _WORDS_AT_ENDS
    head = before.search(prefix) if piece[0].isalnum() or piece[0] == "_" else None
    tail = after.match(suffix) if piece[-1].isalnum() or piece[-1] == "_" else None
    return (head[0] if head else "") + piece + (tail[0] if tail else "")


class _Parsed:
    """A piece with the text around it. Positions are bytes."""

    def __init__(self, piece: str, prefix: str, suffix: str, language: Language) -> None:
        from tree_sitter import Parser

        before, inside, after = (part.encode("utf-8", errors="replace") for part in (prefix, piece, suffix))
        self._data = before + inside + after
        self._start, self._end = len(before), len(before) + len(inside)
        self._language = language
        self._tree = Parser(grammar(language)).parse(self._data)

    def fragment(self) -> Fragment:
        imports, others, called = self._captured()
        names = list(islice(filter(_is_name, _leaves(self._tree, self._start, self._end)), MAX_NAMES))
        code = [node for node in names if not any(_within(node, each) for each in imports)]
        reached = [node for node in code if self._is_reached(node)]
        members = [node for node in reached if not self._is_bound(node)]
        ends = {node.end_byte for node in called}
        calls = [node for node in code if node.end_byte in ends and not self._is_reached(node)]
        used = {node.start_byte for node in (*members, *calls)}
        return Fragment(
            identifiers=tuple(_text(node) for node in names),
            bound=frozenset(_text(node) for node in code if node.start_byte not in used),
            calls=tuple(_text(node) for node in calls),
            members=tuple(Member(_text(node), self._root(node)) for node in members),
            imports=tuple(Import(_text(node), self._written(node)) for node in imports),
            other_imports=tuple(_text(node) for node in others),
            errors=_errors(self._tree),
        )

    def _captured(self) -> "tuple[list[Node], list[Node], list[Node]]":
        """The statements that import, those of the piece and the others, and what the piece calls."""
        from tree_sitter import QueryCursor

        cursor = QueryCursor(_imports_and_calls(self._language))
        cursor.set_max_start_depth(MAX_DEPTH)
        found = cursor.captures(self._tree.root_node)
        imports = sorted(found.get("import", ()), key=lambda node: node.start_byte)
        own = [node for node in imports if self._touches(node)]
        others = [node for node in imports if not self._touches(node)]
        return own, others, [node for node in found.get("call", ()) if node.end_byte > self._start]

    def _touches(self, node: "Node") -> bool:
        return max(node.start_byte, self._start) < min(node.end_byte, self._end)

    def _written(self, statement: "Node") -> tuple[str, ...]:
        """Strings count, too: many languages quote what they import."""
        first, last = max(self._start, statement.start_byte), min(self._end, statement.end_byte)
        before, piece, after = (
            part.decode("utf-8", errors="replace")
            for part in (self._data[:first], self._data[first:last], self._data[last:])
        )
        return tuple(_WORD.findall(_widened(piece, before, after)))

    def _is_reached(self, node: "Node") -> bool:
        before = self._data[max(0, node.start_byte - 80) : node.start_byte].rstrip().decode("utf-8", errors="replace")
        return before.endswith(_REACHES) and not before.endswith("..")

    def _is_bound(self, node: "Node") -> bool:
        """Whether it is assigned to: that makes a name, and needs none to be there."""
        return _BINDS.match(self._data, node.end_byte) is not None

    def _root(self, node: "Node") -> str:
        """The first name of the expression that a member ends: `a` of `a.b(c).d`."""
        found: Node | None = node.parent
        if found is None or found.start_byte >= node.start_byte:
            found = None if found is None else found.parent  # the dot and the name are a node of their own
        for _ in range(MAX_RECEIVER_DEPTH):
            if found is None or not found.child_count:
                break
            found = found.child(0)
        return _text(found) if found is not None and _IDENTIFIER.fullmatch(_text(found)) else ""


def _leaves(tree: "Tree", start: int, end: int) -> "Iterator[Node]":
    """The leaves that share a byte with a range, in their order."""
    if start == end:
        return
    cursor = tree.walk()
    while True:
        node = cursor.node
        assert node is not None
        overlaps = node.start_byte < end and node.end_byte > start
        if overlaps and cursor.goto_first_child():
            continue
        if overlaps:
            yield node
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def _is_name(node: "Node") -> bool:
    kind = node.type
    is_named = node.is_named and ("identifier" in kind or kind in _NAME_TYPES) and kind != "operator_identifier"
    return is_named and _IDENTIFIER.fullmatch(_text(node)) is not None


def _text(node: "Node") -> str:
    return (node.text or b"").decode("utf-8", errors="replace")


def _within(inner: "Node", outer: "Node") -> bool:
    return outer.start_byte <= inner.start_byte and inner.end_byte <= outer.end_byte


def _errors(tree: "Tree") -> int:
    """Counts without a look at what is whole."""
    if not tree.root_node.has_error:
        return 0
    count = 0
    cursor = tree.walk()
    while True:
        node = cursor.node
        assert node is not None
        count += node.is_error or node.is_missing
        if node.has_error and cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return count


@cache
def _imports_and_calls(language: Language) -> "Query":
    """The query of the language's spans, of which only these two captures are asked."""
    from tree_sitter import Query

    query = Query(grammar(language), language.spans)
    for number in range(query.capture_count):
        if (name := query.capture_name(number)) not in ("import", "call"):
            query.disable_capture(name)
    return query
