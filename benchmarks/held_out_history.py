"""Commits of a main line as they are reviewed on save, with what was known before the first of them.

A line that a commit put in is faulty if a later commit that corrects something changes it. That is what history can
tell: a fault that nobody found counts as clean, most of all in the newest commits, and so does a line for which the
correction stands elsewhere.
"""

import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, NamedTuple

from benchmarks.convention_replay import Replay, working_days
from benchmarks.flagged import Flagged, Followed
from benchmarks.line_scores import Place, Remark

from acclimate_indexer.linting import LANGUAGE, Lint, lints
from acclimate_indexer.mining.conventions.record import Conventions, LintedRule
from acclimate_indexer.mining.reviews.corrections import corrections
from acclimate_indexer.mining.reviews.reading import is_test
from acclimate_indexer.mining.state import CommitState
from acclimate_indexer.repository import Commit, Repository
from acclimate_indexer.review.conventions import convention_findings
from acclimate_indexer.review.finding import Finding
from acclimate_indexer.review.lasting import still_holds
from acclimate_indexer.review.linter import linter_findings
from acclimate_indexer.review.target import ReviewTarget

RUFF_DEFAULT = ("E4", "E7", "E9", "F")  # what it checks where nothing is configured
TOO_LONG, LINE_LENGTH = "E501", 88  # characters, likewise
RUFF_FILES: dict[str, tuple[str, ...]] = {"ruff.toml": (), ".ruff.toml": (), "pyproject.toml": ("tool", "ruff")}


class OwnRules(NamedTuple):
    """Which of ruff's rules a repository asks for."""

    chosen: tuple[str, ...]
    ignored: tuple[str, ...]
    line_length: int

    def speaks_of(self, lint: Lint, text: str) -> bool:
        """Whether the repository would hear that; what it ignores in some files only is heard."""
        if lint.rule == TOO_LONG:
            start = text.rfind("\n", 0, lint.span.start) + 1
            return lint.span.end - start > self.line_length
        return not lint.rule.startswith(self.ignored)


@dataclass(frozen=True, kw_only=True)
class ChangedFile:
    """A file that a commit changed, as it was reviewed.

    Attributes:
        churn: How many commits had changed the file before.
        faulty: Lines that were corrected later, counted from 0.
    """

    target: ReviewTarget
    commit: str
    churn: int
    is_late: bool
    faulty: set[int] = field(default_factory=set)

    @cached_property
    def lines(self) -> frozenset[int]:
        """The changed lines that say something to the machine or to people."""
        text = self.target.text.split("\n")
        changed = (line for lines in self.target.changed for line in lines)
        return frozenset(line for line in changed if line < len(text) and any(map(str.isalnum, text[line])))

    @property
    def place(self) -> Place:
        return Place(
            path=self.target.path,
            commit=self.commit,
            lines=self.lines,
            faulty=frozenset(self.faulty),
            is_late=self.is_late,
        )


@dataclass(frozen=True, kw_only=True)
class HeldOutHistory:
    """The commits after one, and what was known there.

    Attributes:
        state: Of the commit before the first.
        corrections: How many commits correct something.
    """

    repository: Repository
    state: CommitState
    conventions: Conventions
    linted: tuple[LintedRule, ...]
    commits: Sequence[Commit]
    files: Sequence[ChangedFile]
    corrections: int
    own_rules: OwnRules

    @classmethod
    def after(cls, replay: Replay, start: str) -> "HeldOutHistory":
        """The commits of the main line after `start`, all of them."""
        state, conventions = replay.mined(start)
        at = next(number for number, commit in enumerate(replay.line) if commit.sha == start) + 1
        commits = replay.line[at:]
        newest_first = [replay.later[commit.sha] for commit in reversed(commits) if commit.sha in replay.later]
        correcting = {found.commit.sha for found in corrections(newest_first, Counter())}
        return cls(
            repository=replay.repository,
            state=state,
            conventions=conventions,
            linted=replay.linted(state),
            commits=commits,
            files=list(_changed_files(replay, state, at, correcting)),
            corrections=len(correcting),
            own_rules=_own_rules(replay, start),
        )

    @property
    def working_days(self) -> int:
        return working_days(self.commits[0].time.date(), self.commits[-1].time.date())

    @property
    def reviewable(self) -> list[ChangedFile]:
        """Tests and examples aside, on which no correction was looked for and no model is asked."""
        return [file for file in self.files if not is_test(file.target.path)]

    def mined_findings(self, file: ChangedFile) -> list[Finding]:
        """What conventions and linter say, as on save."""
        return [
            *convention_findings(
                file.target, self.conventions, still_holds=partial(still_holds, self.repository, commit=file.commit)
            ),
            *linter_findings(file.target, self.linted),
        ]

    def own_linter(self) -> dict[int, list[Remark]]:
        """What ruff says with the rules that the repository chose, by the number of the reviewable file."""
        files = {
            str(number): (file.target.path, file.target.text)
            for number, file in enumerate(self.reviewable)
            if file.target.language.name == LANGUAGE
        }
        found: dict[int, list[Remark]] = {}
        for name, lint in lints(files, rules=self.own_rules.chosen):
            target = self.reviewable[int(name)].target
            if target.is_changed(lint.line) and self.own_rules.speaks_of(lint, target.text):
                found.setdefault(int(name), []).append(Remark(first=lint.line, last=lint.line))
        return found


def remark_of(finding: Finding, target: ReviewTarget) -> Remark:
    source = target.source
    first, last = source.line_of(finding.span.start), source.line_of(max(finding.span.start, finding.span.end - 1))
    return Remark(first=first, last=last)


def _own_rules(replay: Replay, commit: str) -> OwnRules:
    """What is selected and what is ignored, read as data."""
    for name, keys in RUFF_FILES.items():
        blob = replay.repository.blob_of(commit, name)
        table: Any = {}
        with suppress(tomllib.TOMLDecodeError):
            table = tomllib.loads((replay.texts.of(blob) if blob else None) or "")
        for key in keys:
            table = table.get(key, {})
        lint = {**table, **table.get("lint", {})}
        if lint:
            chosen = (*lint.get("select", RUFF_DEFAULT), *lint.get("extend-select", ()))
            return OwnRules(chosen, tuple(lint.get("ignore", ())), int(table.get("line-length", LINE_LENGTH)))
    return OwnRules(RUFF_DEFAULT, (), LINE_LENGTH)


def _changed_files(replay: Replay, state: CommitState, at: int, correcting: set[str]) -> Iterator[ChangedFile]:
    """Each file of each commit, with the lines that a later commit of `correcting` changed."""
    following = Followed(replay.texts.of)
    churn: Counter[str] = Counter()
    followed: list[tuple[ChangedFile, list[Flagged]]] = []
    middle = at + (len(replay.line) - at) // 2
    for number, commit in enumerate(replay.line):
        if commit.sha not in replay.later:
            continue
        details, changes = replay.later[commit.sha]
        if number >= at:
            following.take(details, changes)
            for target in replay.targets(state, changes):
                file = ChangedFile(target=target, commit=commit.sha, churn=churn[target.path], is_late=number >= middle)
                places = _places(replay.repository.name, commit, file)
                followed.append((file, places))
                following.add(places)
        churn.update(change.path for change in changes)
    for file, places in followed:
        lines = sorted(file.lines)
        file.faulty.update(line for line, place in zip(lines, places, strict=True) if place.later in correcting)
        yield file


def _places(repository: str, commit: Commit, file: ChangedFile) -> list[Flagged]:
    text = file.target.text.split("\n")
    return [
        Flagged(
            repository=repository,
            commit=commit.sha,
            day=commit.time.date().isoformat(),
            path=file.target.path,
            line=line,
            text=text[line],
            code="",
            subject="",
            wanted="",
        )
        for line in sorted(file.lines)
    ]
