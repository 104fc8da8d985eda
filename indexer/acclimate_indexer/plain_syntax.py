"""The syntax of a language that has no grammar here: its lines, its indentation and its brackets.

A statement is a line with the deeper lines below it; a block is what is equally deep below one less deep line. What
stands in brackets after a name is a list of arguments, and what stands after `=` or `:=` is a value.
"""

import re
from collections.abc import Iterator

from .syntax import Span, Symbol, Syntax

TAB_COLUMNS = 4  # only compared within one file
MAX_LINES = 50_000  # of a file that is looked at; larger ones are data
# What begins a comment in the languages there are, best guess first.
COMMENT_MARKS = ("//", "#", "--", ";", "%", "'", "!", "*", "REM ")

_CALL = re.compile(r"\b([^\W\d]\w*)\s?\(([^()\n]{1,200})\)")
_VALUE = re.compile(r"(?<![=<>!:+\-*/])(?::=|=)\s*([^\s=;,][^;\n]{2,200}?)[ \t]*;?$", re.MULTILINE)
_NAME = re.compile(r"[^\W\d][\w.-]*")
_IMPORT = re.compile(
    r"^[ \t]*(?:import|include|use|uses|using|require|load|copy|#include)\b[^\n]*", re.I | re.MULTILINE
)


def plain_syntax(text: str) -> Syntax:
    """What can be told without a grammar."""
    lines = _lines(text)
    marks = _comment_marks(text)
    prose = tuple(Span(start, end) for start, end, _ in lines if text.startswith(marks, start)) if marks else ()
    comments = {span.start for span in prose}
    code = [line for line in lines if line[0] not in comments]
    statements = _statements(code)
    imports = tuple(Span(match.start() + _indent(match[0]), match.end()) for match in _IMPORT.finditer(text))
    calls = list(_CALL.finditer(text))
    return Syntax(
        blocks=_blocks(code, statements),
        bodies=tuple(sorted(_bodies(code, statements))),
        arguments=tuple(Span(call.start(2) - 1, call.end(2) + 1) for call in calls),
        expressions=tuple(Span(*value.span(1)) for value in _VALUE.finditer(text)),
        imports=frozenset(span.start for span in imports),
        prose=prose,
        symbols=tuple(_symbols(text, code, statements)),
        import_statements=imports,
        calls=tuple(dict.fromkeys(call[1] for call in calls)),
    )


_Line = tuple[int, int, int]  # first character that is not white space, end without white space, columns


def _lines(text: str) -> list[_Line]:
    """The lines that are not blank."""
    found = []
    start = 0
    for number, line in enumerate(text.split("\n")):
        if number == MAX_LINES:
            break
        stripped = line.strip()
        if stripped:
            indent = _indent(line)
            columns = len(line[:indent].expandtabs(TAB_COLUMNS))
            found.append((start + indent, start + indent + len(stripped), columns))
        start += len(line) + 1
    return found


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _comment_marks(text: str) -> tuple[str, ...]:
    """The marks that lines begin with, of those that begin comments somewhere; the most frequent one."""
    counts = {mark: len(re.findall(rf"^[ \t]*{re.escape(mark)}(?=\s)", text, re.MULTILINE)) for mark in COMMENT_MARKS}
    best = max(counts, key=lambda mark: counts[mark])
    return (best,) if counts[best] else ()


def _statements(lines: list[_Line]) -> list[Span]:
    """For each line the statement that it begins: up to the last deeper line below it."""
    ends = [end for _, end, _ in lines]
    last_deeper = list(range(len(lines)))
    waiting: list[int] = []
    for number in range(len(lines) - 1, -1, -1):
        columns = lines[number][2]
        while waiting and lines[waiting[-1]][2] > columns:
            last_deeper[number] = max(last_deeper[number], last_deeper[waiting.pop()])
        waiting.append(number)
    return [Span(lines[number][0], ends[last_deeper[number]]) for number in range(len(lines))]


def _blocks(lines: list[_Line], statements: list[Span]) -> tuple[tuple[Span, ...], ...]:
    """Statements that are equally deep, with no less deep line between them."""
    done: list[list[Span]] = []
    opened: list[tuple[int, list[Span]]] = []
    for (_, _, columns), statement in zip(lines, statements, strict=True):
        while opened and opened[-1][0] > columns:
            done.append(opened.pop()[1])
        if not opened or opened[-1][0] < columns:
            opened.append((columns, []))
        opened[-1][1].append(statement)
    done += [block for _, block in opened]
    return tuple(sorted(map(tuple, done)))


def _bodies(lines: list[_Line], statements: list[Span]) -> Iterator[Span]:
    """What is deeper below a line that begins at the margin."""
    for number, ((_, end, columns), statement) in enumerate(zip(lines, statements, strict=True)):
        if columns == 0 and statement.end > end:
            yield Span(lines[number + 1][0], statement.end)


def _symbols(text: str, lines: list[_Line], statements: list[Span]) -> Iterator[Symbol]:
    """A line at the margin with deeper lines below it defines what its last name before a bracket says, or its last."""
    for number, ((start, end, columns), statement) in enumerate(zip(lines, statements, strict=True)):
        if columns or statement.end <= end:
            continue
        head = text[start:end]
        names = _NAME.findall(head.partition("(")[0]) or _NAME.findall(head)
        if names:
            body = Span(lines[number + 1][0], statement.end)
            yield Symbol(
                name=names[-1], kind="function", span=statement, signature=Span(start, end), body=body, doc=None
            )
