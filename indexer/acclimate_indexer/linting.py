"""What ruff says about Python files. Its configuration is ours alone: a repository's own is never read.

ruff reads and prints; it runs no code of what it looks at. The files lie in a folder of their own, under names that
say nothing but what the rules need to know: whether it is an interface, a package's start or a test.
"""

import json
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from ruff import find_ruff_bin

from acclimate_indexer.review.finding import Edit
from acclimate_indexer.syntax import Span

# All that is more than layout, wording of documentation or annotations: these a formatter or a type checker sees to.
RULES = (
    *("A", "ARG", "ASYNC", "B", "BLE", "C4", "DTZ", "E7", "E9", "ERA", "F", "FLY", "FURB", "G", "ICN", "ISC", "LOG"),
    *("N", "PERF", "PGH", "PIE", "PLC", "PLE", "PLR", "PLW", "PT", "PTH", "RET", "RSE", "RUF", "S", "SIM", "SLOT"),
    *("T10", "T20", "TC", "TID", "TRY", "UP", "W605", "YTT"),
)
LANGUAGE = "python"
TIMEOUT_SECONDS = 120.0  # for thousands of files; ruff reads some 7 MB a second with all these rules

_RULE = re.compile(r"[A-Z]+\d+")  # a file that does not parse has findings under other names


@dataclass(frozen=True, slots=True, kw_only=True)
class Lint:
    """A place that ruff complains about.

    Attributes:
        line: Counted from 0.
        fix: What ruff would do, where it is sure that this changes nothing else.
    """

    rule: str
    message: str
    line: int
    span: Span
    fix: tuple[Edit, ...] = ()


def linter_version() -> str:
    """What decides findings beside the text."""
    return version("ruff")


def lints(files: Mapping[str, tuple[str, str]], *, rules: Sequence[str] = RULES) -> Iterator[tuple[str, Lint]]:
    """What there is to say about each file, by the name that the caller gave it.

    Args:
        files: Path and text, its lines ended by "\\n"; a text with other line breaks is passed over.
    """
    with tempfile.TemporaryDirectory(prefix="acclimate-lint-") as folder:
        written: dict[str, tuple[str, list[int]]] = {}
        for number, (name, (path, text)) in enumerate(files.items()):
            if "\r" in text or "\0" in text:
                continue
            place = Path(folder, f"{number}")
            place.mkdir()
            file = place / _telling_name(path)
            mark = "\ufeff" if text.startswith("\ufeff") else ""  # ruff counts no columns for it
            file.write_text(text.removeprefix(mark), encoding="utf-8", errors="replace")
            written[str(file)] = name, [each + len(mark) for each in _line_starts(text.removeprefix(mark))]
        if written:
            yield from _run(Path(folder), rules, written)


def _run(
    folder: Path, rules: Sequence[str], written: Mapping[str, tuple[str, list[int]]]
) -> Iterator[tuple[str, Lint]]:
    """Runs ruff over the folder, and reads what it prints as it comes."""
    command = [find_ruff_bin(), "check", "--isolated", "--no-cache", "--no-respect-gitignore", "--exit-zero", "--quiet"]
    command += ["--output-format", "json-lines", "--select", ",".join(rules), str(folder)]
    nothing = subprocess.DEVNULL
    with subprocess.Popen(
        command, cwd=folder, env={}, stdin=nothing, stdout=subprocess.PIPE, stderr=nothing
    ) as process:
        assert process.stdout is not None
        limit = threading.Timer(TIMEOUT_SECONDS, process.kill)
        limit.start()
        try:
            for line in process.stdout:
                with suppress(ValueError, KeyError, TypeError, IndexError):  # another shape says nothing to us
                    record = json.loads(line)
                    name, starts = written[record["filename"]]
                    if _RULE.fullmatch(record["code"]):
                        yield name, _lint(record, starts)
        finally:
            limit.cancel()
            process.kill()


def _lint(record: dict[str, Any], starts: list[int]) -> Lint:
    fix = record.get("fix") or {}
    is_safe = fix.get("applicability") == "safe"
    edits = tuple(Edit(span=_span(each, starts), text=each["content"]) for each in fix.get("edits", ()) if is_safe)
    return Lint(
        rule=record["code"],
        message=record["message"],
        line=record["location"]["row"] - 1,
        span=_span(record, starts),
        fix=edits,
    )


def _span(record: dict[str, Any], starts: list[int]) -> Span:
    begin, end = (starts[record[key]["row"] - 1] + record[key]["column"] - 1 for key in ("location", "end_location"))
    return Span(begin, end)


def _line_starts(text: str) -> list[int]:
    """Where each line begins, and where the text ends: an edit may end at the beginning of the line after the last."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts


def _telling_name(path: str) -> str:
    """A name under which the same rules apply, and which no path can be told from."""
    name = PurePosixPath(path).name
    if name in ("__init__.py", "__main__.py", "conftest.py"):
        return name
    start = "test_" if name.startswith("test_") else "a"
    return f"{start}file{'.pyi' if name.endswith('.pyi') else '.py'}"
