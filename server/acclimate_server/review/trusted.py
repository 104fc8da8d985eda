"""A reviewer for each of the repository's own linters that run code, where the user trusts them.

Such a linter can't be asked about old commits, whose environment is gone, so that nobody knows which of its rules this
repository acts upon. But what it complains about in lines that stood there before is lived with: of a rule that does so
nothing is said in that file.
"""

import asyncio
import hashlib
import os
import signal
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from acclimate_indexer.errors import ReviewError
from acclimate_indexer.review import finding
from acclimate_indexer.review.finding import Finding
from acclimate_indexer.review.rules import TeamRules
from acclimate_indexer.review.target import ReviewTarget
from acclimate_training.engine_address import VARIABLES

from ..pipeline_process import child_environment
from .own_linters import OWN_LINTERS, Complaint, OwnLinter

REASON_CHARACTERS = 300  # of what it printed when it failed
DIGEST_CHARACTERS = 16


class TrustedLinter:
    """One linter of one work tree, in a process of its own for each text."""

    def __init__(
        self, linter: OwnLinter, root: Path, executable: Path, rules: TeamRules, turn: asyncio.Semaphore, *, stamp: str
    ) -> None:
        """Takes what lets few run at a time, and what tells another version or configuration."""
        self.name: finding.Reviewer = "linter"
        self.looks_again = True
        self.identity = f"{linter.name}/{stamp}"
        self._linter = linter
        self._root = root
        self._executable = executable
        self._rules = rules
        self._turn = turn

    async def review(self, target: ReviewTarget) -> list[Finding]:
        """What it says of new lines alone.

        Raises:
            ReviewError: It failed.
        """
        if target.language.name not in self._linter.languages or not target.changed:
            return []
        async with self._turn:
            printed, errors = await self._printed(target)
        return await asyncio.to_thread(self._said, target, printed, errors)

    def _said(self, target: ReviewTarget, printed: str, errors: str) -> list[Finding]:
        try:
            complaints = list(self._linter.read(printed, target.text))
        except (ValueError, KeyError, TypeError, IndexError) as error:
            said = (errors.strip() or printed.strip())[-REASON_CHARACTERS:] or "It printed nothing."
            raise ReviewError(f"{self._linter.name} of this repository failed: {said}") from error
        return list(self._rules.worded(self._findings(target, complaints)))

    def _findings(self, target: ReviewTarget, complaints: list[Complaint]) -> Iterator[Finding]:
        lived_with = {each.rule for each in complaints if not target.is_changed(each.line)}
        for each in complaints:
            if each.rule and each.rule not in lived_with:
                message = " ".join(each.message.split()).rstrip(".")
                yield Finding(
                    path=target.path,
                    span=each.span,
                    severity=each.severity,
                    reviewer=self.name,
                    code=f"{self._linter.name}:{each.rule}",
                    subject=each.rule,
                    message=f"{message}. {self._linter.name} says so, as this repository has set it.",
                    fix=each.fix,
                )

    async def _printed(self, target: ReviewTarget) -> tuple[str, str]:
        """What it prints, and what it prints as errors. It is gone with all that it started when this ends."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._linter.command(self._executable, target.path),
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                cwd=self._root,
                env=_environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise ReviewError(f"{str(self._executable)!r} can't be started: {error}.") from error
        try:
            printed, errors = await process.communicate(target.text.encode(errors="replace"))
        finally:
            with suppress(ProcessLookupError, PermissionError):  # the group is gone with its last member
                os.killpg(process.pid, signal.SIGKILL)
        return printed.decode(errors="replace"), errors.decode(errors="replace")


def trusted_linters(root: Path, rules: TeamRules, turn: asyncio.Semaphore) -> Iterator[TrustedLinter]:
    """Those that a work tree is set up for and has installed."""
    for linter in OWN_LINTERS:
        configuration, executable = linter.configuration(root), linter.executable(root)
        if configuration is not None and executable is not None:
            stamp = _stamp(configuration, executable)
            yield TrustedLinter(linter, root, executable, rules, turn, stamp=stamp)


def trusted_words(root: Path) -> tuple[list[str], list[str]]:
    """For people: which are asked, and which are set up but not there."""
    asked, missing = [], []
    for linter in OWN_LINTERS:
        configuration = linter.configuration(root)
        if configuration is not None and linter.executable(root) is not None:
            asked.append(f"{linter.name} by {configuration.name}")
        elif configuration is not None:
            missing.append(f"no {linter.name}: {' or '.join(linter.commands)} is missing")
    return asked, missing


def _environment() -> dict[str, str]:
    """Without the engine's key: what runs here is the repository's program."""
    return {name: value for name, value in child_environment().items() if name not in VARIABLES}


def _stamp(*files: Path) -> str:
    times = [file.stat().st_mtime_ns for file in files if file.exists()]
    return hashlib.sha256(repr(times).encode()).hexdigest()[:DIGEST_CHARACTERS]
