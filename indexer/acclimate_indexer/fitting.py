"""What of an answer may be put into a document so that what parsed still parses.

The document is parsed again with the answer in it, and the errors near it are compared with those before. Where code is
being typed there mostly is one before, too (`foo(`), and what a parser makes of damaged code may change with a word: so
only clear damage is refused.
"""

from collections.abc import Iterator
from typing import NamedTuple

from .document_tree import DocumentTree, ParsedText
from .indentation import misplaced_statements
from .lexing import OPENS, lexer, lexer_family
from .prompts import WINDOW_PREFIX_CHARACTERS

FITTING_SECONDS = 0.01  # an attempt; of an answer that takes longer nothing is known, and it is shown
NEAR_BYTES = 2_000  # around the answer, in which errors are compared; what is further away it can hardly have caused
MAX_GROWTH_BYTES = 20  # that the errors outside of the answer may grow by; a word more or less is chance


def fitting(document: DocumentTree, insertion: str, offset: int, *, replaced: int = 0) -> str:
    """What of `insertion` may stand at `offset`, for so many characters: all of it, its first lines, or nothing."""
    before = document.parsed
    if before is None:
        return insertion
    for attempt in _attempts(insertion):
        after = before.with_edit(offset, offset + replaced, attempt, seconds=FITTING_SECONDS)
        if after is None or not _Edit(before, after, offset, replaced=replaced, insertion=attempt).breaks():
            return attempt
    return ""


def _attempts(insertion: str) -> Iterator[str]:
    """All lines; all but the last, which may be half written; the first half of them."""
    yield insertion
    lines = insertion.split("\n")
    for count in sorted({len(lines) - 1, len(lines) // 2}, reverse=True):
        if kept := "\n".join(lines[:count]).rstrip():
            yield kept


class _Error(NamedTuple):
    """Bytes that fit no rule of the grammar, or the place where it misses something."""

    start: int
    end: int


class _Edit:
    """A document before and after an answer was put in. All bytes are those of the document afterwards."""

    def __init__(self, before: ParsedText, after: ParsedText, offset: int, *, replaced: int, insertion: str) -> None:
        self._before = before
        self._after = after
        self._prefix = before.text[max(0, offset - WINDOW_PREFIX_CHARACTERS) : offset]
        self._insertion = insertion
        self._start = after.byte_at(offset)
        self._end = after.byte_at(offset + len(insertion))
        self._end_before = before.byte_at(offset + replaced)

    def breaks(self) -> bool:
        """Whether the answer clearly damages the document."""
        if self._after.language.blocks == "indentation" and self._misplaces():
            return True
        known = {self._moved(error) for error in _errors(self._before, self._start, self._end_before)}
        found = _errors(self._after, self._start, self._end)
        gone = known - found
        new = {error for error in found - known if self._is_near(error) or not _is_covered(error, gone)}
        if not new:
            return False
        if not known or not self._is_balanced():
            return True
        if known - gone:
            return False  # it holds errors that have nothing to do with the answer: this is code the parser cannot read
        return len(new) > len(gone) or self._extent(new) > self._extent(gone) + MAX_GROWTH_BYTES

    def _misplaces(self) -> bool:
        after = misplaced_statements(self._after, self._start, self._end)
        return after > 0 and after > misplaced_statements(self._before, self._start, self._end_before)

    def _moved(self, error: _Error) -> _Error:
        """Where an error of the document before lies afterwards."""
        by = self._end - self._end_before
        start = error.start if error.start <= self._start else max(self._start, error.start + by)
        end = error.end if error.end < self._start else max(self._start, error.end + by)
        return _Error(start, end)

    def _is_near(self, error: _Error) -> bool:
        """Whether an error lies on the answer's lines."""
        below = self._after.data.find(b"\n", self._end)
        above = self._after.data.rfind(b"\n", 0, self._start)
        return error.end > above and (below < 0 or error.start <= below)

    def _extent(self, errors: set[_Error]) -> int:
        """The bytes of the errors, the answer's own left aside."""
        return sum(
            error.end - error.start - max(0, min(error.end, self._end) - max(error.start, self._start))
            for error in errors
        )

    def _is_balanced(self) -> bool:
        """Whether the answer closes what it opens, and of the rest only what the cursor's line opened."""
        before = self._prefix[self._prefix.rfind("\n") + 1 :]
        family = lexer_family(self._before.language.name, self._prefix, before)
        depth, lowest = 0, None
        for token in lexer(family).finditer(before + self._insertion):
            if token.lastgroup != "bracket":
                continue
            if lowest is None and token.start() >= len(before):
                lowest = depth = max(depth, 0)
            depth += 1 if token[0] in OPENS else -1
            if lowest is not None:
                lowest = min(lowest, depth)
        return lowest is None or 0 <= depth == lowest


def _errors(parsed: ParsedText, start: int, end: int) -> set[_Error]:
    """The errors near these bytes; of those in one another the outermost."""
    found: set[_Error] = set()
    reached = -1
    nodes = parsed.errors_within(max(0, start - NEAR_BYTES), end + NEAR_BYTES)
    for error in sorted(
        (_Error(node.start_byte, node.end_byte) for node in nodes), key=lambda each: (each[0], -each[1])
    ):
        if error.start >= reached:
            found.add(error)
            reached = error.end
    return found


def _is_covered(error: _Error, others: set[_Error]) -> bool:
    return any(other.start <= error.start and error.end <= other.end for other in others)
