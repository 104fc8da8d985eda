"""Keeps the clean pairs in the majority."""

from collections.abc import Iterable

from acclimate_indexer.pairs import ReviewPair

NEGATIVES = 3  # clean pieces for each comment: a reviewer that speaks too often is switched off


def balanced(pairs: Iterable[ReviewPair], at_most: int) -> list[ReviewPair]:
    """At most so many pairs, three clean ones before each with a comment, then the clean ones that are left.

    So every part from the front is mostly clean. What has a comment and finds no such company is left out.
    """
    given = list(dict.fromkeys(pairs))
    clean = [pair for pair in given if pair.comment is None]
    commented = [pair for pair in given if pair.comment is not None]
    found: list[ReviewPair] = []
    for number, each in enumerate(commented[: len(clean) // NEGATIVES]):
        found += [*clean[number * NEGATIVES : (number + 1) * NEGATIVES], each]
    return [*found, *clean[len(found) // (1 + NEGATIVES) * NEGATIVES :]][:at_most]
