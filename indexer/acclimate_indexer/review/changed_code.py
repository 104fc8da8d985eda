"""The lines under review, and what of them is code.

Nothing is parsed: strings and comments are found by the lexer, and only up to a line of which somebody asks.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from acclimate_indexer.lexing import literals
from acclimate_indexer.mining.conventions.facts import imported_modules
from acclimate_indexer.mining.conventions.named import IMPORT
from acclimate_indexer.syntax import Span

from .target import ReviewTarget

MAX_LINE_CHARACTERS = 500  # of a line; a longer one is data
QUOTES = "\"'`"
DEFINING_CHARACTERS = 40  # before a name: what says that it is defined here

_DEFINING = re.compile(
    r"\b(?:as|class|const|def|enum|fn|fun|func|function|interface|let|object|struct|trait|type|val|var)\s+(?:mut\s+)?\Z"
)
_ASSIGNED = re.compile(r"\s*(?::[^=\n]{0,80})?=(?!=)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedLine:
    """A line under review; `number` counts from 0, and `start` is its first character in the file."""

    number: int
    start: int
    text: str

    def span(self, start: int, end: int) -> Span:
        """Characters of the line, in the file."""
        return Span(self.start + start, self.start + end)


class ChangedCode:
    """What is new in a text."""

    def __init__(self, target: ReviewTarget) -> None:
        self.target = target
        self.language = target.source.language
        self._defined: dict[str, bool] = {}

    @cached_property
    def lines(self) -> tuple[ChangedLine, ...]:
        """Those that are neither blank nor data."""
        text, starts = self.target.text, self.target.source.line_starts
        found = []
        for number in (number for lines in self.target.changed for number in lines if number < len(starts)):
            end = starts[number + 1] - 1 if number + 1 < len(starts) else len(text)
            line = text[starts[number] : end] if end - starts[number] <= MAX_LINE_CHARACTERS else ""
            if line.strip():
                found.append(ChangedLine(number=number, start=starts[number], text=line))
        return tuple(found)

    def code(self, line: ChangedLine) -> str:
        """The line with blanks for comments and for what stands between quotes: every character keeps its place."""
        end = line.start + len(line.text)
        code = list(line.text)
        for span in self._literals_within(line.start, end):
            for at in range(max(span.start, line.start), min(span.end, end)):
                code[at - line.start] = " "
        return "".join(code)

    def is_within_literal(self, at: int) -> bool:
        """Whether the character at a place above the last line under review belongs to a string or a comment."""
        return next(self._literals_within(at, at + 1), None) is not None

    def imports(self, line: ChangedLine) -> list[str]:
        """The modules that a line imports; none where that is no code."""
        if not self.is_import(line):
            return []
        return imported_modules(line.text)

    def is_import(self, line: ChangedLine) -> bool:
        """Whether a line imports."""
        return bool(IMPORT.search(line.text) and IMPORT.search(self.code(line))) or self._is_go_import(line)

    def defines(self, name: str) -> bool:
        """Whether the text defines a name itself: then it may be another one that is called so."""
        if name not in self._defined:
            self._defined[name] = is_defined(self.target.text, name)
        return self._defined[name]

    def imports_name(self, name: str) -> bool:
        """Whether the text has an import by this name, also as one of several in parentheses."""
        alone = re.compile(rf"^[ \t]*{re.escape(name)},?[ \t]*$", re.MULTILINE)
        lines = (match[0] for match in re.finditer(rf"^.*\b{re.escape(name)}\b.*$", self.target.text, re.MULTILINE))
        return any(IMPORT.search(line) or alone.match(line) for line in lines)

    def imports_whole(self, name: str) -> bool:
        """Whether the text imports a module by this name, rather than something out of one."""
        return re.search(rf"^[ \t]*import\b[^{{\n]*\b{re.escape(name)}\b", self.target.text, re.MULTILINE) is not None

    def _is_go_import(self, line: ChangedLine) -> bool:
        """Whether it names one of several imports, as Go has them between parentheses."""
        if self.language.lexer != "go" or not line.text.rstrip().endswith('"'):
            return False
        before = self.target.text[: line.start]
        return before.rfind("\nimport (") > before.rfind("\n)")

    def _literals_within(self, start: int, end: int) -> Iterator[Span]:
        first = max(bisect_right(self._literal_starts, start) - 1, 0)
        for span in self._literals[first:]:
            if span.start >= end:
                return
            if span.end > start:
                yield span

    @cached_property
    def _literals(self) -> list[Span]:
        """Comments, and what stands between quotes, up to the last line under review."""
        last = self.lines[-1].start + len(self.lines[-1].text)
        tokens = literals(self.language.lexer).finditer(self.target.text, 0, last)
        return [_inside(Span(*token.span()), token[0]) for token in tokens]

    @cached_property
    def _literal_starts(self) -> list[int]:
        return [span.start for span in self._literals]


def is_defined(text: str, name: str) -> bool:
    """Whether a text defines a name, at the beginning of a line or after a word that says so."""
    at = text.find(name) if name else -1
    while at >= 0:
        end = at + len(name)
        before = text[max(0, at - DEFINING_CHARACTERS) : at]
        begins_line = not before.rpartition("\n")[2].strip()
        is_whole = not (text[end : end + 1].isalnum() or text[end : end + 1] == "_")
        if is_whole and (_DEFINING.search(before) or (begins_line and _ASSIGNED.match(text, end))):
            return True
        at = text.find(name, end)
    return False


def _inside(span: Span, literal: str) -> Span:
    """A string without its quotes, so that one can tell that it is there."""
    if literal[0] not in QUOTES or len(literal) == 1:
        return span
    return Span(span.start + 1, span.end - 1 if literal[-1] == literal[0] else span.end)
