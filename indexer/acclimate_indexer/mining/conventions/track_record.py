"""What became of lines that went against a convention, whenever somebody edited them: its track record.

What was done to such lines so far is the best guess of what will be done to the next one, and a comment is a guess of
that. Commits are counted, not lines: a sweep over a repository is one decision, however many lines it touched. Only of
a name that is hardly left the lines are: there it is known how it ended.

Chosen by looking at histories from every hundredth commit on. Rules of the linter, twelve histories: 32 of 32 edited
lines went that way with four commits, 75 of 78 with three, and 357 of 561 with half of the edited places on a rule's
side. With eight places asked of a rule besides, on twelve more that nobody had looked at, 258 of 272
(benchmarks/results/review-conventions-fifteen-2026-11-27.json). Lines with names that were given up are hardly ever
edited: what became of those is in review-conventions-drawn-2026-11-27.json and
review-conventions-second-draw-2026-11-28.json.
"""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from itertools import accumulate

from acclimate_indexer.changes import History, Hunk

from .named import names_in, without
from .succession import is_edit, successor

MIN_FOLLOWED_SHARE = 0.9
# Places that went the convention's way, with none kept: by Laplace's rule of succession the least from which the next
# does so in nine of ten. Seen on beets: of rules with 5 and 7 such places four of five later edits kept what was
# complained about.
ENOUGH_PLACES = 8
# Of what went that way: so many more may be left of a change that is under way. Seen where more was left: of names, in
# 23 histories drawn by lot, 27 lines were to go a third way or none (`int64`, now `intp`, where that is meant), and 12
# went that way; of the linter's rules, in eleven histories and the first 18 of a later draw, 51 of 64.
MAX_LEFT = 0.5

_WORD = re.compile(r"\w+")


def is_followed(followed: int, kept: int) -> bool:
    """Whether nearly all went the convention's way: of commits that edited such lines, or of the lines of one."""
    return followed >= MIN_FOLLOWED_SHARE * (followed + kept)


def keeping_commits(
    history: History, replacing: Mapping[tuple[str, str], Mapping[str, int]], given_up: Collection[tuple[str, str]]
) -> Mapping[tuple[str, str], set[str]]:
    """The commits that edited lines that named the first of two names, and had too few name the second instead.

    Only those since the change began count: before, the first name was the way to write it. Of a change that is through
    only those count that came after half of it was done, as who kept the first name until then went with the others;
    and none where their lines are few beside the many that went: how it ended is known, so lines are no guess.

    Args:
        history: The newest commit first.
        replacing: The names, and in how many lines each commit replaced the first by the second.
        given_up: The names of changes that are through.
    """
    wanted: dict[str, list[str]] = defaultdict(list)
    for old, new in replacing:
        wanted[old].append(new)
    last_words = {old.rpartition(".")[2] for old in wanted}
    age = {commit.sha: number for number, (commit, _) in enumerate(history)}
    began = {
        pair: _half_done(lines, age) if pair in given_up else max(map(age.__getitem__, lines))
        for pair, lines in replacing.items()
    }
    kept: dict[tuple[str, str], Counter[str]] = {pair: Counter() for pair in replacing}
    for commit, changes in history:
        for hunk in (hunk for change in changes for hunk in change.hunks):
            for old, after in _edits(hunk, wanted.keys(), last_words):
                for new in wanted[old]:
                    if age[commit.sha] <= began[old, new] and not is_renamed(after, old, new):
                        kept[old, new][commit.sha] += 1
    settled = {pair for pair in given_up if is_followed(sum(replacing[pair].values()), kept[pair].total())}
    return {pair: set() if pair in settled else _against(replacing[pair], kept[pair]) for pair in kept}


def _half_done(lines: Mapping[str, int], age: Mapping[str, int]) -> int:
    """The age of the commit with which half of the lines were done."""
    oldest_first = sorted(lines, key=lambda commit: -age[commit])
    done = list(accumulate(lines[commit] for commit in oldest_first))
    return age[oldest_first[bisect_left(done, done[-1] / 2)]]


def _against(replaced: Mapping[str, int], kept: Mapping[str, int]) -> set[str]:
    """The commits of which less than nine in ten lines went the convention's way: a sweep may miss a line."""
    return {sha for sha, lines in kept.items() if not is_followed(replaced.get(sha, 0), lines)}


def is_renamed(after: str, old: str, new: str) -> bool:
    """Whether a line names `new`, and `old` only as a part of it; not where `new` is but a part of `old`."""
    if without(old, new) != old:  # `torch.Tensor`, now `Tensor`
        return without(after, old) == after and without(after, new) != after
    rest = without(after, new)
    return rest != after and without(rest, old) == rest


def _edits(hunk: Hunk, names: Collection[str], last_words: set[str]) -> Iterator[tuple[str, str]]:
    """Each of `names` that an edited line had, and what became of the line."""
    if not is_edit(hunk):
        return
    for line in hunk.removed:
        if last_words.isdisjoint(_WORD.findall(line)):
            continue
        named = names_in(line).intersection(names)
        at = successor(line, hunk.added) if named else None
        if at is not None:
            yield from ((old, hunk.added[at]) for old in sorted(named))
