"""Keeps the clean pairs in the majority."""

from collections.abc import Sequence

from acclimate_indexer.pairs import ReviewPair

CLEAN_PER_COMMENTED = 3  # a reviewer mostly has nothing to say


def balanced(pairs: Sequence[ReviewPair], at_most: int) -> list[ReviewPair]:
    """At most so many pairs in their order; of those with a comment no more than the clean ones outweigh."""
    clean = [pair for pair in pairs if pair.comment is None]
    commented = [pair for pair in pairs if pair.comment is not None]
    kept = commented[: min(len(clean), at_most - at_most // (1 + CLEAN_PER_COMMENTED)) // CLEAN_PER_COMMENTED]
    chosen = {id(pair) for pair in (*kept, *clean[: at_most - len(kept)])}
    return [pair for pair in pairs if id(pair) in chosen]
