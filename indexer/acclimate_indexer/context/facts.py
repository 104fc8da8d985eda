"""What retrieval knows about a file: its definitions, what it imports and calls, and windows of its lines.

Lines with secrets or mail addresses are in no window and no signature.
"""

import json
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from acclimate_indexer.filters.personal import personal_spans
from acclimate_indexer.filters.secrets import secret_spans
from acclimate_indexer.mining.source import Source
from acclimate_indexer.syntax import Span, Symbol

from .terms import terms

WINDOW_LINES = 20  # a function of usual length; a prompt of 512 tokens has room for two or three
MIN_WINDOW_LINES = 8  # before a window may end at a definition or a blank line
MIN_WINDOW_TERMS = 4  # fewer say nothing
MAX_SIGNATURE_CHARACTERS = 300
MAX_SYMBOLS = 2_000  # of a file
MAX_WINDOWS = 2_000
MAX_COUNT = 255  # of a term in a window; fits a byte
NUMBER = "H"  # the type of a window's number in its file

_WORD = re.compile(r"[^\W\d]\w*")
_HEADING = re.compile(r"^(?:#{1,6}\s|=+\s*$|-+\s*$|==+ )")


@dataclass(frozen=True, slots=True)
class Definition:
    """A symbol as another file sees it. Lines count from 0."""

    name: str
    kind: str
    line: int
    signature: str


class Window(NamedTuple):
    """The lines from `first` up to and without `last`, counted from 0, and how many terms stand in them."""

    first: int
    last: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Postings:
    """Where the terms of a file stand, in flat arrays: an index of many files is made of them in no time.

    Attributes:
        terms: Each once.
        sizes: In how many windows each stands.
        windows: Their numbers in the file, those of the first term first.
        counts: How often the term stands in each.
    """

    terms: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    windows: "array[int]" = field(default_factory=lambda: array(NUMBER))
    counts: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """One file, for the index.

    Attributes:
        imported: The words of its statements that import.
        called: The names that it calls.
    """

    definitions: tuple[Definition, ...] = ()
    imported: tuple[str, ...] = ()
    called: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()
    postings: Postings = field(default_factory=Postings)

    def to_bytes(self) -> bytes:
        """Compact, and the same for the same facts on machines of one byte order."""
        definitions = [[each.name, each.kind, each.line, each.signature] for each in self.definitions]
        record = [definitions, self.imported, self.called, self.windows, self.postings.terms, self.postings.sizes]
        header = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", errors="replace")
        return b"".join((header, b"\n", self.postings.windows.tobytes(), self.postings.counts))

    @classmethod
    def from_bytes(cls, data: bytes) -> "FileFacts":
        """Reads what `to_bytes` wrote.

        Raises:
            ValueError: The data is damaged.
        """
        header, _, rest = data.partition(b"\n")
        definitions, imported, called, windows, terms, sizes = json.loads(header)
        total = sum(sizes)
        numbers = array(NUMBER)
        numbers.frombytes(rest[: total * numbers.itemsize])
        counts = rest[total * numbers.itemsize :]
        if len(numbers) != total or len(counts) != total:
            raise ValueError("the windows of the terms are cut off")
        return cls(
            definitions=tuple(Definition(*each) for each in definitions),
            imported=tuple(imported),
            called=tuple(called),
            windows=tuple(Window(*each) for each in windows),
            postings=Postings(terms=tuple(terms), sizes=tuple(sizes), windows=numbers, counts=counts),
        )


def facts_of(source: Source) -> FileFacts:
    """The facts of a file of code."""
    syntax, hidden = source.syntax, _hidden_lines(source.text, source.hidden)
    starts = {source.line_of(symbol.span.start) for symbol in syntax.symbols}
    imported = " ".join(source.text[span.start : span.end] for span in syntax.import_statements)
    secret = {word for span in source.hidden for word in _WORD.findall(source.text[span.start : span.end])}
    windows, postings = _windows(source.text, starts, hidden)
    return FileFacts(
        definitions=tuple(_definitions(source, hidden)),
        imported=tuple(word for word in dict.fromkeys(_WORD.findall(imported)) if word not in secret),
        called=tuple(name for name in syntax.calls if name not in secret),
        windows=windows,
        postings=postings,
    )


def prose_facts(text: str) -> FileFacts:
    """The facts of a README, of documentation, of a decision record: its windows, cut at headings."""
    hidden = _hidden_lines(text, [*secret_spans(text), *personal_spans(text)])
    headings = {number for number, line in enumerate(text.split("\n")) if _HEADING.match(line)}
    windows, postings = _windows(text, headings, hidden)
    return FileFacts(windows=windows, postings=postings)


def _hidden_lines(text: str, spans: Iterable[Span]) -> frozenset[int]:
    return frozenset(
        number
        for span in spans
        for first in [text.count("\n", 0, span.start)]
        for number in range(first, first + text.count("\n", span.start, span.end) + 1)
    )


def _definitions(source: Source, hidden: frozenset[int]) -> Iterator[Definition]:
    for symbol in source.syntax.symbols[:MAX_SYMBOLS]:
        lines = source.lines(symbol.signature)
        if hidden.isdisjoint(lines):
            yield Definition(symbol.name, symbol.kind, lines[0], _signature(source.text, symbol))


def _signature(text: str, symbol: Symbol) -> str:
    head = text[symbol.signature.start : symbol.signature.end]
    return head[:MAX_SIGNATURE_CHARACTERS].rstrip().removesuffix("{").rstrip()


def _windows(text: str, starts: set[int], hidden: frozenset[int]) -> tuple[tuple[Window, ...], Postings]:
    """The windows of a text, and the terms in them."""
    lines = text.split("\n")
    windows: list[Window] = []
    numbers: dict[str, array[int]] = defaultdict(lambda: array(NUMBER))
    counts: dict[str, bytearray] = defaultdict(bytearray)
    for first, last in islice(_neighbours(lines, starts, hidden), MAX_WINDOWS):
        found = Counter(terms("\n".join(lines[first:last])))
        if len(found) < MIN_WINDOW_TERMS:
            continue
        for term, count in found.items():
            numbers[term].append(len(windows))
            counts[term].append(min(count, MAX_COUNT))
        windows.append(Window(first, last, found.total()))
    flat = array(NUMBER)
    for each in numbers.values():
        flat.extend(each)
    return tuple(windows), Postings(
        terms=tuple(numbers),
        sizes=tuple(map(len, numbers.values())),
        windows=flat,
        counts=b"".join(counts.values()),
    )


def _neighbours(lines: list[str], starts: set[int], hidden: frozenset[int]) -> Iterator[tuple[int, int]]:
    """Lines side by side, cut where something begins or, at the latest, after `WINDOW_LINES`."""
    first = 0
    while first < len(lines):
        number = first
        while number < len(lines) and number - first < WINDOW_LINES and number not in hidden:
            is_begin = number in starts or not lines[number].strip()
            if is_begin and number - first >= MIN_WINDOW_LINES:
                break
            number += 1
        if number > first:
            yield first, number
        first = number + 1 if number in hidden or number == first else number
