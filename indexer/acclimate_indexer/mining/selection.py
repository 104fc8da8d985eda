"""Which pairs are kept, and in which order: what is used first is balanced over the files, and recent.

Of any beginning of the training part two thirds touch lines that recent commits added, as long as there are any: what
was written lately is what is written next.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, zip_longest
from types import MappingProxyType
from typing import TypeVar

from acclimate_indexer.changes import History
from acclimate_indexer.completion_feedback import TakenText
from acclimate_indexer.filters.duplicates import Mark, NearDuplicates, fingerprint
from acclimate_indexer.pairs import CompletionKind, CompletionPair

from .analyses import MinedFile
from .analysis import line_number
from .completion import Candidate, pair_of
from .held_out_lines import touched_lines
from .standing import StandingLines
from .state import CommitState
from .taken import taken_candidates, without_overlap

RECENT_PER_OLD = 2  # of pairs, while there are both
RECENT_LINES = 20_000  # the lines added last; a year of a busy team

Place = tuple[MinedFile, Candidate]
Item = TypeVar("Item")


def recent_lines(history: History) -> frozenset[int]:
    """The numbers of the lines that were added last."""
    added = (
        line_number(line)
        for _, changes in history
        for change in changes
        for hunk in change.hunks
        for line in hunk.added
    )
    return frozenset(islice((number for number in added if number), RECENT_LINES))


def learnt_completions(
    state: CommitState,
    recent: Collection[int],
    max_per_file: int,
    taken: Mapping[str, Sequence[TakenText]] = MappingProxyType({}),
) -> Iterator[CompletionPair]:
    """The completion pairs of the files that are learnt from, best first: what was taken there goes before all else."""
    takens: list[list[Place]] = []
    recents: list[list[Place]] = []
    olds: list[list[Place]] = []
    for file in state.learnt_files():
        source = state.source(file)
        preferred = taken_candidates(source, taken.get(file.path, ()))[:max_per_file]
        candidates = without_overlap(state.analyses[file.path].completions.found, preferred)
        is_recent = [number in recent for number in state.analyses[file.path].lines]
        touched = [candidate for candidate in candidates if any(is_recent[at] for at in source.lines(candidate.span))]
        others = [candidate for candidate in candidates if candidate not in touched]
        left = max_per_file - len(preferred)
        takens.append([(file, each) for each in preferred])
        recents.append([(file, each) for each in touched[:left]])
        olds.append([(file, each) for each in others[: left - len(recents[-1])]])
    for file, candidate in chain(in_turns(takens), _mixed(in_turns(recents), in_turns(olds))):
        yield pair_of(state.source(file), candidate)


def pairs_of_files(
    state: CommitState, files: Iterable[MinedFile], kind: CompletionKind, max_per_file: int
) -> Iterator[CompletionPair]:
    """The pairs of a kind that these files give, in turns."""
    places = []
    for file in files:
        analysis = state.analyses[file.path]
        found = (analysis.completions if kind == "completion" else analysis.documentation).found
        places.append([(file, candidate) for candidate in found[:max_per_file]])
    for file, candidate in in_turns(places):
        yield pair_of(state.source(file), candidate, kind)


class Selection:
    """Takes pairs that are worth it, one after another, and counts those that are not."""

    def __init__(self, retired_in: Callable[[str], str | None], dropped: Counter[str]) -> None:
        self._retired_in = retired_in
        self._dropped = dropped
        self._seen: set[str] = set()
        self._learnt = NearDuplicates()

    def learn(self, pairs: Iterable[CompletionPair], at_most: int) -> list[CompletionPair]:
        """Pairs to learn from, none nearly like another and none that uses a retired name."""
        kept: list[CompletionPair] = []
        for pair in pairs:
            if len(kept) == at_most:
                break
            if self._retired_in(pair.middle) is not None:
                self._dropped["retired_name"] += 1
            elif self._is_new(pair):
                mark = Mark.of(pair)
                if self._learnt.repeats(mark):
                    self._dropped["near_duplicate"] += 1
                    continue
                self._learnt.add(mark)
                kept.append(pair)
        return kept

    def hold_out(
        self, pairs: Iterable[CompletionPair], at_most: int, standing: StandingLines | None = None
    ) -> list[CompletionPair]:
        """Pairs to ask, none nearly like one that is learnt, nor of lines that stand in what is learnt from."""
        kept: list[CompletionPair] = []
        for pair in pairs:
            if len(kept) == at_most:
                break
            if standing is not None and standing.hold(touched_lines(pair)):
                self._dropped["stands_in_training"] += 1
            elif self._learnt.is_near(Mark.of(pair)):
                self._dropped["near_duplicate_of_training"] += 1
            elif self._is_new(pair):
                kept.append(pair)
        return kept

    def _is_new(self, pair: CompletionPair) -> bool:
        mark = fingerprint(pair)
        if mark in self._seen:
            self._dropped["duplicate"] += 1
            return False
        self._seen.add(mark)
        return True


def in_turns(groups: Iterable[Sequence[Item]]) -> list[Item]:
    """The first of each group, then the second of each, and so on: any beginning of the list is balanced."""
    return [item for turn in zip_longest(*groups) for item in turn if item is not None]


def by_file(pairs: Iterable[CompletionPair]) -> list[CompletionPair]:
    """The pairs, those of each file in turns."""
    by_path: dict[str, list[CompletionPair]] = defaultdict(list)
    for pair in pairs:
        by_path[pair.path].append(pair)
    return in_turns(by_path.values())


def _mixed(recents: Sequence[Place], olds: Sequence[Place]) -> Iterator[Place]:
    left = iter(recents)
    for old in olds:
        yield from islice(left, RECENT_PER_OLD)
        yield old
    yield from left
