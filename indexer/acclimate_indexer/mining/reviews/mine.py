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
    found = corrections(history, read=read, is_wanted=is_wanted, language_of=language_of, dropped=dropped)
    real = list(islice(found, most))
    spoken = [*imported_pairs(imported, history, read=read, language_of=language_of, dropped=dropped)][:most]
    twins = list(
        seeded_faults(
            files, commit=commit, read=read, language_of=language_of, choice=choice, limit=int(SEEDED_SHARE * most)
        )
    )
    commented = [*spoken, *(each.commented for each in real), *(faulty for faulty, _ in twins)][:most]
    clean = [each.clean for each in real if each.clean is not None] + [twin for _, twin in twins]
    needed = CLEAN_PER_COMMENTED * len(commented) - len(clean)
    old = survivors(history, files, commit=commit, read=read, language_of=language_of, choice=choice)
    clean = _distinct([*clean, *islice(old, max(0, needed))])
    kept = _distinct(commented)[: len(clean) // CLEAN_PER_COMMENTED]
    dropped["review_without_counterweight"] += len(commented) - len(kept)
    return _spread(kept, clean[: limit - len(kept)])


def _distinct(pairs: list[ReviewPair]) -> list[ReviewPair]:
    return list({(pair.path, pair.hunk): pair for pair in pairs}.values())


def _spread(commented: list[ReviewPair], clean: list[ReviewPair]) -> list[ReviewPair]:
    """The clean ones with the others among them at even distances."""
    if not commented:
        return clean
    step = len(clean) / len(commented)
    positioned = [((number + 0.5) * step, 0, pair) for number, pair in enumerate(commented)]
    positioned += [(float(number), 1, pair) for number, pair in enumerate(clean)]
    return [pair for _, _, pair in sorted(positioned, key=lambda each: each[:2])]
