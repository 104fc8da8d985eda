"""How far a repository has moved since a commit: lines that are there now and were not, as mining would see them.

Two states are compared, not the commits between them: what was written and taken back, or only moved, is nothing new.
Paths, languages and `.gitattributes` decide what counts, as in mining; what mining leaves out only after it has read
a file (generated text, foreign licences, near-duplicates) is counted.
"""

import hashlib
import json
import logging
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from .durable import write_json
from .errors import DiskFull, RepositoryError
from .home import RepositoryHome
from .languages.registry import extensions_in
from .mining.analyses import MinedFile
from .mining.options import MiningOptions
from .mining.scan import Scan, scanned
from .mining.split import MAX_COMMITS
from .repository import Commit, Repository

log = logging.getLogger(__name__)

CHURN_VERSION = 1  # counts up when the same two commits would give other figures
MAX_KEPT = 32  # pairs of commits; one adapter and a month of mornings
MAX_COUNTED_FILES = 500  # of a state; of the others as many lines a byte are assumed, so that any size takes 0.1 s
NEAR_COMMITS = 1_000  # looked at before the whole main line is: an adapter is seldom older
SECONDS_A_DAY = 86_400

Ancestry = Literal["ancestor", "older", "diverged", "gone"]

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Churn:
    """What the checked-out commit `until` holds that `since` did not.

    Attributes:
        lines: New lines of files that are mined.
        share: Of the lines that were mined at `since`; above 1 where more was added than there was.
        commits: Of the main line that came on top.
        days: Between the two commits, by their own dates.
        ancestry: Where `since` lies: `ancestor` of `until`; `older`: what is checked out came before it; `diverged`:
            another branch or a rewritten history; `gone`: this repository has no such commit (any more).
    """

    since: str
    until: str
    lines: int
    share: float
    commits: int
    days: float
    ancestry: Ancestry

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "Churn":
        """Reads what `asdict` gave.

        Raises:
            KeyError: A field is missing.
            ValueError: The ancestry is no word of ours.
        """
        if record["ancestry"] not in get_args(Ancestry):
            raise ValueError(record["ancestry"])
        return cls(**{field.name: record[field.name] for field in fields(cls)})


def churn_since(
    repository: Repository, home: RepositoryHome, since: str, options: MiningOptions | None = None
) -> Churn:
    """What has changed between `since` and the checked-out commit; remembered, so that asking again costs nothing.

    Takes one call of git where it is known, else a few tenths of a second. Several threads may ask at once.

    Raises:
        RepositoryError: git cannot read the repository.
    """
    options, until = options or MiningOptions(), repository.head()
    memory = _Memory(home.churn)
    reading = [CHURN_VERSION, options.exclude, options.max_file_bytes]
    key = _digest([*reading, since, until])
    known = memory.churn(key)
    if known is None:
        known = _Comparison(_alone(repository), options, memory, _digest([*reading, since])).churn(since, until)
        memory.keep(key, known)
    return known


def _alone(repository: Repository) -> Repository:
    """The same repository with a git process of its own for reading blobs, which ends with the comparison."""
    return Repository(
        git_directory=repository.git_directory,
        common_directory=repository.common_directory,
        work_tree=repository.work_tree,
    )


class _Comparison:
    """One comparison. `key` is what the number of lines at `since` is remembered by."""

    def __init__(self, repository: Repository, options: MiningOptions, memory: "_Memory", key: str) -> None:
        self._repository = repository
        self._options = options
        self._memory = memory
        self._key = key

    def churn(self, since: str, until: str) -> Churn:
        now = scanned(self._repository, until, self._options)
        days = self._days(since, until)
        if days is None:
            lines = self._lines(now.mined)
            return Churn(since=since, until=until, lines=lines, share=1.0, commits=0, days=0.0, ancestry="gone")
        ancestry, fork, commits = self._position(since, until)
        lines, share = 0, 0.0
        if ancestry != "older" and since != until:
            then = scanned(self._repository, since, self._options)
            # After a rebase little differs from `since`; on an old branch little differs from where it began.
            starts = {since} if ancestry == "ancestor" or fork is None else {since, fork}
            lines = min(self._added(start, until, then, now) for start in starts)
            share = lines / max(1, self._lines_at_since(then.mined))
        return Churn(since=since, until=until, lines=lines, share=share, commits=commits, days=days, ancestry=ancestry)

    def _days(self, since: str, until: str) -> float | None:
        """Between the commits; None if there is no `since` here."""
        if not _SHA.fullmatch(since):  # an imported adapter may name anything, also an option of git's
            return None
        ended = self._repository.commit_time(until)
        try:
            return max(0.0, (ended - self._repository.commit_time(since)).total_seconds() / SECONDS_A_DAY)
        except RepositoryError:
            return None

    def _position(self, since: str, until: str) -> tuple[Ancestry, str | None, int]:
        """Where `since` lies, the commit where both main lines meet, and how many commits `until` has beyond it."""
        for count in (NEAR_COMMITS, MAX_COMMITS):
            line = [commit.sha for commit in self._repository.main_line(until, count=count)]
            if since in line:
                return "ancestor", since, line.index(since)
        others = {commit.sha for commit in self._repository.main_line(since, count=MAX_COMMITS)}
        fork = next((sha for sha in line if sha in others), None)
        if fork == until:
            return "older", fork, 0
        return "diverged", fork, len(line) if fork is None else line.index(fork)

    def _added(self, start: str, until: str, then: Scan, now: Scan) -> int:
        """The lines of mined files of `until` that `start` had not in the same place."""
        stood = {file.blob for file in then.mined}
        patterns = tuple(f"*{extension}" for extension in extensions_in(file.path for file in now.mined))
        if not patterns:
            return 0
        step = Commit(sha=until, parent=start, time=self._repository.commit_time(until))
        return sum(
            sum(map(len, change.lines))
            for change in self._repository.added_lines([step], patterns=patterns)
            if change.blob not in stood and not now.unwanted(change.path)  # a file that was only moved is not new
        )

    def _lines_at_since(self, files: Sequence[MinedFile]) -> int:
        known = self._memory.lines(self._key)
        if known is None:
            known = self._lines(files)
            self._memory.keep_lines(self._key, known)
        return known

    def _lines(self, files: Sequence[MinedFile]) -> int:
        """How many lines the files have; of many files an estimate from those that their hashes choose."""
        counted = sorted(files, key=lambda file: file.blob)[:MAX_COUNTED_FILES]
        texts = [self._repository.text(file.blob) or "" for file in counted]
        lines = sum(text.count("\n") + (not text.endswith("\n") and bool(text)) for text in texts)
        size_bytes = sum(file.size_bytes for file in counted)
        return round(lines * sum(file.size_bytes for file in files) / size_bytes) if size_bytes else 0


class _Memory:
    """What was counted before, in a file. Two writers at once lose a figure, which is then counted again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            self._lines: dict[str, int] = {str(key): int(value) for key, value in record["lines"].items()}
            self._churn = {str(key): Churn.from_json(value) for key, value in record["churn"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self._lines, self._churn = {}, {}

    def churn(self, key: str) -> Churn | None:
        return self._churn.get(key)

    def lines(self, key: str) -> int | None:
        return self._lines.get(key)

    def keep_lines(self, key: str, lines: int) -> None:
        """Remembers them with the next `keep`."""
        self._lines = dict([*self._lines.items(), (key, lines)][-MAX_KEPT:])

    def keep(self, key: str, churn: Churn) -> None:
        self._churn = dict([*self._churn.items(), (key, churn)][-MAX_KEPT:])
        record = {"schema": 1, "lines": self._lines, "churn": {key: asdict(each) for key, each in self._churn.items()}}
        try:
            write_json(self._path, record)
        except (OSError, DiskFull) as error:  # a figure that is counted again is no reason to fail
            log.warning("%s", error)


def _digest(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
