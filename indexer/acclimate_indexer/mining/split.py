"""What is held out: whole files by a hash of their path, and the newest commits.

A file's part is decided by its path alone, so that an adapter that was trained on an earlier data set of the same
repository has not seen it either.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from acclimate_indexer.errors import DatasetError
from acclimate_indexer.patches import AddedLines
from acclimate_indexer.repository import Commit, Repository

HELD_OUT_SHARE = 0.05  # of the files, in a split by time
HELD_OUT_SHARE_BY_FILE = 0.15  # of the files, where they must also give the test
VALIDATION_PART = 1 / 3  # of the held-out files; what it measures while training goes on is no test any more
MIN_AGE = timedelta(days=30)  # a younger repository has no past worth splitting
RECENT = timedelta(days=90)
RECENT_SHARE = 0.10  # of the commits, where the last 90 days hold fewer
MAX_RECENT_SHARE = 0.50  # of the commits: most of the history must be left to learn from
MAX_COMMITS = 20_000  # of the main line; older ones change nothing here
LINES_WANTED = 6_000  # added lines that give the full test, seen on real repositories
MAX_LINES_PER_CHANGE = 60  # of one file in one commit: an import of foreign code must not be the whole test

# `since`: all that stood at a given commit is learnt from, all that came later is asked. `none`: nothing is held out.
SplitKind = Literal["time+file", "file", "since", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSplit:
    """The state that is learnt from, and what was added after it, newest first."""

    commit: str
    added: tuple[AddedLines, ...]


def time_split(repository: Repository, head: str, patterns: Sequence[str]) -> TimeSplit | None:
    """The newest split that leaves enough added lines for a test; None for a repository that is too young."""
    history = repository.main_line(head, count=MAX_COMMITS)
    if history[0].time - history[-1].time < MIN_AGE:
        return None
    in_days = sum(history[0].time - commit.time <= RECENT for commit in history)
    most = min(int(MAX_RECENT_SHARE * len(history)), max(in_days, int(RECENT_SHARE * len(history)), 1))
    added, oldest = _newest_lines(repository, history[:most], patterns)
    parent = history[oldest].parent
    if not added or parent is None:
        return None
    return TimeSplit(commit=parent, added=tuple(added))


def split_since(repository: Repository, head: str, since: str, patterns: Sequence[str]) -> TimeSplit:
    """The split at a given commit of the main line, whatever its age.

    Raises:
        DatasetError: The main line does not lead to that commit.
    """
    later = commits_since(repository, head, since)
    if later is None:
        raise DatasetError(
            f"The commit {since[:12]!r} is not on the main line of {repository.name!r}, so nothing can be said to "
            "have been written after it. Check out the branch that it is on."
        )
    return TimeSplit(commit=since, added=tuple(_newest_lines(repository, later, patterns)[0]))


def commits_since(repository: Repository, head: str, since: str) -> list[Commit] | None:
    """The commits of the main line after `since`, newest first; None if it does not lead there."""
    found: list[Commit] = []
    for commit in repository.main_line(head, count=MAX_COMMITS):
        if commit.sha == since:
            return found
        found.append(commit)
    return None


def _newest_lines(
    repository: Repository, commits: Sequence[Commit], patterns: Sequence[str]
) -> tuple[list[AddedLines], int]:
    """What the newest commits added, as much as is wanted, and the number of the last that was needed for it."""
    added: list[AddedLines] = []
    oldest, lines = 0, 0
    positions = {commit.sha: number for number, commit in enumerate(commits)}
    for change in repository.added_lines(commits, patterns=patterns):
        number = positions[change.commit]
        if lines >= LINES_WANTED and number != oldest:
            break
        oldest = number
        lines += min(MAX_LINES_PER_CHANGE, sum(map(len, change.lines)))
        added.append(change)
    return added, oldest


def held_out(paths: Iterable[str], share: float) -> frozenset[str]:
    """The files that training never sees; at least one where there are two or more."""
    ranked = sorted(paths, key=path_hash)
    chosen = {path for path in ranked if path_hash(path) < share}
    if not chosen and len(ranked) > 1:
        chosen = {ranked[0]}
    return frozenset(chosen)


def is_for_validation(path: str, share: float) -> bool:
    """Whether a file, one of the `share` that is held out, validates rather than tests."""
    return path_hash(path) < share * VALIDATION_PART


def path_hash(path: str) -> float:
    """A number from 0 to 1 that a path alone decides."""
    digest = hashlib.sha256(path.encode("utf-8", errors="replace")).digest()
    return int.from_bytes(digest[:8]) / 2**64
