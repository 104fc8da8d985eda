"""Duplicates: the same hole twice, and holes of the test that almost stood in the training.

Two holes are compared by their middle with three lines around it: the middle alone repeats too easily, the whole file
hardly ever.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import NamedTuple, Self

from rensa import RMinHash, RMinHashLSH  # pyright: ignore[reportAttributeAccessIssue]  # compiled, without stubs

from acclimate_indexer.pairs import CompletionPair

CONTEXT_LINES = 3  # around a middle
SIMILARITY = 0.7  # Jaccard, of shingles; what the large code data sets use
SHINGLE_TOKENS = 5
SIMILAR_MIDDLE = 0.5  # Jaccard, of tokens: half of an answer is another name or number
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


class Mark(NamedTuple):
    """What two holes are compared by."""

    neighbourhood: RMinHash
    middle: frozenset[str]

    @classmethod
    def of(cls, pair: CompletionPair) -> Self:
        tokens = _TOKEN.findall(neighbourhood(pair))
        shingles = [
            " ".join(tokens[at : at + SHINGLE_TOKENS]) for at in range(max(1, len(tokens) - SHINGLE_TOKENS + 1))
        ]
        value = RMinHash(PERMUTATIONS, SEED)
        value.update(shingles)
        return cls(value, frozenset(_TOKEN.findall(pair.middle)))


class NearDuplicates:
    """The holes that were added, and whether another is almost one of them."""

    def __init__(self) -> None:
        self._marks: list[Mark] = []
        self._index = RMinHashLSH(SIMILARITY, PERMUTATIONS, BANDS)

    def add(self, mark: Mark) -> None:
        self._index.insert(len(self._marks), mark.neighbourhood)
        self._marks.append(mark)

    def is_near(self, mark: Mark) -> bool:
        """Whether a hole lies where one that was added lies, or in much the same code."""
        return any(True for _ in self._near(mark))

    def repeats(self, mark: Mark) -> bool:
        """Whether the answer is much the same, too. Neighbouring holes of one file share all but the answer."""
        return any(_jaccard(mark.middle, other.middle) >= SIMILAR_MIDDLE for other in self._near(mark))

    def _near(self, mark: Mark) -> Iterator[Mark]:
        found = (self._marks[key] for key in self._index.query(mark.neighbourhood))
        return (other for other in found if mark.neighbourhood.jaccard(other.neighbourhood) >= SIMILARITY)


def _jaccard(one: frozenset[str], two: frozenset[str]) -> float:
    return len(one & two) / max(1, len(one | two))
