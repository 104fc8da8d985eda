"""All pairs of a repository, in their splits: which files, which commits, in which order."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import zip_longest

from acclimate_indexer.errors import DatasetError
from acclimate_indexer.filters.duplicates import NearDuplicates, fingerprint
from acclimate_indexer.filters.generated import is_foreign_path, is_generated
from acclimate_indexer.languages.registry import LANGUAGES, language_of
from acclimate_indexer.pairs import CompletionPair, Split
from acclimate_indexer.patches import AddedLines
from acclimate_indexer.repository import BlobEntry, Repository

from .completion import mine_completions
from .history import StandingLines, mine_added_lines
from .options import MiningOptions
from .source import Source
from .split import (
    HELD_OUT_SHARE,
    HELD_OUT_SHARE_BY_FILE,
    VALIDATION_SHARE_BY_FILE,
    SplitKind,
    TimeSplit,
    held_out,
    path_hash,
    time_split,
)

RECENT_COMMITS = 2_000  # whose files come first in training; of older ones the order hardly matters
NEVER = 2**62  # more changes ago than any
MIN_TIME_TEST_PAIRS = 20  # with fewer, the split by time tells nothing, and files are held out instead

Report = Callable[[int, int], None]


@dataclass(slots=True, kw_only=True)
class Collection:
    """The pairs of one commit and how they came about."""

    commit: str
    split_commit: str
    split: SplitKind
    pairs: dict[Split, list[CompletionPair]] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    strata: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)


def collect(repository: Repository, head: str, options: MiningOptions, report: Report) -> Collection:
    """Mines the repository at `head`; by time where its history allows it, else by file.

    Raises:
        DatasetError: There is nothing that could be mined.
    """
    patterns = [f"*{extension}" for language in LANGUAGES for extension in language.extensions]
    split = time_split(repository, head, patterns)
    if split is not None:
        collection = _Miner(repository, head, options, report, split).by_time(split)
        if len(collection.pairs["test"]) >= min(MIN_TIME_TEST_PAIRS, options.max_test_pairs):
            return collection
    return _Miner(repository, head, options, report, None).by_file()


class _Miner:
    """One pass over a repository."""

    def __init__(
        self, repository: Repository, head: str, options: MiningOptions, report: Report, split: TimeSplit | None
    ) -> None:
        self._repository = repository
        self._options = options
        self._report = report
        self._found = Collection(
            commit=head,
            split_commit=head if split is None else split.commit,
            split="file" if split is None else "time+file",
        )
        self._entries = self._ordered_files()
        self._standing = StandingLines()
        self._of = len(self._entries) + (0 if split is None else options.max_test_pairs)
        self._done = 0

    def by_time(self, split: TimeSplit) -> Collection:
        held = held_out((entry.path for entry in self._entries), HELD_OUT_SHARE)
        old = {entry.path for entry in self._entries}
        self._check_anything()
        train, kept = self._mine_files(held)
        base = len(self._entries)
        test = mine_added_lines(
            split.added,
            read=lambda change: self._source(change, change.commit) if self._is_wanted(change.path) else None,
            standing=self._standing,
            wanted=self._options.max_test_pairs,
            max_per_file=self._options.max_pairs_per_file,
            seed=self._options.seed,
            dropped=self._found.dropped,
            report=lambda pairs: self._report(base + min(pairs, self._options.max_test_pairs), self._of),
        )
        self._finish(train, kept, test)
        for pair in self._found.pairs["test"]:
            name = "held_out_file" if pair.path in held else "old_file" if pair.path in old else "new_file"
            self._found.strata[name] += 1
        return self._found

    def by_file(self) -> Collection:
        self._check_anything()
        held = held_out((entry.path for entry in self._entries), HELD_OUT_SHARE_BY_FILE)
        train, kept = self._mine_files(held)
        for_test = {path for path in held if path_hash(path) >= VALIDATION_SHARE_BY_FILE} or held
        test = [pair for pair in kept if pair.path in for_test]
        self._finish(train, [pair for pair in kept if pair.path not in for_test], test)
        self._found.strata["held_out_file"] = len(self._found.pairs["test"])
        return self._found

    def _check_anything(self) -> None:
        if not self._entries:
            names = ", ".join(language.name for language in LANGUAGES)
            raise DatasetError(
                f"{self._repository.name!r} has no file that can be mined at commit {self._found.split_commit[:12]}. "
                f"Languages: {names}. Generated, vendored and very large files do not count."
            )

    def _ordered_files(self) -> list[BlobEntry]:
        """The files to mine, those that changed last first; one of those that are equal."""
        blobs: set[str] = set()
        entries = []
        for entry in self._repository.files(self._found.split_commit):
            reason = self._unwanted(entry)
            if not reason and entry.blob in blobs:
                reason = "duplicate"
            blobs.add(entry.blob)
            if reason:
                self._found.files[reason] += reason != "other_language"
                continue
            entries.append(entry)
        commits = self._repository.main_line(self._found.split_commit, count=RECENT_COMMITS)
        recency: dict[str, int] = {}
        for number, path in enumerate(self._repository.touched(commits)):
            recency.setdefault(path, number)
        entries.sort(key=lambda entry: (recency.get(entry.path, NEVER), path_hash(entry.path)))
        return entries[: self._options.max_files]

    def _unwanted(self, entry: BlobEntry) -> str:
        if language_of(entry.path) is None:
            return "other_language"
        if not self._is_wanted(entry.path):
            return "excluded"
        return "too_large" if entry.size_bytes > self._options.max_file_bytes else ""

    def _is_wanted(self, path: str) -> bool:
        if language_of(path) is None or is_foreign_path(path):
            return False
        return not any(fnmatchcase(path, glob) for glob in self._options.exclude)

    def _mine_files(self, held: frozenset[str]) -> tuple[list[CompletionPair], list[CompletionPair]]:
        """The pairs of the files that are learnt from, and of those that are held out."""
        learnt: dict[str, list[CompletionPair]] = {}
        kept: dict[str, list[CompletionPair]] = {}
        enough = 0
        for entry in self._entries:
            self._done += 1
            self._report(self._done, self._of)
            source = self._source(entry, self._found.split_commit)
            if source is None:
                continue
            self._standing.add(source.text)
            if entry.path not in held and enough >= self._options.max_pairs:
                continue
            pairs = mine_completions(
                source, count=self._options.max_pairs_per_file, seed=self._options.seed, dropped=self._found.dropped
            )
            (kept if entry.path in held else learnt)[entry.path] = pairs
            enough += 0 if entry.path in held else len(pairs)
        return _in_turns(learnt.values()), _in_turns(kept.values())

    def _source(self, entry: BlobEntry | AddedLines, commit: str) -> Source | None:
        language = language_of(entry.path)
        assert language is not None, "only files of a known language are read"
        text = self._repository.text(entry.blob)
        if text is None or len(text) > self._options.max_file_bytes or is_generated(text):
            self._found.files["not_text" if text is None else "generated"] += 1
            return None
        self._found.files["mined"] += 1
        return Source(path=entry.path, blob=entry.blob, commit=commit, language=language, text=text)

    def _finish(
        self, train: list[CompletionPair], validation: list[CompletionPair], test: list[CompletionPair]
    ) -> None:
        """Removes duplicates in and across the splits, then caps them."""
        seen: set[str] = set()
        train = self._unique(train, seen)[: self._options.max_pairs]
        learnt = NearDuplicates(train)
        test = self._distinct(self._unique(test, seen), learnt)
        validation = self._distinct(self._unique(validation, seen), learnt)
        self._found.pairs = {
            "train": train,
            "validation": validation[: self._options.max_validation_pairs],
            "test": _by_file(test)[: self._options.max_test_pairs],
        }
        self._report(self._of, self._of)

    def _unique(self, pairs: Iterable[CompletionPair], seen: set[str]) -> list[CompletionPair]:
        kept = []
        for pair in pairs:
            mark = fingerprint(pair)
            self._found.dropped["duplicate"] += mark in seen
            if mark not in seen:
                seen.add(mark)
                kept.append(pair)
        return kept

    def _distinct(self, pairs: list[CompletionPair], learnt: NearDuplicates) -> list[CompletionPair]:
        kept = [pair for pair in pairs if not learnt.holds(pair)]
        self._found.dropped["near_duplicate_of_training"] += len(pairs) - len(kept)
        return kept


def _in_turns(files: Iterable[list[CompletionPair]]) -> list[CompletionPair]:
    """One pair of each file, then a second of each, and so on: any beginning of the list is balanced."""
    return [pair for turn in zip_longest(*files) for pair in turn if pair is not None]


def _by_file(pairs: list[CompletionPair]) -> list[CompletionPair]:
    by_path: dict[str, list[CompletionPair]] = defaultdict(list)
    for pair in pairs:
        by_path[pair.path].append(pair)
    return _in_turns(by_path.values())
