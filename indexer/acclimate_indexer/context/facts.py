"""What retrieval knows about a file: its definitions, what it imports and calls, and windows of its lines.

Lines with secrets or mail addresses are in no window and no signature.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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

_WORD = re.compile(r"[^\W\d]\w*")
_HEADING = re.compile(r"^(?:#{1,6}\s|=+\s*$|-+\s*$|==+ )")


@dataclass(frozen=True, slots=True)
class Definition:
    """A symbol as another file sees it. Lines count from 0."""

    name: str
    kind: str
    line: int
    signature: str


@dataclass(frozen=True, slots=True)
class Window:
    """The lines from `first` up to and without `last`, counted from 0, and how often each term stands in them."""

    first: int
    last: int
    terms: dict[str, int]


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

    def to_bytes(self) -> bytes:
        """Compact, and the same for the same facts."""
        names: dict[str, int] = {}
        windows = [
            [window.first, window.last, [[names.setdefault(term, len(names)), n] for term, n in window.terms.items()]]
            for window in self.windows
        ]
        definitions = [[each.name, each.kind, each.line, each.signature] for each in self.definitions]
        record = [definitions, self.imported, self.called, windows, list(names)]
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", errors="replace")

    @classmethod
    def from_bytes(cls, data: bytes) -> "FileFacts":
        """Reads what `to_bytes` wrote.

        Raises:
            ValueError: The data is damaged.
        """
        definitions, imported, called, windows, names = json.loads(data)
        return cls(
            definitions=tuple(Definition(*each) for each in definitions),
            imported=tuple(imported),
            called=tuple(called),
            windows=tuple(Window(first, last, {names[at]: n for at, n in counts}) for first, last, counts in windows),
        )


def facts_of(source: Source) -> FileFacts:
    """The facts of a file of code."""
    syntax, hidden = source.syntax, _hidden_lines(source.text, source.hidden)
    starts = {source.line_of(symbol.span.start) for symbol in syntax.symbols}
    imported = " ".join(source.text[span.start : span.end] for span in syntax.import_statements)
    secret = {word for span in source.hidden for word in _WORD.findall(source.text[span.start : span.end])}
    return FileFacts(
        definitions=tuple(_definitions(source, hidden)),
        imported=tuple(word for word in dict.fromkeys(_WORD.findall(imported)) if word not in secret),
        called=tuple(name for name in syntax.calls if name not in secret),
        windows=tuple(_windows(source.text, starts, hidden)),
    )


def prose_facts(text: str) -> FileFacts:
    """The facts of a README, of documentation, of a decision record: its windows, cut at headings."""
    hidden = _hidden_lines(text, [*secret_spans(text), *personal_spans(text)])
    headings = {number for number, line in enumerate(text.split("\n")) if _HEADING.match(line)}
    return FileFacts(windows=tuple(_windows(text, headings, hidden)))


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


def _windows(text: str, starts: set[int], hidden: frozenset[int]) -> Iterator[Window]:
    """Neighbouring lines, cut where something begins or, at the latest, after `WINDOW_LINES`."""
    lines = text.split("\n")
    first = number = made = 0
    while first < len(lines) and made < MAX_WINDOWS:
        number = first
        while number < len(lines) and number - first < WINDOW_LINES and number not in hidden:
            is_begin = number in starts or not lines[number].strip()
            if is_begin and number - first >= MIN_WINDOW_LINES:
                break
            number += 1
        counts = Counter(terms("\n".join(lines[first:number])))
        if len(counts) >= MIN_WINDOW_TERMS:
            yield Window(first, number, dict(counts))
            made += 1
        first = number + 1 if number in hidden or number == first else number
