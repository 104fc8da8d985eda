"""Pairs from what later commits added: the test of a split by time.

The prefix and the suffix come from the file at the commit that added the lines. Lines that stood anywhere in the
repository at the split are no test: they were moved or repeated, not written.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise, zip_longest

from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.patches import AddedLines

from .completion import mine_completions
from .source import Source

MAX_PAIRS_PER_CHANGE = 4  # of one file in one commit
SPARE = 1.5  # so many times the wanted pairs are made, since near-duplicates go later


class StandingLines:
    """The lines of the repository at the split, stripped; only their hashes are kept."""

    def __init__(self) -> None:
        self._lines: set[int] = set()
        self._neighbours: set[tuple[int, int]] = set()

    def add(self, text: str) -> None:
        hashes = [hash(line) for line in map(str.strip, text.split("\n")) if line]
        self._lines.update(hashes)
        self._neighbours.update(pairwise(hashes))

    def hold(self, lines: Sequence[str]) -> bool:
        """Whether these lines stood there, one after the other."""
        hashes = [hash(line) for line in lines]
        if len(hashes) == 1:
            return hashes[0] in self._lines
        return all(pair in self._neighbours for pair in pairwise(hashes))


def mine_added_lines(
    changes: Iterable[AddedLines],
    *,
    read: Callable[[AddedLines], Source | None],
    standing: StandingLines,
    wanted: int,
    max_per_file: int,
    seed: int,
    dropped: Counter[str],
    report: Callable[[int], None],
) -> list[CompletionPair]:
    """About `wanted` times `SPARE` pairs out of added lines, balanced over the files.

    Args:
        read: Gives the file of a change; None for one that is not mined.
        report: Is told how many pairs there are.
    """
    per_file: Counter[str] = Counter()
    pairs: list[CompletionPair] = []
    for change in _in_turns(changes, seed):
        if len(pairs) >= wanted * SPARE:
            break
        source = read(change) if per_file[change.path] < max_per_file else None
        if source is None:
            continue
        count = min(MAX_PAIRS_PER_CHANGE, max_per_file - per_file[change.path])
        for pair in mine_completions(source, count=count, seed=seed, dropped=dropped, within=change.lines):
            if standing.hold(_added(pair)):
                dropped["stood_before_the_split"] += 1
                continue
            per_file[change.path] += 1
            pairs.append(pair)
        report(len(pairs))
    return pairs


def _added(pair: CompletionPair) -> list[str]:
    """The whole lines that a hole touches, stripped. A hole that starts with a line break does not touch its head."""
    head = "" if pair.middle.startswith("\n") else pair.prefix[pair.prefix.rfind("\n") + 1 :]
    text = head + pair.middle + pair.suffix.partition("\n")[0]
    return [line for line in map(str.strip, text.split("\n")) if line]


def _in_turns(changes: Iterable[AddedLines], seed: int) -> Iterator[AddedLines]:
    """One change of each file, then a second of each, and so on, in an order that the seed decides."""
    by_path: dict[str, list[AddedLines]] = defaultdict(list)
    for change in changes:
        by_path[change.path].append(change)
    choice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    paths = sorted(by_path)
    choice.shuffle(paths)
    for path in paths:
        choice.shuffle(by_path[path])
    for turn in zip_longest(*(by_path[path] for path in paths)):
        yield from (change for change in turn if change is not None)
