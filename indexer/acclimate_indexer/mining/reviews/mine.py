"""Review pairs of a repository: corrections, imported threads, what a linter found and somebody put right, and seeded
faults, each outnumbered by clean code."""

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice

from acclimate_indexer.changes import History
from acclimate_indexer.feedback import ImportedReview
from acclimate_indexer.languages.language import Language
from acclimate_indexer.mining.conventions.linted import Resolved
from acclimate_indexer.mining.progress import Advance, told
from acclimate_indexer.mining.seeded import Seeds
from acclimate_indexer.mining.source import Remember
from acclimate_indexer.pairs import ReviewPair
from acclimate_indexer.review.dismissals import DismissedCode

from .balance import NEGATIVES, balanced
from .corrections import corrections
from .dismissed import dismissed as not_wanted
from .fixes import Reviewed, reviewed
from .imported import imported as from_threads
from .linted import linted as from_linter
from .ordinary import ordinary
from .reading import Reading
from .standing import standing

MAX_SEEDED = 48  # a few: they are easier than real faults, and all of the same make
SEEDED_SHARE = 4  # at most one positive in so many is seeded where history gives enough
LABELLED_SHARE = 4  # at most one positive in so many is a linter's: it speaks for itself in the editor, too
ORDINARY_SHARE = 2  # of the clean pieces of a test every so manieth is what an ordinary commit left


def mine_reviews(
    history: History,
    *,
    read: Callable[[str], str | None],
    is_wanted: Callable[[str], bool],
    language_of: Callable[[str], Language | None],
    files: Sequence[tuple[str, str]],
    seed: int,
    limit: int,
    dropped: Counter[str],
    imported: Sequence[ImportedReview] = (),
    resolved: Sequence[Resolved] = (),
    rules: Collection[str] = (),
    dismissed: Sequence[DismissedCode] = (),
    commit: str = "",
    remember: Remember | None = None,
    advance: Advance = lambda _done, _of: None,
    is_test: bool = False,
) -> list[ReviewPair]:
    """Pairs such that in every part from the front at least three negatives stand beside each positive.

    Args:
        history: Newest first.
        read: The text of a blob.
        files: Path and blob of what stands at `commit`, and gives clean code and the ground for seeded faults.
        limit: Pairs at most.
        resolved: What a linter complained about and a commit of `history` put right; those of `rules` are learnt.
        dropped: Counts what was left out, by reason.
        commit: By default the newest of `history`.
        remember: Remembers the outlines of blobs.
        dismissed: Code about which somebody did not want to hear anything.
        advance: Hears how many pairs there are so far, and how many there may be.
        is_test: Whether `history` is what came after the split; then clean code comes from it as well, and not only
            where `files` give too little.
    """
    reading = Reading(read, is_wanted, language_of, dropped, remember)
    choice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    state = commit or (history[0][0].sha if history else "")
    most = limit // (1 + NEGATIVES)
    seeded_most = min(MAX_SEEDED, -(-most // SEEDED_SHARE))
    labelled = list(islice(from_linter(history, resolved, rules, reading), most // LABELLED_SHARE))
    told_of = chain(from_threads(imported, history, reading), labelled, _corrected(history, reading))
    real = list(islice(told(_once(told_of), advance, limit), most - seeded_most))
    seeds = Seeds(seeded_most, choice)
    wanted = NEGATIVES * (len(real) + seeded_most)
    left = ordinary(history, reading)
    clean = list(islice(left, wanted // ORDINARY_SHARE)) if is_test else []
    planted: list[Reviewed] = []
    for each in standing(history, reading, files, state, choice):
        advance(len(real) + len(planted) + len(clean), limit)
        if len(clean) >= wanted:
            break
        twin = reading.pair(each.source, each.place, each.origin)
        if twin is None:
            continue
        positive = seeds.planted(each.source, each.symbol, twin)
        if positive is None:
            clean.append(twin)
        else:
            planted.append(positive)
    clean += islice(left, wanted - len(clean))
    return _together(real, planted, list(not_wanted(dismissed, reading)), clean, dropped, limit)


def _corrected(history: History, reading: Reading) -> Iterator[Reviewed]:
    """What correcting commits show, the newest first."""
    return chain.from_iterable(reviewed(found, reading) for found in corrections(history, reading.dropped))


def _once(found: Iterable[Reviewed]) -> Iterator[Reviewed]:
    """Each piece of code once.

    The after-side of a correction is no clean code where a later commit had to correct the same definition.
    """
    hunks: set[str] = set()
    faulty: set[tuple[str, str]] = set()
    for each in found:
        if each.positive.hunk in hunks:
            continue
        is_clean = each.after is not None and _place(each.after) not in faulty
        hunks.add(each.positive.hunk)
        faulty.add(_place(each.positive))
        yield each if is_clean else replace(each, after=None)


def _together(
    real: Sequence[Reviewed],
    planted: Sequence[Reviewed],
    silent: Sequence[ReviewPair],
    clean: Iterable[ReviewPair],
    dropped: Counter[str],
    limit: int,
) -> list[ReviewPair]:
    """Without negatives where something was corrected at another time, unless somebody said that nothing is wrong."""
    positives = [each.positive for each in _mixed(real, planted)]
    faulty = {_place(each.positive) for each in real}
    twins = [each.after for each in (*real, *planted) if each.after is not None]
    untouched = [pair for pair in clean if _place(pair) not in faulty]
    hunks = {pair.hunk for pair in positives}
    pairs = balanced([*positives, *(pair for pair in (*silent, *twins, *untouched) if pair.hunk not in hunks)], limit)
    if lonely := len(positives) - sum(pair.comment is not None for pair in pairs):
        dropped["review_without_negatives"] += lonely
    return pairs


def _mixed(real: Sequence[Reviewed], planted: Sequence[Reviewed]) -> Iterator[Reviewed]:
    """Real ones with a planted one after every few, so that a part of them holds both."""
    left = iter(planted)
    for number, each in enumerate(real, 1):
        yield each
        if number % (SEEDED_SHARE - 1) == 0:
            yield from islice(left, 1)
    yield from left


def _place(pair: ReviewPair) -> tuple[str, str]:
    """A definition, told by its first line."""
    return pair.path, pair.hunk.partition("\n")[0]
