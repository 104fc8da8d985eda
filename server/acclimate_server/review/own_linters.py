"""The repository's own linters that run code: their configuration is a program, or loads one.

They are known by name: how a work tree says that it uses one, where it has it, and what it prints.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acclimate_indexer.pairs import Severity
from acclimate_indexer.review.finding import Edit
from acclimate_indexer.review.line_map import LineStarts
from acclimate_indexer.syntax import Span

MAX_CONFIGURATION_BYTES = 1024 * 1024  # of a file in which a table may stand
LAST_OF_ONE_UNIT = "\uffff"  # of UTF-16
SCRIPTS = frozenset(("javascript", "javascriptreact", "typescript", "typescriptreact"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What a linter says.

    Attributes:
        rule: Empty where the text does not parse.
        line: Counted from 0.
        span: In characters of the text.
        fix: What the linter would do itself.
    """

    rule: str
    message: str
    severity: Severity
    line: int
    span: Span
    fix: tuple[Edit, ...] = ()


Read = Callable[[str, str], Iterator[Complaint]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLinter:
    """A linter that a repository may use.

    Attributes:
        languages: By their LSP names.
        configured_by: Files in the root of a work tree, and what has to stand in them: one says that it is used.
        commands: Where a work tree may have it, from its root.
        arguments: `{path}` is the file's; the text comes through standard input.
        read: Takes what it prints, and the text; raises ValueError, KeyError, TypeError or IndexError for anything
            else, which is how it says that it failed.
    """

    name: str
    languages: frozenset[str]
    configured_by: tuple[tuple[str, str], ...]
    commands: tuple[str, ...]
    arguments: tuple[str, ...]
    read: Read

    def configuration(self, root: Path) -> Path | None:
        """The file that says that it is used, if there is one."""
        return next((root / name for name, text in self.configured_by if _says(root / name, text)), None)

    def executable(self, root: Path) -> Path | None:
        """The work tree's own: another version may not know its configuration."""
        found = (root / command for command in self.commands)
        return next((each for each in found if each.is_file() and os.access(each, os.X_OK)), None)

    def command(self, executable: Path, path: str) -> list[str]:
        """What runs it; a name that begins with a dash is still a file's."""
        return [str(executable), *(each.format(path=f"./{path}") for each in self.arguments)]


def _says(file: Path, text: str) -> bool:
    try:
        with file.open("rb") as opened:
            return text.encode() in opened.read(MAX_CONFIGURATION_BYTES)
    except OSError:
        return False


def _pylint(printed: str, text: str) -> Iterator[Complaint]:
    """Lines from 1, columns from 0, in bytes of UTF-8."""
    places = _Places(text)
    for record in json.loads(printed):
        first = max(0, record["line"] - 1)
        last = (record["endLine"] or first + 1) - 1
        start = places.of_bytes(first, record["column"])
        end = places.of_bytes(last, record["endColumn"]) if record["endColumn"] is not None else places.end_of(first)
        is_fault = record["type"] in ("error", "fatal")
        yield Complaint(
            rule="" if record["symbol"] == "syntax-error" else record["symbol"],
            message=record["message"],
            severity="warning" if is_fault else "suggestion",
            line=first,
            span=Span(start, max(start, end)),
        )


def _eslint(printed: str, text: str) -> Iterator[Complaint]:
    """Lines and columns from 1, in units of UTF-16; fixes by units from the text's start."""
    places = _Places(text)
    for record in (
        each for file in json.loads(printed) for each in file["messages"]
    ):  # of an ignored file there is none
        first = max(0, record["line"] - 1)
        last = record.get("endLine", first + 1) - 1
        start = places.of_units(first, record["column"] - 1)
        end = places.of_units(last, record["endColumn"] - 1) if "endColumn" in record else places.end_of(first)
        fix: dict[str, Any] = record.get("fix") or {}
        yield Complaint(
            rule=record["ruleId"] or "",
            message=record["message"],
            severity="warning" if record["severity"] > 1 else "suggestion",
            line=first,
            span=Span(start, max(start, end)),
            fix=(Edit(span=Span(*map(places.at_unit, fix["range"])), text=fix["text"]),) if fix else (),
        )


class _Places:
    """Turns other units into characters of a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = text.split("\n")
        self._starts = LineStarts(self._lines)
        self._has_pairs = max(text, default="") > LAST_OF_ONE_UNIT

    def of_bytes(self, line: int, column: int) -> int:
        return self._starts[line] + len(self._lines[line].encode()[:column].decode(errors="ignore"))

    def of_units(self, line: int, column: int) -> int:
        return self._starts[line] + self._characters(self._lines[line], column)

    def at_unit(self, unit: int) -> int:
        return self._characters(self._text, unit)

    def end_of(self, line: int) -> int:
        return self._starts[line] + len(self._lines[line])

    def _characters(self, text: str, units: int) -> int:
        """How many characters so many units of UTF-16 are."""
        if not self._has_pairs:
            return units
        return len(text.encode("utf-16-le", errors="surrogatepass")[: 2 * units].decode("utf-16-le", errors="ignore"))


OWN_LINTERS = (
    OwnLinter(
        name="eslint",
        languages=SCRIPTS,
        configured_by=tuple((f"eslint.config.{end}", "") for end in ("js", "mjs", "cjs", "ts", "mts", "cts")),
        commands=("node_modules/.bin/eslint",),
        arguments=("--format", "json", "--no-warn-ignored", "--stdin", "--stdin-filename", "{path}"),
        read=_eslint,
    ),
    OwnLinter(
        name="pylint",
        languages=frozenset(("python",)),
        configured_by=(
            *((name, "") for name in (".pylintrc", "pylintrc", ".pylintrc.toml", "pylintrc.toml")),
            ("pyproject.toml", "[tool.pylint"),
            ("setup.cfg", "[pylint"),
            ("tox.ini", "[pylint"),
        ),
        commands=(".venv/bin/pylint", "venv/bin/pylint"),
        arguments=("--output-format=json", "--score=n", "--from-stdin", "{path}"),
        read=_pylint,
    ),
)
