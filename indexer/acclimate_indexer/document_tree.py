"""A document's syntax tree, kept up to date while it is typed in.

400 KB of Python (9,700 lines) take 25 to 45 ms at first and 0.9 ms after an edit, 2 ms where that leaves a bracket
open; a tenth of it is finding the edit. Now and then an edit moves all that follows into another block: 20 ms.

tree-sitter is given the text by a function, not as bytes: only then does it ask how long it may take, and lets other
threads run.
"""

import time
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from .common_ends import common_beginning, common_end
from .languages.language import Language, grammar
from .syntax import MAX_DAMAGE, MAX_DEPTH

if TYPE_CHECKING:
    from tree_sitter import Node, Query, Tree

PARSE_SECONDS = 2.0  # of a worker thread's computing; 2 MB of code take a tenth of it, what takes more is no code
EDIT_SECONDS = 0.02  # of the event loop's: a frame of the editor's
CHUNK_BYTES = 4096  # asked for at each place that is parsed anew; larger ones are copied in vain
PART_BYTES = 16_384  # parsed in half the time that an edit of a long document takes
HOPELESS_CHANGE = 0.1  # of its length: a document that could not be parsed is not tried again before


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedText:
    """A text with its tree. It never changes, so that several threads may read it."""

    language: Language
    text: str
    data: bytes
    tree: "Tree"
    known_bytes: dict[int, int] = field(default_factory=dict, compare=False, repr=False)  # of the places asked for
    known_parts: "dict[tuple[int, int], tuple[ParsedText | None, int]]" = field(  # of the last place asked for
        default_factory=dict, compare=False, repr=False
    )

    def byte_at(self, offset: int) -> int:
        """Where a character begins in `data`."""
        if len(self.data) == len(self.text):
            return offset
        if offset not in self.known_bytes:
            near = min((0, *self.known_bytes), key=lambda known: abs(offset - known))
            between = len(_encoded(self.text[min(near, offset) : max(near, offset)]))
            before = self.known_bytes.get(near, 0)
            self.known_bytes[offset] = before + between if near <= offset else before - between
        return self.known_bytes[offset]

    def part_around(self, start: int, end: int) -> "tuple[ParsedText, int]":
        """The top-level constructs around two characters as a text of their own, and where it begins.

        It is this text itself, from 0, where they are large, or do not stand by themselves. Found once for a place.
        """
        found = self.known_parts.get((start, end))
        if found is None:
            found = self._part_around(start, end)
            self.known_parts.clear()
            self.known_parts[start, end] = found
        part, begin = found
        return part or self, begin

    def _part_around(self, start: int, end: int) -> "tuple[ParsedText | None, int]":
        first, last = self._constructs_around(self.byte_at(start), self.byte_at(end))
        if last - first > PART_BYTES or last - first >= len(self.data):
            return None, 0
        data = self.data[first:last]
        begin = first if len(self.data) == len(self.text) else len(self.data[:first].decode("utf-8"))
        text = data.decode("utf-8")
        part = _checked(self.language, text, data, _tree(data, self.language, None, EDIT_SECONDS))
        if part is None or (part.tree.root_node.has_error and not self.errors_within(first, last)):
            return None, 0
        return part, begin

    def _constructs_around(self, start: int, end: int) -> tuple[int, int]:
        """The bytes of the constructs that hold two bytes, and of one more on each side, in whole lines."""
        cursor = self.tree.root_node.walk()
        around = []
        for at in (start, end):
            if cursor.goto_first_child_for_byte(at) is not None and cursor.node is not None:
                around.append(cursor.node)
                cursor.goto_parent()
        if not around or self.tree.root_node.is_error:
            return 0, len(self.data)
        before, after = around[0].prev_sibling, around[-1].next_sibling
        before = None if before is None else before.prev_sibling or before  # the first may be what is being typed
        first = 0 if before is None else self.data.rfind(b"\n", 0, before.start_byte) + 1
        last = -1 if after is None else self.data.find(b"\n", after.end_byte)
        return min(first, start), len(self.data) if last < 0 else max(last + 1, end)

    def errors_within(self, start: int, end: int) -> "list[Node]":
        """What fits no rule of the grammar, or is missing, between two bytes."""
        from tree_sitter import QueryCursor

        if not self.tree.root_node.has_error:
            return []
        cursor = QueryCursor(_errors_query(self.language))
        cursor.set_max_start_depth(MAX_DEPTH)
        cursor.set_byte_range(start, end)
        return cursor.captures(self.tree.root_node).get("error", [])

    def with_edit(self, start: int, end: int, replacement: str, *, seconds: float) -> "ParsedText | None":
        """The text with these characters replaced; None if that takes more computing to parse."""
        text = self.text[:start] + replacement + self.text[end:]
        first, last, middle = self.byte_at(start), self.byte_at(end), _encoded(replacement)
        data = self.data[:first] + middle + self.data[last:]
        return _parsed_again(self, text, data, first, len(self.data) - last, seconds)


class DocumentTree:
    """The tree of one open document.

    `update` may be called in any thread; the newest call wins. Where there is no tree, `parsed` is None: in a language
    without a grammar, for text that is no code of its language, and while it is parsed.
    """

    def __init__(self, language: Language) -> None:
        self.language = language
        self.text = ""
        self._parsed: ParsedText | None = None
        self._hopeless_characters: int | None = None

    @property
    def parsed(self) -> ParsedText | None:
        """The newest text with its tree."""
        parsed = self._parsed
        return parsed if parsed is not None and parsed.text == self.text else None

    @property
    def is_quick(self) -> bool:
        """Whether `update` is a matter of milliseconds: the text was parsed before, or is not parsed at all."""
        return self.language.grammar is None or self.parsed is not None

    def update(self, text: str, *, seconds: float = PARSE_SECONDS) -> None:
        """Takes the document's text. What takes more than so many seconds of computing to parse has no tree."""
        self.text = text
        if self.language.grammar is None or self._is_hopeless(text):
            return
        parsed = _parsed(self._parsed, text, self.language, seconds)
        if parsed is not None and self.text == text:
            self._parsed = parsed
        is_hopeless = parsed is None and seconds >= PARSE_SECONDS
        self._hopeless_characters = len(text) if is_hopeless else None

    def _is_hopeless(self, text: str) -> bool:
        tried = self._hopeless_characters
        return tried is not None and abs(len(text) - tried) < HOPELESS_CHANGE * tried


def _parsed(old: ParsedText | None, text: str, language: Language, seconds: float) -> ParsedText | None:
    data = _encoded(text)
    if old is None:
        return _checked(language, text, data, _tree(data, language, None, seconds))
    if old.data == data:
        return replace(old, text=text, known_bytes={}, known_parts={})
    same_before = common_beginning(old.data, data)
    same_after = common_end(old.data, data, most=min(len(old.data), len(data)) - same_before)
    return _parsed_again(old, text, data, same_before, same_after, seconds)


def _parsed_again(
    old: ParsedText, text: str, data: bytes, same_before: int, same_after: int, seconds: float
) -> ParsedText | None:
    """Parses `data`, which differs from the old one but for so many bytes at its beginning and at its end."""
    tree = old.tree.copy()
    old_end, end = len(old.data) - same_after, len(data) - same_after
    first = _point(data, same_before)
    tree.edit(same_before, old_end, end, first, _point(old.data, old_end), _point(data, end))
    return _checked(old.language, text, data, _tree(data, old.language, tree, seconds))


def _tree(data: bytes, language: Language, old: "Tree | None", seconds: float) -> "Tree | None":
    """The tree, or None if it takes longer."""
    from tree_sitter import Parser

    until = time.thread_time() + seconds  # a busy machine is not the text's fault

    def read(start: int, _point: object) -> bytes:
        return data[start : start + CHUNK_BYTES]

    def is_late(_byte: int, _has_error: bool) -> bool:
        return time.thread_time() > until

    parser = Parser(grammar(language))
    try:
        if old is None:
            tree = parser.parse(read, progress_callback=is_late)
        else:
            tree = parser.parse(read, old, progress_callback=is_late)
    except ValueError:  # all that it says of a parse that was called off
        return None
    return None if time.thread_time() > until else tree  # some grammars' scanners run long without asking


def _checked(language: Language, text: str, data: bytes, tree: "Tree | None") -> ParsedText | None:
    """The text with its tree, unless that is hopeless."""
    if tree is None or (tree.root_node.is_error and tree.root_node.child_count > MAX_DAMAGE):
        return None
    return ParsedText(language=language, text=text, data=data, tree=tree)


@cache
def _errors_query(language: Language) -> "Query":
    from tree_sitter import Query

    return Query(grammar(language), "[(ERROR) (MISSING)] @error")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", errors="replace")  # half a surrogate pair gives one `?`, wherever it stands


def _point(data: bytes, at: int) -> tuple[int, int]:
    """Row and column of a byte, as tree-sitter counts them."""
    return data.count(b"\n", 0, at), at - (data.rfind(b"\n", 0, at) + 1)
