"""Duplicates: the same hole twice, and holes of the test that almost stood in the training.

Two holes are compared by their middle with three lines around it: the middle alone repeats too easily, the whole file
hardly ever.
"""

import hashlib
import re
from collections.abc import Iterable

from rensa import RMinHash, RMinHashLSH  # pyright: ignore[reportAttributeAccessIssue]  # compiled, without stubs

from acclimate_indexer.pairs import CompletionPair

CONTEXT_LINES = 3  # around a middle
SIMILARITY = 0.7  # Jaccard, of shingles; what the large code data sets use
SHINGLE_TOKENS = 5
PERMUTATIONS = 128
BANDS = 32  # of four rows: finds nearly all that are similar enough, and more; each find is verified
SEED = 1

_TOKEN = re.compile(r"\w+|[^\w\s]")


def neighbourhood(pair: CompletionPair) -> str:
    """The middle with the lines around it."""
    before = pair.prefix.split("\n")[-CONTEXT_LINES - 1 :]
    after = pair.suffix.split("\n", CONTEXT_LINES + 1)[: CONTEXT_LINES + 1]
    return "\n".join(before) + pair.middle + "\n".join(after)


def fingerprint(pair: CompletionPair) -> str:
    """Equal for holes whose middle and neighbourhood differ in white space only."""
    text = f"{' '.join(pair.middle.split())}\0{' '.join(neighbourhood(pair).split())}"
    return hashlib.sha256(text.encode("utf-8", errors="replace")).hexdigest()


class NearDuplicates:
    """Answers whether a hole almost stands among those it was made from."""

    def __init__(self, pairs: Iterable[CompletionPair]) -> None:
        self._hashes = [_min_hash(pair) for pair in pairs]
        self._index = RMinHashLSH(SIMILARITY, PERMUTATIONS, BANDS)
        for key, value in enumerate(self._hashes):
            self._index.insert(key, value)

    def holds(self, pair: CompletionPair) -> bool:
        wanted = _min_hash(pair)
        return any(wanted.jaccard(self._hashes[key]) >= SIMILARITY for key in self._index.query(wanted))


def _min_hash(pair: CompletionPair) -> RMinHash:
    tokens = _TOKEN.findall(neighbourhood(pair))
    shingles = [" ".join(tokens[at : at + SHINGLE_TOKENS]) for at in range(max(1, len(tokens) - SHINGLE_TOKENS + 1))]
    value = RMinHash(PERMUTATIONS, SEED)
    value.update(shingles)
    return value
