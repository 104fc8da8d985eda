"""What a single file says about conventions: how often it uses which names, what it imports, decorates, logs."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from acclimate_indexer.mining.source import Source
from acclimate_indexer.syntax import Symbol

from .dictated import has_bases, is_dictated

MAX_NAMES = 5_000  # of a file; more are data
MAX_DECORATOR_CHARACTERS = 120
MAX_ERRORS = 100  # kinds of a file

NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_DECORATOR = re.compile(r"^[ \t]*@([^\W\d][\w.]*(?:\([^()\n]*\))?)[ \t]*$", re.MULTILINE)
_RAISED = re.compile(r"\b(?:raise|throw(?: new)?) ([^\W\d][\w.]*[^\W_]Error|[^\W\d][\w.]*Exception|[A-Z][\w.]*)\b")
_QUOTED = re.compile(r"""["'<]([^"'<>\n]+)["'>]""")
_MODULE = re.compile(
    r"\s*(?:from\s+([\w.]+)\s+import\b|import\s+(?:static\s+)?([\w.]+)|use\s+([\w:]+)|using\s+([\w.]+))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConventionFacts:
    """One file, for the conventions.

    Attributes:
        language: The file's.
        names: How often each name, with its dots, stands in the code, comments and documentation left out.
        modules: What is imported.
        functions: The names of its functions that its author chose; `classes` those of its classes.
        decorators: How often each decorator stands, with its arguments.
        errors: How often each error is raised or thrown.
    """

    language: str
    names: dict[str, int]
    modules: tuple[str, ...]
    functions: tuple[str, ...]
    classes: tuple[str, ...]
    decorators: dict[str, int]
    errors: dict[str, int]

    def to_bytes(self) -> bytes:
        record = [self.language, self.names, self.modules, self.functions, self.classes, self.decorators, self.errors]
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", errors="replace")

    @classmethod
    def from_bytes(cls, data: bytes) -> "ConventionFacts":
        """Reads what `to_bytes` wrote.

        Raises:
            ValueError: The data is damaged.
        """
        language, names, modules, functions, classes, decorators, errors = json.loads(data)
        return cls(
            language=language,
            names=names,
            modules=tuple(modules),
            functions=tuple(functions),
            classes=tuple(classes),
            decorators=decorators,
            errors=errors,
        )


def convention_facts(source: Source) -> ConventionFacts:
    """The facts of a file. Lines with secrets are left out with the comments."""
    code = _code(source)
    decorators = Counter(match[1] for match in _DECORATOR.finditer(code) if len(match[1]) <= MAX_DECORATOR_CHARACTERS)
    statements = (source.text[span.start : span.end] for span in source.syntax.import_statements)
    modules = (module for statement in statements for module in imported_modules(statement))
    symbols = source.syntax.symbols
    return ConventionFacts(
        language=source.language.name,
        names=dict(Counter(NAME.findall(code)).most_common(MAX_NAMES)),
        modules=tuple(dict.fromkeys(modules)),
        functions=tuple(_freely_named(source, symbols)),
        classes=tuple(symbol.name for symbol in symbols if symbol.kind == "class"),
        decorators=dict(decorators),
        errors=dict(Counter(_RAISED.findall(code)).most_common(MAX_ERRORS)),
    )


def _freely_named(source: Source, symbols: Iterable[Symbol]) -> Iterator[str]:
    """Functions, less those of Python's classes with bases, which may override, and what Python's library named."""
    around: list[tuple[int, bool]] = []  # up to which character a definition goes, and whether it is a class with bases
    for symbol in sorted(symbols, key=lambda each: each.span):
        while around and around[-1][0] <= symbol.span.start:
            around.pop()
        head = source.text[symbol.signature.start : symbol.signature.end]
        may_dictate = symbol.kind == "class" and source.language.lexer == "python" and has_bases(head)
        is_chosen = not (around and around[-1][1]) and not is_dictated(symbol.name, source.language.lexer)
        if symbol.kind == "function" and is_chosen:
            yield symbol.name
        if symbol.kind in ("class", "function"):
            around.append((symbol.span.end, may_dictate))


def imported_modules(statement: str) -> list[str]:
    """What a statement imports: all that it quotes, or else the name behind its first word."""
    if quoted := _QUOTED.findall(statement):
        return quoted
    match = _MODULE.match(statement)
    return [next(filter(None, match.groups()))] if match else []


def _code(source: Source) -> str:
    """The text without comments, documentation and lines with secrets."""
    pieces = []
    at = 0
    for start, end in sorted((*source.syntax.prose, *source.hidden)):
        if start > at:
            pieces.append(source.text[at:start])
        at = max(at, end)
    pieces.append(source.text[at:])
    return "\n".join(pieces)
