"""What the syntax says of a cursor: whether it stands in code, and how much belongs there."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from .completion_cut import Mode, mode_at
from .document_tree import DocumentTree, ParsedText
from .lexing import columns_of, lexer, lexer_family, opens_colon_block
from .prompts import WINDOW_PREFIX_CHARACTERS, WINDOW_SUFFIX_CHARACTERS

if TYPE_CHECKING:
    from tree_sitter import Node

Zone = Literal["code", "string", "comment", "unknown"]

MAX_LEVELS = 4  # from the smallest node up to the literal that it is text of; what lies deeper is code in it
DAMAGE_BYTES = 2_000  # before the cursor: a string that was opened there and not closed yet is an error
MAX_LINES_ABOVE = 40  # of comments and documentation between a head and the cursor
_BLOCK_COMMENTS = (b"/*", b"<!--", b"--[", b"=begin")  # end where they are closed; other comments end with the line
_CLOSERS = ")]}\"'`,;: \t\r"  # behind a cursor they end what it stands in, and are no code of their own
_KEYWORD_HEAD = re.compile(
    r"(?:def|class|module|function|local function|if|elif|elsif|unless|while|until|case|begin|for|else)\b"
    r"(?!.*\b(?:end|fi|done|esac)\b)|.*(?:\b(?:do|then)|\bdo \|[^|]*\||\bfunction\s*\([^)]*\)|\{)$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorSyntax:
    """A place in a document.

    Attributes:
        zone: `string` and `comment` within the text of one; at a string's quotes and in its interpolations it is
            `code`. `unknown` without a tree.
        is_middle_of_line: Code follows on the cursor's line; what only closes something does not count.
        is_empty_body: The cursor stands where the body of a block has to come, after its head or below it.
        wanted: The rest of a `line`, the `block` of an empty body, or as many `lines` as belong together. Where an
            answer ends the cut decides; this says how much room it needs.
    """

    zone: Zone
    is_middle_of_line: bool
    is_empty_body: bool
    wanted: Mode


def cursor_syntax(document: DocumentTree, offset: int) -> CursorSyntax:
    """What can be told of the place before the character `offset` of the document's text."""
    return _CursorReading(document, offset).result()


class _CursorReading:
    """The text around one cursor, as far as a prompt goes, and the tree."""

    def __init__(self, document: DocumentTree, offset: int) -> None:
        self._language = document.language
        self._parsed = document.parsed
        self._offset = offset
        self._prefix = document.text[max(0, offset - WINDOW_PREFIX_CHARACTERS) : offset]
        self._suffix = document.text[offset : offset + WINDOW_SUFFIX_CHARACTERS]
        self._above, newline, before = self._prefix.rpartition("\n")
        self._before = before if newline else self._prefix
        self._after, _, self._below = self._suffix.partition("\n")

    def result(self) -> CursorSyntax:
        is_empty_body = self._is_empty_body()
        mode = mode_at(language=self._language.name, prefix=self._prefix, suffix=self._suffix)
        return CursorSyntax(
            zone="unknown" if self._parsed is None else self._zone(self._parsed),
            is_middle_of_line=bool(self._code_after().strip(_CLOSERS)),
            is_empty_body=is_empty_body,
            wanted="block" if is_empty_body else "lines" if mode == "lines" else "line",
        )

    def _zone(self, parsed: ParsedText) -> Zone:
        """In what the characters on both sides of the cursor lie."""
        if self._offset == 0:
            return "code"
        root = parsed.tree.root_node
        left, at, right = (parsed.byte_at(self._offset + each) for each in (-1, 0, 1))
        node_left, node_right = (root.descendant_for_byte_range(*each) for each in ((left, at), (at, right)))
        around = self._literal(root.descendant_for_byte_range(left, right)) if at < right else None
        if around is not None and around.type in self._language.comments:
            return "comment"
        if around is not None:
            return "code" if self._is_hole(around, node_left, node_right) else "string"
        if self._before and self._ends_with_comment(parsed, node_left):
            return "comment"
        return self._lexed_zone() if parsed.errors_within(max(0, at - DAMAGE_BYTES), at) else "code"

    def _literal(self, node: "Node | None") -> "Node | None":
        """The string or comment that a node is text of."""
        for _ in range(MAX_LEVELS):
            if node is None or node.type in self._language.interpolations:
                return None
            if node.type in self._language.strings or node.type in self._language.comments:
                return node
            node = node.parent
        return None

    def _is_hole(self, string: "Node", left: "Node | None", right: "Node | None") -> bool:
        """Whether code of a string begins or ends here; Swift's grammar leaves the brackets around it to the string."""
        is_opened = left is not None and left.parent == string and left.type == "\\("
        is_closed = right is not None and right.parent == string and right.type == ")"
        return is_opened or (is_closed and self._literal(left) is None)

    def _ends_with_comment(self, parsed: ParsedText, node: "Node | None") -> bool:
        """Whether what is typed here goes on a comment that the line ends with."""
        comment = self._literal(node)
        if comment is None or comment.type not in self._language.comments:
            return False
        return not parsed.data.startswith(_BLOCK_COMMENTS, comment.start_byte)

    def _lexed_zone(self) -> Zone:
        """The zone by the cursor's line alone: a string that is not closed yet is no string to the parser."""
        family = lexer_family(self._language.name, self._prefix, self._before)
        if family == "prose":
            is_documentation = self._language.lexer == "python" and not self._before.lstrip().startswith("#")
            return "string" if is_documentation else "comment"
        line = f"{self._before}."
        last = next((token for token in lexer(family).finditer(line) if token.end() == len(line)), None)
        if last is None:
            return "code"
        return "comment" if last[0].startswith((self._language.comment, "/*", "//", "#")) else "string"

    def _code_after(self) -> str:
        """What follows on the line without white space and comment."""
        after = self._after.strip()
        return "" if self._language.comment and after.startswith(self._language.comment) else after

    def _is_empty_body(self) -> bool:
        after = self._code_after()
        if after.startswith("}") and self._language.braces:
            return self._before.rstrip().endswith("{")  # an editor has closed it already
        if after:
            return False
        head = self._before if self._before.strip() else self._head_above()
        if head is None or not self._opens_block(head.strip()):
            return False
        below = next((line for line in self._below.split("\n") if line.strip()), None)
        return below is None or columns_of(below) <= columns_of(head)

    def _head_above(self) -> str | None:
        """The nearest line above that is neither blank nor comment, nor documentation of what it heads."""
        lines = [line for line in self._above.split("\n")[-MAX_LINES_ABOVE:] if line.strip()]
        while lines and self._language.comment and lines[-1].lstrip().startswith(self._language.comment):
            lines.pop()
        if self._language.lexer == "python" and lines and lines[-1].rstrip().endswith(('"""', "'''")):
            quotes = lines[-1].rstrip()[-3:]
            if lines.pop().count(quotes) < 2:
                while lines and quotes not in lines.pop():
                    pass
        return lines[-1] if lines else None

    def _opens_block(self, line: str) -> bool:
        if self._language.blocks == "keywords":
            return _KEYWORD_HEAD.match(line) is not None
        return opens_colon_block(line) or (self._language.braces and line.endswith("{"))
