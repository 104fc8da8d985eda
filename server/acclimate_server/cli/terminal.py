"""The terminal: results on stdout, words and progress on stderr.

In a terminal progress is a bar a phase with an estimate; in a log it is a plain line every few seconds.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from acclimate_training.report.markup import visible

from ..words import duration_words

PLAIN_SECONDS = 5.0  # between two lines of progress where there is no terminal
PLAIN_WIDTH = 120  # of tables in a log
SETTLING_SECONDS = 2.0  # before that a pace means little
LEAST_BYTES = 10_000_000  # nothing but bytes is counted in tens of millions


class Terminal:
    """Where a verb says things."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        # No emoji codes: in code, ":warning:" is ":warning:".
        self._errors = Console(
            stderr=True, emoji=False, highlight=False, width=None if sys.stderr.isatty() else PLAIN_WIDTH
        )
        self._results = Console(emoji=False, highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)

    def say(self, text: str) -> None:
        """Words for a person; they may quote anybody's."""
        self._errors.print(visible(text), markup=False, soft_wrap=True)

    def show(self, result: RenderableType) -> None:
        """A result; beside `--json` it is for a person and goes to stderr."""
        console = self._errors if self.as_json else self._results
        is_words = isinstance(result, str | Text)  # other programs read them line by line
        console.print(result, markup=False, soft_wrap=is_words)

    def finish(self, record: dict[str, Any]) -> None:
        """The machine's result, with `--json`."""
        if self.as_json:
            print(json.dumps(record, default=str), flush=True)

    @contextmanager
    def progress(self) -> Iterator["Phases"]:
        """Bars for long work; `Phases.update` moves them."""
        if not self._errors.is_terminal:
            yield Phases(plain=self)
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}"),
        )
        with Progress(*columns, console=self._errors) as bars:
            yield Phases(bars=bars)


@dataclass(slots=True, kw_only=True)
class Phases:
    """One bar a phase, or lines in a log."""

    bars: Progress | None = None
    plain: Terminal | None = None
    _tasks: dict[str, TaskID] = field(default_factory=dict)
    _begun: dict[str, tuple[float, int]] = field(default_factory=dict)  # by phase: when, and at which step
    _last: tuple[str, float] = ("", 0.0)
    _last_line: str = ""

    def update(
        self, title: str, step: int = 0, of: int = 0, *, seconds_left: float | None = None, detail: str = ""
    ) -> None:
        """Sets a phase's bar; the phases before it are complete. Without an estimate, one is made from the pace."""
        if seconds_left is None:
            seconds_left = self._estimate(title, step, of)
        left = "" if seconds_left is None or step == of else f"about {duration_words(seconds_left)} left"
        words = ", ".join(word for word in (left, detail) if word)
        if self.bars is not None:
            self._move_bar(self.bars, title, step, of, words)
        elif self.plain is not None:
            self._write_line(self.plain, title, step, of, words)

    def _estimate(self, title: str, step: int, of: int) -> float | None:
        begun, first = self._begun.setdefault(title, (time.monotonic(), step))
        elapsed = time.monotonic() - begun
        if step <= first or elapsed < SETTLING_SECONDS:
            return None
        return elapsed / (step - first) * (of - step)

    def _move_bar(self, bars: Progress, title: str, step: int, of: int, words: str) -> None:
        if title not in self._tasks:
            for task in self._tasks.values():
                bars.update(task, total=1, completed=1, detail="")
                bars.stop_task(task)
            self._tasks[title] = bars.add_task(title, total=None, count="", detail="")
        bars.update(self._tasks[title], completed=step, total=of or None, count=_count(step, of, "/"), detail=words)

    def _write_line(self, terminal: Terminal, title: str, step: int, of: int, words: str) -> None:
        phase, at = self._last
        is_last = bool(of) and step == of
        if phase == title and not is_last and time.monotonic() - at < PLAIN_SECONDS:
            return
        line = f"{title}: {_count(step, of, ' of ')}".rstrip(": ") + (f" ({words})" if words else "")
        if line != self._last_line:
            self._last, self._last_line = (title, time.monotonic()), line
            terminal.say(line)


def _count(step: int, of: int, between: str) -> str:
    if not of:
        return ""
    if of >= LEAST_BYTES:
        return f"{step / 1e6:,.0f}{between}{of / 1e6:,.0f} MB"
    return f"{step:,}{between}{of:,}"
