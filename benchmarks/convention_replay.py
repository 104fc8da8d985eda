"""A repository's main line, reviewed commit by commit with the conventions that were known at the time.

Conventions are mined anew every hundred commits, as retraining would. What later commits do to the flagged lines is
followed up to the end of the history.
"""

import posixpath
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from typing import Any, Self

from benchmarks.flagged import Flagged, Followed, named_by

from acclimate_indexer.blob_store import BlobStore
from acclimate_indexer.changes import CommitDetails, FileChange, History
from acclimate_indexer.filters.generated import unwanted_text
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.languages.registry import extensions_in
from acclimate_indexer.linting import LANGUAGE
from acclimate_indexer.mining.conventions.linted import edited_lints, linted_rules
from acclimate_indexer.mining.conventions.mine import mine_conventions
from acclimate_indexer.mining.conventions.prevalence import ALTERNATIVE_MODULES
from acclimate_indexer.mining.conventions.record import Conventions, LintedRule
from acclimate_indexer.mining.memory import Memory
from acclimate_indexer.mining.options import MiningOptions
from acclimate_indexer.mining.state import CommitState, Texts
from acclimate_indexer.repository import Commit, Repository
from acclimate_indexer.review.conventions import convention_findings
from acclimate_indexer.review.finding import Finding
from acclimate_indexer.review.import_rules import MODULE_CHOICE, OWN_LIBRARY
from acclimate_indexer.review.lasting import still_holds
from acclimate_indexer.review.line_map import LineStarts
from acclimate_indexer.review.linter import RUFF, linter_findings
from acclimate_indexer.review.naming_style import NAMING_STYLE, in_style
from acclimate_indexer.review.replaced_names import REPLACED_NAME
from acclimate_indexer.review.target import ReviewTarget
from acclimate_indexer.review.usage_style import LOGGING_RECEIVER
from acclimate_server.review.merge import merged

PERIOD_COMMITS = 100  # between two minings: a month or two of a busy repository
FRIDAY = 4  # of `date.weekday`
OPTIONS = MiningOptions()


@dataclass(slots=True, kw_only=True)
class Period:
    """The commits that were reviewed with one mining's conventions.

    Attributes:
        start: The commit whose state was mined.
        commits: How many were reviewed, and `days` the working days that they took.
        lines: How many changed lines were looked at, in `files` changed files.
        standing: What would have been said of everything that stood there at the start.
    """

    start: str
    commits: int = 0
    days: int = 0
    files: int = 0
    lines: int = 0
    conventions: int = 0
    flagged: list[Flagged] = field(default_factory=list)
    standing: list[Flagged] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        places = {name: [Flagged.from_json(each) for each in record[name]] for name in ("flagged", "standing")}
        return cls(**{**record, **places})


class Replay:
    """One repository's history, read once."""

    def __init__(
        self, repository: Repository, home: RepositoryHome, *, commits: int, period_commits: int = PERIOD_COMMITS
    ) -> None:
        """Takes how many commits to review at most, the newest, and after how many to mine anew."""
        self._size = period_commits
        self.repository = repository
        self._home = home
        self._patterns = tuple(f"*{end}" for end in extensions_in(f.path for f in repository.files(repository.head())))
        self.line: list[Commit] = repository.main_line(repository.head())[::-1]
        self.texts = Texts(repository)
        self._changes: dict[str, tuple[CommitDetails, tuple[FileChange, ...]]] = {}
        most = max(0, min(commits, len(self.line) - self._size) // self._size * self._size)
        first = len(self.line) - most
        self.starts = [self.line[at - 1].sha for at in range(first, len(self.line), self._size)]

    def period(self, start: str) -> Period:
        """Reviews the commits after one, and follows what was flagged."""
        at = next(number for number, commit in enumerate(self.line) if commit.sha == start) + 1
        reviewed = self.line[at : at + self._size]
        state, conventions = self.mined(start)
        conventions = replace(conventions, linted=self.linted(state))
        found = Period(
            start=start,
            commits=len(reviewed),
            days=working_days(reviewed[0].time.date(), reviewed[-1].time.date()),
            conventions=len(conventions.replacements) + len(conventions.prevalence) + len(conventions.linted),
        )
        for target in self._standing_targets(state):
            found.standing += self._flagged(self.line[at - 1], target, conventions)
        followed = Followed(self.texts.of)
        followed.add(found.standing)
        for number, commit in enumerate(self.line[at:]):
            if commit.sha not in self.later:
                continue
            details, changes = self.later[commit.sha]
            followed.take(details, changes)
            if number < self._size:
                for target in self.targets(state, changes):
                    found.files += 1
                    found.lines += sum(map(len, target.changed))
                    flagged = list(self._flagged(details, target, conventions))
                    found.flagged += flagged
                    followed.add(flagged)
        return found

    def mined(self, commit: str) -> tuple[CommitState, Conventions]:
        """The conventions as they are known at a commit."""
        with closing(BlobStore.open(self._home.blobs)) as store:
            state = CommitState.at(
                self.repository,
                commit,
                store=store,
                options=OPTIONS,
                held_out_share=0.0,
                report=lambda _done, _of: None,
            )
        facts = ((file.path, state.analyses[file.path].conventions) for file in state.files)
        return state, mine_conventions(self._history(commit), facts)

    def linted(self, state: CommitState) -> tuple[LintedRule, ...]:
        """The linter's rules that were acted upon up to a state."""
        history = self._history(state.commit)
        with closing(BlobStore.open(self._home.blobs)) as store:
            memory = Memory(store, f"linted at {state.commit}")
            edited = edited_lints(history, self.texts.of, lambda path: not state.unwanted(path), memory.of)
            memory.keep()
        files = [(file.path, state.texts.of(file.blob) or "") for file in state.files if file.language.name == LANGUAGE]
        return linted_rules(edited, history, files)

    def _history(self, commit: str) -> History:
        return list(self.repository.history(commit, count=OPTIONS.max_history_commits, patterns=self._patterns))

    @property
    def later(self) -> dict[str, tuple[CommitDetails, tuple[FileChange, ...]]]:
        """What the commits of the main line changed, newest first; those that changed no code are not there."""
        if not self._changes:
            changed = self.repository.history(
                self.line[-1].sha, count=len(self.line), patterns=self._patterns, is_main_line=True
            )
            self._changes = {details.sha: (details, changes) for details, changes in changed}
        return self._changes

    def _standing_targets(self, state: CommitState) -> Iterator[ReviewTarget]:
        """All files of a state, as if every line were new."""
        for file in state.files:
            source = state.source(file)
            lines = range(len(source.line_starts))
            yield ReviewTarget(path=file.path, language=file.language, text=source.text, changed=(lines,))

    def targets(self, state: CommitState, changes: tuple[FileChange, ...]) -> Iterator[ReviewTarget]:
        """The changed files of a commit as they are reviewed."""
        for change in changes:
            language = state.scan.language_of(change.path)
            text = self.texts.of(change.new_blob) if change.hunks and language else None
            if language is None or text is None or state.unwanted(change.path) or unwanted_text(text):
                continue
            lines = (range(hunk.new_start, hunk.new_start + len(hunk.added)) for hunk in change.hunks if hunk.added)
            yield ReviewTarget(path=change.path, language=language, text=text, changed=tuple(lines))

    def _flagged(
        self, commit: Commit | CommitDetails, target: ReviewTarget, conventions: Conventions
    ) -> Iterator[Flagged]:
        holds = partial(still_holds, self.repository, commit=commit.sha)
        said = convention_findings(target, conventions, still_holds=holds)
        linted = linter_findings(target, conventions.linted)
        source = target.source
        for finding in merged((*said, *linted), LineStarts(target.text.split("\n"))):
            subject, wanted = change_asked_for(finding, conventions, target.text)
            yield Flagged(
                repository=self.repository.name,
                commit=commit.sha,
                day=commit.time.date().isoformat(),
                path=target.path,
                line=source.line_of(finding.span.start),
                text=target.text[source.line_start(finding.span.start) : source.line_end(finding.span.start)],
                code=finding.code,
                subject=subject,
                wanted=wanted,
            )


def change_asked_for(finding: Finding, conventions: Conventions, text: str) -> tuple[str, str]:
    """What a comment wants to be gone from the line, and what to stand there."""
    if finding.code.startswith(RUFF):
        return named_by(finding.subject, finding.span, text), ""  # what stands there is asked of the linter
    if finding.code == REPLACED_NAME:
        return finding.subject, next(each.new for each in conventions.replacements if each.old == finding.subject)
    if finding.fix:
        return finding.subject, ("@" if finding.subject.startswith("@") else "") + finding.fix[0].text
    rules = {each.role: each.rule for each in conventions.prevalence}
    if finding.code == NAMING_STYLE:
        style = next(rule for role, rule in rules.items() if f"{role} here are {rule}" in finding.message)
        return finding.subject, in_style(finding.subject, style)
    if finding.code == MODULE_CHOICE:
        purposes = (role for role, modules in ALTERNATIVE_MODULES.items() if finding.subject in modules)
        return finding.subject, next(rules[role] for role in purposes if role in rules)
    if finding.code == LOGGING_RECEIVER:
        told = (rule for role, rule in rules.items() if role.endswith(" logging"))
        return finding.subject, next(rule for rule in told if f"go to `{rule}`" in finding.message)
    if finding.code == OWN_LIBRARY:
        return finding.subject, posixpath.splitext(posixpath.basename(finding.message.split("`")[1]))[0]
    return finding.subject.rpartition(" ")[2].replace("/", "."), ""  # of a folder that is not to be imported


def working_days(first: date, last: date) -> int:
    """The days from Monday to Friday between two days, both included; at least one."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return max(1, sum(day.weekday() <= FRIDAY for day in days))
