"""Where a hole may be made in a file: the places at which people pause and wait for a suggestion.

- `rest_of_line`: somewhere in a line, up to where its construct ends; where in the line, `CURSORS` says;
- `statement`: on a blank, indented line: one statement;
- `block`: on a blank, indented line: the statements up to the end of the paragraph or of the block;
- `body`: after a function's head, on its line or on the next: the whole body;
- `arguments`: after the opening parenthesis of a call;
- `expression`: where a value is expected;
- `import`: in a line that imports, behind its first word;
- `doc_comment`: in a line of a comment or of documentation, between two words.

All white space at the end of a hole stays outside of it: an answer is stripped, too.
"""

import random
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from acclimate_indexer.completion_cut import cut
from acclimate_indexer.syntax import Span

from .source import Source

MAX_MIDDLE_CHARACTERS = 700  # about 256 tokens: nobody waits for more, and few accept more
MAX_REST_LINES = 8  # of a rest of line that opens a bracket; a block of its own is better asked for below
MIN_EXPRESSION_CHARACTERS = 5
MIN_STATEMENT_CHARACTERS = 8  # `pass`, `return`, `break` teach nothing
MAX_LITERAL_CHARACTERS = 40  # the text of a long string cannot be known
IMPORT_SHARE = 0.15  # of import statements are kept: editors write them
FIRST_LINE_SHARE = 0.5  # of body holes start on the body's first line, the others right after the head
MIN_COMMENT_WORDS = 5  # in a line of a comment; of fewer none can be told from the others
LINE_TRIES = 4  # positions that are tried in vain before a line hole is given up

# Shares of places. Most of what is asked for and taken is the rest of a line (two thirds of Refact's spans end with the
# line, or a few lines later); several lines are a sixth of what is shown and two fifths of the characters taken
# (Meta, arXiv 2402.04141), which is what statements, blocks and bodies stand for. The rest is an estimate.
MIX = {
    "rest_of_line": 0.40,
    "statement": 0.18,
    "block": 0.13,
    "body": 0.09,
    "arguments": 0.08,
    "expression": 0.06,
    "import": 0.03,
    "doc_comment": 0.03,
}
# Where in its line a rest of line begins: behind what people type before they pause. Shares of those that a line has.
CURSORS = {".": 0.22, "(": 0.20, "=": 0.18, ":": 0.06, " ": 0.16, "in a word": 0.18}

_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
_TOKEN = re.compile(r"\w+|[=<>!+\-*/|&:]+|[^\w\s]")
_WORD = re.compile(r"\w[\w'-]*")
_CLOSING = re.compile(r"[ \t]*(?:\*/|\"\"\"|'''|-->)?[ \t]*$")
_COMMENT = re.compile(r"[;,]?\s*(?:#.*|//.*|/\*.*\*/|--.*)?")


@dataclass(frozen=True, slots=True)
class Hole:
    """What would be left out of a file, and why there."""

    place: str
    span: Span


class HoleFinder:
    """The holes of one file, in random but repeatable order."""

    def __init__(self, source: Source, choice: random.Random, within: tuple[range, ...] | None = None) -> None:
        """Takes the lines that a hole must lie in, all of it in one of the ranges; None for anywhere."""
        self._source = source
        self._text = source.text
        self._choice = choice
        self._within = within
        self._pools: dict[str, list[Span]] = {}
        self._prose_starts = [span.start for span in source.syntax.prose]
        self._makers: dict[str, Callable[[], Iterator[Span]]] = {
            "statement": self._statements,
            "block": self._blocks,
            "body": self._bodies,
            "arguments": self._arguments,
            "expression": self._expressions,
            "import": self._imports,
            "doc_comment": self._doc_comments,
        }

    def draw(self) -> Hole | None:
        """A hole of a place drawn from the mix; None if none is left there."""
        place = self._choice.choices(list(MIX), list(MIX.values()))[0]
        span = self._rest_of_line() if place == "rest_of_line" else self._from_pool(place)
        return None if span is None else Hole(place, span)

    def _from_pool(self, place: str) -> Span | None:
        if place not in self._pools:
            spans = sorted({span for span in self._makers[place]() if self._fits(span)})
            self._choice.shuffle(spans)
            self._pools[place] = spans
        pool = self._pools[place]
        return pool.pop() if pool else None

    def _fits(self, span: Span) -> bool:
        if not 0 < span.end - span.start <= MAX_MIDDLE_CHARACTERS:
            return False
        if self._within is None:
            return True
        lines = self._source.lines(self._stripped(span.start, span.end))
        if self._text[span.start] == "\n":
            lines = lines[1:]  # the cursor stands on a line that need not be new
        return bool(lines) and any(lines[0] in each and lines[-1] in each for each in self._within)

    def _statements(self) -> Iterator[Span]:
        for block in self._source.syntax.blocks:
            for statement in block:
                whole = self._whole_line_statement(statement)
                if whole is None or len(self._text[whole.start : whole.end]) < MIN_STATEMENT_CHARACTERS:
                    continue
                if statement.start in self._source.syntax.imports and self._choice.random() > IMPORT_SHARE:
                    continue
                yield whole

    def _blocks(self) -> Iterator[Span]:
        for block in self._source.syntax.blocks:
            whole = [span for span in map(self._whole_line_statement, block) if span is not None]
            last = None
            for number in range(len(whole) - 2, -1, -1):
                gap = self._text[whole[number].end : whole[number + 1].start]
                if _BLANK_LINE.search(gap):
                    last = None
                    continue
                last = whole[number + 1] if last is None else last
                if whole[number].start not in self._source.syntax.imports:
                    yield Span(whole[number].start, last.end)

    def _bodies(self) -> Iterator[Span]:
        """From the end of the head, or from the first line (half each); some after the docstring."""
        for body in self._source.syntax.bodies:
            braces = self._text[body.start] == "{" and self._text[body.end - 1] == "}"
            start, end = (body.start + 1, body.end - 1) if braces else (self._after_head(body.start), body.end)
            inner = self._stripped(start, end)
            if "\n" not in self._text[start : inner.start]:
                continue  # on one line with its head
            if self._is_prose(inner.start) and not braces:
                inner = self._stripped(self._prose_end(inner.start), end)
            yield Span(inner.start, inner.end) if self._choice.random() < FIRST_LINE_SHARE else Span(start, inner.end)

    def _after_head(self, body_start: int) -> int:
        while body_start and self._text[body_start - 1].isspace():
            body_start -= 1
        return body_start

    def _arguments(self) -> Iterator[Span]:
        for arguments in self._source.syntax.arguments:
            yield Span(arguments.start + 1, self._stripped(arguments.start + 1, arguments.end - 1).end)

    def _expressions(self) -> Iterator[Span]:
        for span in self._source.syntax.expressions:
            size = span.end - span.start
            if size < MIN_EXPRESSION_CHARACTERS or self._is_prose(span.start):
                continue
            is_literal = self._text[span.start] in "\"'`" or self._text[span.start : span.start + 2] in ('f"', "f'")
            if not (is_literal and size > MAX_LITERAL_CHARACTERS):
                yield span

    def _rest_of_line(self) -> Span | None:
        lines = self._candidate_lines()
        for _ in range(LINE_TRIES):
            if not lines:
                return None
            start = self._position_in(self._choice.choice(lines))
            if start is None:
                continue
            span = self._to_construct_end(start)
            if span is not None and self._fits(span):
                return span
        return None

    def _candidate_lines(self) -> list[int]:
        """The lines that hold code, imports aside."""
        if "lines" not in self._pools:
            starts = self._source.line_starts
            numbers = (
                range(len(starts))
                if self._within is None
                else sorted({number for each in self._within for number in each if number < len(starts)})
            )
            imports = {self._source.line_of(start) for start in self._source.syntax.imports}
            self._pools["lines"] = [Span(number, number) for number in numbers if number not in imports]
        return [span.start for span in self._pools["lines"]]

    def _imports(self) -> Iterator[Span]:
        """From behind the first word, or behind a later one, to the end of the statement, if that is one line."""
        for statement in self._source.syntax.import_statements:
            text = self._text[statement.start : statement.end].rstrip().removesuffix(";")
            words = [match.end() for match in _WORD.finditer(text)][:-1]
            if words and "\n" not in text:
                start = statement.start + self._choice.choice(words[:2])
                yield Span(start + (self._text[start] == " "), statement.start + len(text))

    def _doc_comments(self) -> Iterator[Span]:
        """From between two words of a line to its end, or to what closes the comment."""
        for prose in self._source.syntax.prose:
            start = prose.start
            for line in self._text[prose.start : prose.end].split("\n"):
                text = _CLOSING.sub("", line)
                words = [match.start() for match in _WORD.finditer(text)]
                if len(words) >= MIN_COMMENT_WORDS:
                    yield Span(start + self._choice.choice(words[1:-2]), start + len(text))
                start += len(line) + 1

    def _position_in(self, line: int) -> int | None:
        """A position in a line behind its first token, at the start of a token or, at times, inside a word."""
        start = self._source.line_starts[line]
        end = self._source.line_end(start)
        tokens = list(_TOKEN.finditer(self._text, start, end))
        if len(tokens) < 2 or self._is_prose(tokens[0].start()):
            return None
        positions = self._cursors(tokens)
        kind = self._choice.choices(list(positions), [CURSORS[kind] for kind in positions])[0]
        position = self._choice.choice(positions[kind])
        return None if self._is_prose(position) else position

    def _cursors(self, tokens: list[re.Match[str]]) -> dict[str, list[int]]:
        """Positions behind the first of these tokens, by what stands before them."""
        found: dict[str, list[int]] = {}
        for before, token in pairwise(tokens):
            kind = before[0][-1] if before.end() == token.start() else " "
            if before[0][-1] in "=:":
                kind = before[0][-1]
            elif kind in "([{":
                kind = "("
            found.setdefault(kind if kind in CURSORS else " ", []).append(token.start())
            if token.end() - token.start() > 2 and token[0][0].isidentifier():
                found.setdefault("in a word", []).append(self._choice.randrange(token.start() + 1, token.end()))
        return found

    def _to_construct_end(self, start: int) -> Span | None:
        rest = self._text[start : start + 2 * MAX_MIDDLE_CHARACTERS]
        prefix = self._text[max(0, start - 2_000) : start]
        kept = cut(rest, language=self._source.language.name, prefix=prefix, suffix="")
        return Span(start, start + len(kept)) if kept and kept.count("\n") < MAX_REST_LINES else None

    def _whole_line_statement(self, statement: Span) -> Span | None:
        """A statement that starts its line and, but for `;` and a comment, ends one; None for any other."""
        if statement.end <= statement.start or self._is_prose(statement.start):
            return None
        if self._text[self._source.line_start(statement.start) : statement.start].strip():
            return None
        end = self._stripped(statement.start, statement.end).end
        tail = self._text[end : self._source.line_end(end)].rstrip()
        return Span(statement.start, end + len(tail)) if _COMMENT.fullmatch(tail) else None

    def _is_prose(self, position: int) -> bool:
        return self._prose_end(position) > position

    def _prose_end(self, position: int) -> int:
        """Where the comment or documentation around a character ends; the character itself if it is code."""
        number = bisect_right(self._prose_starts, position) - 1
        return max(position, self._source.syntax.prose[number].end) if number >= 0 else position

    def _stripped(self, start: int, end: int) -> Span:
        text = self._text[start:end]
        return Span(start + len(text) - len(text.lstrip()), start + len(text.rstrip()))
