"""All pairs of a repository, in their splits: what is learnt from, what is held out, and in which order."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from acclimate_indexer.blob_store import BlobStore
from acclimate_indexer.changes import History
from acclimate_indexer.completion_feedback import TakenText
from acclimate_indexer.errors import DatasetError
from acclimate_indexer.feedback import ImportedReview
from acclimate_indexer.filters.generated import unwanted_text
from acclimate_indexer.languages.registry import extensions_in, known_languages
from acclimate_indexer.linting import LANGUAGE
from acclimate_indexer.pairs import Age, CompletionKind, CompletionPair, ReviewPair, Split
from acclimate_indexer.patches import AddedLines
from acclimate_indexer.repository import Repository
from acclimate_indexer.review.dismissals import DismissedCode

from .analyses import MinedFile
from .contexts import in_context
from .conventions.linted import EditedLints, Resolved, edited_lints, linted_rules
from .conventions.mine import mine_conventions
from .conventions.record import Conventions
from .held_out_lines import HeldOutLines, require_no_leak, texts
from .history import mine_added_lines
from .known_secrets import KnownSecrets
from .memory import Memory
from .options import MiningOptions
from .progress import Advance, Stages, told
from .reviews.mine import mine_reviews
from .reviews.parts import in_parts, require_none_seen
from .selection import Selection, by_file, learnt_completions, pairs_of_files, recent_lines
from .source import Source
from .split import (
    HELD_OUT_SHARE,
    HELD_OUT_SHARE_BY_FILE,
    SplitKind,
    TimeSplit,
    is_for_validation,
    split_since,
    time_split,
)
from .standing import StandingLines
from .state import CommitState
from .taken import by_path

KINDS: tuple[CompletionKind, ...] = ("completion", "documentation")
MIN_TIME_TEST_PAIRS = 20  # with fewer, the split by time tells nothing, and files are held out instead
OTHER_KINDS = 4  # so many times fewer documentation and review pairs are held out than completions


@dataclass(slots=True, kw_only=True)
class Collection:
    """The pairs of one commit and how they came about.

    Attributes:
        secrets: Where secrets or personal data stand, as `path:line`, the line counted from 1.
    """

    commit: str
    split_commit: str
    split: SplitKind
    pairs: dict[Split, list[CompletionPair]] = field(default_factory=dict)
    reviews: dict[Split, list[ReviewPair]] = field(default_factory=dict)
    conventions: Conventions
    dropped: Counter[str] = field(default_factory=Counter)
    strata: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)
    secrets: tuple[str, ...] = ()

    def all_pairs(self, split: Split) -> Iterator[CompletionPair | ReviewPair]:
        yield from self.pairs[split]
        yield from self.reviews[split]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a repository is mined with.

    Attributes:
        taken: Completions that were taken and committed, to be preferred; by path.
        patterns: Globs of the files whose history is read.
    """

    repository: Repository
    options: MiningOptions
    store: BlobStore
    imported: Sequence[ImportedReview]
    dismissed: Sequence[DismissedCode]
    taken: Mapping[str, Sequence[TakenText]]
    stages: Stages
    patterns: tuple[str, ...]


def collect(
    repository: Repository,
    head: str,
    options: MiningOptions,
    *,
    store: BlobStore,
    imported: Sequence[ImportedReview],
    dismissed: Sequence[DismissedCode] = (),
    taken: Sequence[TakenText] = (),
    stages: Stages,
) -> Collection:
    """Mines the repository at `head`; by time where its history allows it, else by file, unless the options say how.

    Raises:
        DatasetError: There is nothing that could be mined.
    """
    parts = Parts(
        repository=repository,
        options=options,
        store=store,
        imported=imported,
        dismissed=dismissed,
        taken=by_path(taken),
        stages=stages,
        patterns=tuple(f"*{extension}" for extension in extensions_in(entry.path for entry in repository.files(head))),
    )
    if options.since:
        later = split_since(repository, head, options.since, parts.patterns)
        return _Collector(parts, head, later, holds_files=False).since(later)
    if not options.hold_out:
        return _Collector(parts, head, None, holds_files=False).everything()
    split = time_split(repository, head, parts.patterns)
    if split is not None:
        found = _Collector(parts, head, split).by_time(split)
        if sum(pair.kind == "completion" for pair in found.pairs["test"]) >= min(
            MIN_TIME_TEST_PAIRS, options.max_test_pairs
        ):
            return found
    return _Collector(parts, head, None).by_file()


class _Collector:
    """One pass over a repository, with one split; `holds_files` holds files out, whatever else is."""

    def __init__(self, parts: Parts, head: str, split: TimeSplit | None, *, holds_files: bool = True) -> None:
        self._parts = parts
        self._options = parts.options
        self._head = head
        self._commit = head if split is None else split.commit
        self._dropped: Counter[str] = Counter()
        self._memory = Memory(parts.store, "past")
        with parts.stages.stage("files") as advance:
            self._state = CommitState.at(
                parts.repository,
                self._commit,
                store=parts.store,
                options=parts.options,
                held_out_share=HELD_OUT_SHARE_BY_FILE if split is None else HELD_OUT_SHARE,
                report=advance,
            )
        if not holds_files:
            self._state = replace(self._state, held_out=frozenset())
        self._check_anything()
        with parts.stages.stage("history") as advance:
            self._history = self._history_of(self._commit, None, advance)
            self._edited = self._edited_lints(self._history)
            self._conventions = self._mined_conventions()
        with parts.stages.stage("reviews") as advance:
            self._reviews = self._mined_reviews(self._history, self._state.files, self._edited.resolved, advance)
        self._selection = Selection(self._conventions.retired_in, self._dropped)

    def by_time(self, split: TimeSplit) -> Collection:
        """Learns from the state at the split; asks what was added after it, and validates with held-out files."""
        with self._parts.stages.stage("pairs") as advance:
            train = self._learnt(advance)
        with self._parts.stages.stage("held out") as advance:
            test = self._asked_later(split)
            advance(1, 2)
            validation = self._held_out_of_files(self._state.held_out_files(), self._options.max_validation_pairs)
        reviews = self._later_reviews()
        return self._finished("time+file", train, validation, test, reviews)

    def since(self, split: TimeSplit) -> Collection:
        """Learns from all that stood at the split; asks what was added after it."""
        with self._parts.stages.stage("pairs") as advance:
            train = self._learnt(advance)
        with self._parts.stages.stage("held out"):
            test = self._asked_later(split)
        return self._finished("since", train, [], test, self._later_reviews())

    def everything(self) -> Collection:
        """Learns from all that there is."""
        with self._parts.stages.stage("pairs") as advance:
            train = self._learnt(advance)
        return self._finished("none", train, [], [], [])

    def by_file(self) -> Collection:
        """Learns from most files; asks and validates with the others."""
        state, options = self._state, self._options
        held = state.held_out_files()
        for_test = [file for file in held if not is_for_validation(file.path, HELD_OUT_SHARE_BY_FILE)] or held
        with self._parts.stages.stage("pairs") as advance:
            train = self._learnt(advance)
        with self._parts.stages.stage("held out"):
            test = self._held_out_of_files(for_test, options.max_test_pairs)
            validation = self._held_out_of_files(
                [file for file in held if file not in for_test], options.max_validation_pairs
            )
        paths = {file.path for file in for_test}
        reviews = [pair for pair in self._reviews if pair.path in paths]
        return self._finished("file", train, validation, test, reviews)

    def _check_anything(self) -> None:
        if not self._state.scan.mined:
            names = ", ".join(language.name for language in known_languages())
            raise DatasetError(
                f"{self._parts.repository.name!r} has no file that can be mined at commit {self._commit[:12]}. "
                f"Languages: {names}. Generated, vendored and very large files do not count."
            )

    def _history_of(self, until: str, since: str | None, advance: Advance) -> History:
        count = self._options.max_history_commits
        history: History = []
        for commit in self._parts.repository.history(until, since=since, count=count, patterns=self._parts.patterns):
            history.append(commit)
            advance(len(history), count)
        return history

    def _mined_conventions(self) -> Conventions:
        state, files = self._state, self._state.learnt_files()
        found = mine_conventions(self._history, ((file.path, state.analyses[file.path].conventions) for file in files))
        texts = ((file.path, state.texts.of(file.blob) or "") for file in files if file.language.name == LANGUAGE)
        return replace(found, linted=linted_rules(self._edited, self._history, texts))

    def _edited_lints(self, history: History) -> EditedLints:
        return edited_lints(history, self._state.texts.of, lambda path: not self._state.unwanted(path), self._memory.of)

    def _mined_reviews(
        self,
        history: History,
        files: Iterable[MinedFile],
        resolved: Sequence[Resolved],
        advance: Advance,
        *,
        is_test: bool = False,
    ) -> list[ReviewPair]:
        return mine_reviews(
            history,
            commit=self._commit,
            read=self._state.texts.of,
            is_wanted=lambda path: not self._state.unwanted(path),
            language_of=self._state.scan.language_of,
            files=[(file.path, file.blob) for file in files],
            seed=self._options.seed,
            limit=self._options.max_review_pairs,
            dropped=self._dropped,
            imported=self._parts.imported,
            resolved=resolved,
            rules={each.rule for each in self._conventions.linted},
            dismissed=() if is_test else self._parts.dismissed,
            remember=self._memory.of,
            advance=advance,
            is_test=is_test,
        )

    def _later_reviews(self) -> list[ReviewPair]:
        """What was corrected after the split, and clean code that came after it or stands in held-out files."""
        with self._parts.stages.stage("history") as advance:
            later = self._history_of(self._head, self._commit, advance)
        held = self._state.held_out_files()
        files = [file for file in held if not is_for_validation(file.path, HELD_OUT_SHARE)]
        with self._parts.stages.stage("reviews") as advance:
            resolved = self._edited_lints(later).resolved
            return self._mined_reviews(later, files, resolved, advance, is_test=True)

    def _learnt(self, advance: Advance) -> list[CompletionPair]:
        options, state = self._options, self._state
        most = options.max_pairs + options.max_documentation_pairs
        recent = recent_lines(self._history)
        completions = learnt_completions(state, recent, options.max_pairs_per_file, self._parts.taken)
        documentation = pairs_of_files(state, state.learnt_files(), "documentation", options.max_pairs_per_file)
        return [
            *self._selection.learn(told(completions, advance, most), options.max_pairs),
            *self._selection.learn(documentation, options.max_documentation_pairs),
        ]

    def _held_out_of_files(self, files: Sequence[MinedFile], at_most: int) -> list[CompletionPair]:
        state = self._state
        standing = StandingLines(state.analyses[file.path].lines for file in state.learnt_files())
        per_file = self._options.max_pairs_per_file
        found: dict[CompletionKind, list[CompletionPair]] = {
            kind: list(pairs_of_files(state, files, kind, per_file)) for kind in KINDS
        }
        return self._hold_out_kinds(found, at_most, standing)

    def _hold_out_kinds(
        self, found: dict[CompletionKind, list[CompletionPair]], at_most: int, standing: StandingLines | None = None
    ) -> list[CompletionPair]:
        most = _most_of_kinds(at_most)
        return [pair for kind in KINDS for pair in self._selection.hold_out(found[kind], most[kind], standing)]

    def _asked_later(self, split: TimeSplit) -> list[CompletionPair]:
        """Pairs of what was added after the split and had not stood before."""
        standing = StandingLines(self._state.analyses[file.path].lines for file in self._state.files)
        added: dict[CompletionKind, list[CompletionPair]] = {
            kind: by_file(pairs) for kind, pairs in self._added(split, standing).items()
        }
        return self._hold_out_kinds(added, self._options.max_test_pairs)

    def _added(self, split: TimeSplit, standing: StandingLines) -> dict[CompletionKind, list[CompletionPair]]:
        return mine_added_lines(
            split.added,
            wanted=_most_of_kinds(self._options.max_test_pairs),
            read=self._read_later,
            memory=self._memory,
            standing=standing,
            max_per_file=self._options.max_pairs_per_file,
            seed=self._options.seed,
            dropped=self._dropped,
        )

    def _read_later(self, change: AddedLines) -> Source | None:
        """The file of a later commit; None where it is not mined."""
        language = self._state.scan.language_of(change.path)
        if language is None or self._state.unwanted(change.path):
            return None
        text = self._state.texts.of(change.blob)
        if text is None or len(text) > self._options.max_file_bytes or unwanted_text(text):
            return None
        return Source.of(path=change.path, blob=change.blob, commit=change.commit, language=language, text=text)

    def _finished(
        self,
        split: SplitKind,
        train: list[CompletionPair],
        validation: list[CompletionPair],
        test: list[CompletionPair],
        test_reviews: list[ReviewPair],
    ) -> Collection:
        """Adds context and reviews, and looks for leaks."""
        held_lines = HeldOutLines([*validation, *test])
        held, options = self._state.held_out, self._options
        train, validation, test = in_context(
            self._state,
            (train, validation, test),
            held_lines,
            seed=options.seed,
            stages=self._parts.stages,
            dropped=self._dropped,
        )
        known = KnownSecrets.of(self._state, self._dropped)
        train, validation, test = map(known.without, (train, validation, test))
        reviews = in_parts(
            known.without_reviews(self._reviews),
            known.without_reviews(test_reviews),
            held,
            leaks=lambda pair: self._leaks(pair, held_lines),
            at_most={
                "train": options.max_review_pairs,
                "validation": options.max_validation_pairs // OTHER_KINDS,
                "test": options.max_test_pairs // OTHER_KINDS,
            },
        )
        test = self._aged(test)
        self._memory.keep()
        require_no_leak([*validation, *test], [*train, *reviews["train"]], held)
        require_none_seen([*reviews["validation"], *reviews["test"]], reviews["train"])
        return Collection(
            commit=self._head,
            split_commit=self._commit,
            split=split,
            pairs={"train": train, "validation": validation, "test": test},
            reviews=reviews,
            conventions=self._conventions,
            dropped=self._dropped + self._dropped_in_files(),
            strata=Counter(pair.age for pair in test if pair.kind == "completion"),
            files=Counter(self._state.left_out.values()) + Counter(mined=len(self._state.files)),
            secrets=self._secrets(),
        )

    def _leaks(self, pair: ReviewPair, held_lines: HeldOutLines) -> bool:
        leaks = any(held_lines.found_in(text) for text in texts(pair))
        self._dropped["review_held_out"] += leaks
        return leaks

    def _dropped_in_files(self) -> Counter[str]:
        """What single files gave and was no good."""
        dropped: Counter[str] = Counter()
        for file in self._state.files:
            analysis = self._state.analyses[file.path]
            dropped.update(drop.reason for drop in chain(analysis.completions.drops, analysis.documentation.drops))
        return dropped

    def _aged(self, test: Iterable[CompletionPair]) -> list[CompletionPair]:
        """The test pairs with what the split knows of their files."""
        old, held = {file.path for file in self._state.files}, self._state.held_out

        def age(path: str) -> Age:
            if path in held:
                return "held_out_file"
            return "old_file" if path in old else "new_file"

        return [replace(pair, age=age(pair.path)) for pair in test]

    def _secrets(self) -> tuple[str, ...]:
        return tuple(
            f"{path}:{line + 1}" for path, analysis in sorted(self._state.analyses.items()) for line in analysis.secrets
        )


def _most_of_kinds(at_most: int) -> dict[CompletionKind, int]:
    return {"completion": at_most, "documentation": at_most // OTHER_KINDS}
