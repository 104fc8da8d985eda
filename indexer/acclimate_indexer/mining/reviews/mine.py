"""All review pairs of a history: what people corrected, what they commented on, seeded faults, and clean code.

Clean pairs outnumber the others by three to one or more: a reviewer mostly has nothing to say.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice

from acclimate_indexer.changes import History
from acclimate_indexer.feedback import ImportedReview
from acclimate_indexer.languages.language import Language
from acclimate_indexer.pairs import ReviewPair

from .corrections import corrections
from .hunks import Read
from .imported import imported_pairs
from .seeded import seeded_faults
from .survivors import survivors

CLEAN_PER_COMMENTED = 3
SEEDED_SHARE = 0.25  # of the commented pairs: enough to show kinds that are rare in a history, too few to be the rule
REAL_PER_SEEDED = 3

Twin = tuple[ReviewPair, ReviewPair | None]  # a pair with a comment, and its clean twin where it has one


def mine_reviews(
    history: History,
    *,
    commit: str,
    read: Read,
    is_wanted: Callable[[str], bool],
    language_of: Callable[[str], Language | None],
    files: Sequence[tuple[str, str]],
    seed: int,
    limit: int,
    dropped: Counter[str],
    imported: Sequence[ImportedReview] = (),
) -> list[ReviewPair]:
    """At most `limit` pairs, those with comments among them spread evenly.

    Args:
        history: Newest first.
        commit: The state that `files`, each a path and a blob, are of.
        read: Gives the text of a blob.
    """
    choice = random.Random(f"{seed} {commit}")  # noqa: S311 - repeatable, not secret
    most = limit // (1 + CLEAN_PER_COMMENTED)
    corrected = corrections(history, read=read, is_wanted=is_wanted, language_of=language_of, dropped=dropped)
    spoken = imported_pairs(imported, history, read=read, language_of=language_of, dropped=dropped)
    real: list[Twin] = [*((pair, None) for pair in spoken), *((each.commented, each.clean) for each in corrected)]
    seeded = seeded_faults(
        files, commit=commit, read=read, language_of=language_of, choice=choice, limit=int(SEEDED_SHARE * most)
    )
    found = _distinct(_mixed(real, list(seeded)))[:most]
    old = survivors(history, files, commit=commit, read=read, language_of=language_of, choice=choice)
    survived = list(islice(old, CLEAN_PER_COMMENTED * len(found)))
    kept = _balanced(found, len(survived))
    dropped["review_without_counterweight"] += len(found) - len(kept)
    clean = [twin for _, twin in kept if twin is not None]
    clean += survived[: max(0, CLEAN_PER_COMMENTED * len(kept) - len(clean))]
    return _spread([pair for pair, _ in kept], clean)


def _mixed(real: list[Twin], seeded: list[Twin]) -> list[Twin]:
    """Real ones, and after every third a seeded one."""
    mixed: list[Twin] = []
    left = iter(seeded)
    for number, each in enumerate(real, 1):
        mixed.append(each)
        if number % REAL_PER_SEEDED == 0:
            mixed.extend(islice(left, 1))
    return [*mixed, *left]


def _distinct(found: list[Twin]) -> list[Twin]:
    return list({(pair.path, pair.hunk): (pair, twin) for pair, twin in found}.values())


def _balanced(found: list[Twin], survived: int) -> list[Twin]:
    """As many as there are clean ones to outweigh them, their own twins among these."""
    kept: list[Twin] = []
    clean = survived
    for pair, twin in found:
        clean += twin is not None
        if CLEAN_PER_COMMENTED * (len(kept) + 1) > clean:
            break
        kept.append((pair, twin))
    return kept


def _spread(commented: list[ReviewPair], clean: list[ReviewPair]) -> list[ReviewPair]:
    """The clean ones with the others among them at even distances."""
    if not commented:
        return clean
    step = len(clean) / len(commented)
    positioned = [((number + 0.5) * step, 0, pair) for number, pair in enumerate(commented)]
    positioned += [(float(number), 1, pair) for number, pair in enumerate(clean)]
    return [pair for _, _, pair in sorted(positioned, key=lambda each: each[:2])]
