"""Duplicates: the same hole twice, and holes of the test that almost stood in the training.

Two holes are compared by their middle with three lines around it: the middle alone repeats too easily, the whole file
hardly ever.
"""

import hashlib
import re

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
    """The holes that were added, and whether another is almost one of them."""

    def __init__(self) -> None:
        self._hashes: list[RMinHash] = []
        self._index = RMinHashLSH(SIMILARITY, PERMUTATIONS, BANDS)

    def add(self, value: RMinHash) -> None:
        self._index.insert(len(self._hashes), value)
        self._hashes.append(value)

    def holds(self, value: RMinHash) -> bool:
        return any(value.jaccard(self._hashes[key]) >= SIMILARITY for key in self._index.query(value))


def min_hash(pair: CompletionPair) -> RMinHash:
    """What two pairs are compared by."""
    tokens = _TOKEN.findall(neighbourhood(pair))
    shingles = [" ".join(tokens[at : at + SHINGLE_TOKENS]) for at in range(max(1, len(tokens) - SHINGLE_TOKENS + 1))]
    value = RMinHash(PERMUTATIONS, SEED)
    value.update(shingles)
    return value
