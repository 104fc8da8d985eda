"""Pairs from what later commits added: the test of a split by time.

The prefix and the suffix come from the file at the commit that added the lines. Lines that stood anywhere in the
repository at the split are no test: they were moved or repeated, not written.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import zip_longest

from acclimate_indexer.pairs import CompletionKind, CompletionPair
from acclimate_indexer.patches import AddedLines

from .analysis import candidates_of, candidates_record
from .completion import Candidate, Candidates, completion_candidates, pair_of
from .documentation import documentation_candidates
from .held_out_lines import touched_lines
from .memory import Memory
from .source import Source
from .standing import StandingLines

MAX_PAIRS_PER_CHANGE = 4  # of one file in one commit
SPARE = 1.5  # so many times the wanted pairs are made, since near-duplicates go later


def mine_added_lines(
    changes: Iterable[AddedLines],
    *,
    wanted: Mapping[CompletionKind, int],
    read: Callable[[AddedLines], Source | None],
    memory: Memory,
    standing: StandingLines,
    max_per_file: int,
    seed: int,
    dropped: Counter[str],
) -> dict[CompletionKind, list[CompletionPair]]:
    """Of each kind about `wanted` times `SPARE` pairs out of added lines, balanced over the files.

    Args:
        read: Gives the file of a change; None for one that is not mined.
        memory: What was found in files of the past.
    """
    per_file: Counter[tuple[CompletionKind, str]] = Counter()
    pairs: dict[CompletionKind, list[CompletionPair]] = {kind: [] for kind in wanted}
    for change in _in_turns(changes, seed):
        room: dict[CompletionKind, int] = {
            kind: min(MAX_PAIRS_PER_CHANGE, max_per_file - per_file[kind, change.path])
            for kind, most in wanted.items()
            if len(pairs[kind]) < most * SPARE and per_file[kind, change.path] < max_per_file
        }
        source = read(change) if room else None
        if source is None:
            if all(len(pairs[kind]) >= most * SPARE for kind, most in wanted.items()):
                break
            continue
        for kind, count in room.items():
            for candidate in _remembered(source, kind, count, seed, change.lines, memory)[:count]:
                pair = pair_of(source, candidate, kind)
                if standing.hold(touched_lines(pair)):
                    dropped["stood_before_the_split"] += 1
                    continue
                per_file[kind, change.path] += 1
                pairs[kind].append(pair)
    return pairs


def _remembered(
    source: Source, kind: CompletionKind, count: int, seed: int, within: tuple[range, ...], memory: Memory
) -> tuple[Candidate, ...]:
    lines = [[each.start, each.stop] for each in within]
    what = [kind, source.blob, source.path, source.language.name, count, seed, lines]
    return candidates_of(
        memory.of(what, lambda: candidates_record(Candidates(_candidates(source, kind, count, seed, within))))
    ).found


def _candidates(
    source: Source, kind: CompletionKind, count: int, seed: int, within: tuple[range, ...]
) -> tuple[Candidate, ...]:
    if kind == "completion":
        return completion_candidates(source, count=count, seed=seed, within=within).found
    return tuple(
        candidate
        for candidate in documentation_candidates(source).found
        if any(
            source.line_of(candidate.span.start) in each and source.line_of(candidate.span.end - 1) in each
            for each in within
        )
    )


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
