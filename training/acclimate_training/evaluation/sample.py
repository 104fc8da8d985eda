"""Which held-out pairs are asked: spread over the files, in an order that the seed decides."""

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest

from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.prompts import PromptBuilder

from ..encoding import Example, encoded


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A held-out pair, and how it is put to a model. Results are stored under its name."""

    pair: CompletionPair
    example: Example

    @property
    def name(self) -> str:
        return self.example.digest()


def questions(
    pairs: Iterable[CompletionPair], builder: PromptBuilder, *, repository: str, seed: int, at_most: int
) -> list[Question]:
    """One pair of every file before a second of any; whoever asks fewer asks the first of these."""
    chosen = file_balanced(pairs, seed=seed)
    found = {
        question.name: question
        for pair in chosen
        for question in [Question(pair=pair, example=encoded(pair, builder, repository=repository))]
    }
    return list(found.values())[:at_most]


def file_balanced(pairs: Iterable[CompletionPair], *, seed: int) -> list[CompletionPair]:
    """All pairs, in an order whose every beginning is spread over as many files as it can."""
    rng = random.Random(seed)  # noqa: S311 - an order, not a key
    by_path: dict[str, list[CompletionPair]] = defaultdict(list)
    for pair in pairs:
        by_path[pair.path].append(pair)
    files = [by_path[path] for path in sorted(by_path)]
    rng.shuffle(files)
    for file in files:
        rng.shuffle(file)
    return [pair for row in zip_longest(*files) for pair in row if pair is not None]
