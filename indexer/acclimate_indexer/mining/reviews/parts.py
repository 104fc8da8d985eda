"""Puts review pairs into the parts of a data set, so that none that is learnt from gives one away that is asked."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from acclimate_indexer.errors import DatasetError
from acclimate_indexer.mining.held_out_lines import leak_words, stripped_lines
from acclimate_indexer.pairs import ReviewPair, Split

from .balance import balanced


def in_parts(
    mined: Sequence[ReviewPair],
    tested: Sequence[ReviewPair],
    held_out_paths: Collection[str],
    *,
    leaks: Callable[[ReviewPair], bool],
    at_most: Mapping[Split, int],
) -> dict[Split, list[ReviewPair]]:
    """The pairs of each part.

    Args:
        mined: Of what is learnt from and of held-out files.
        tested: Those that are asked at the end; some may be among `mined`.
        leaks: Whether held-out code stands in a pair.
    """
    test = balanced(tested, at_most["test"])
    seen = HeldOutReviews(test)
    kept = [pair for pair in mined if pair.path in held_out_paths and pair not in seen]
    validation = balanced(kept, at_most["validation"])
    seen.add(validation)
    learnt = [pair for pair in mined if pair.path not in held_out_paths and pair not in seen and not leaks(pair)]
    return {"train": balanced(learnt, at_most["train"]), "validation": validation, "test": test}


def require_none_seen(held_out: Iterable[ReviewPair], learnt: Iterable[ReviewPair]) -> None:
    """Compares the review pairs that are learnt from with those held out, again by nothing but the result.

    Raises:
        DatasetError: One leaks, and the data set must not be written.
    """
    seen = HeldOutReviews(held_out)
    for pair in learnt:
        if pair in seen:
            raise DatasetError(leak_words(pair, "a held-out review pair has the same code or the same correction"))


class HeldOutReviews:
    """Held-out review pairs, and whether another one asks the same or gives the same answer away."""

    def __init__(self, pairs: Iterable[ReviewPair] = ()) -> None:
        self._marks: set[tuple[str, ...]] = set()
        self.add(pairs)

    def add(self, pairs: Iterable[ReviewPair]) -> None:
        self._marks.update(mark for pair in pairs for mark in _marks(pair))

    def __contains__(self, pair: ReviewPair) -> bool:
        return not self._marks.isdisjoint(_marks(pair))


def _marks(pair: ReviewPair) -> list[tuple[str, ...]]:
    """The code, and what was put in its place; a deletion puts nothing, and is told by the code alone."""
    marks = [("hunk", *stripped_lines(pair.hunk))]
    if pair.comment is not None and pair.comment.suggestion.strip():
        marks.append(("suggestion", pair.comment.message, *stripped_lines(pair.comment.suggestion)))
    return marks
