"""Which held-out pairs are asked, and how each is put: spread over the files, in an order that the seed decides."""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import TypeVar

from acclimate_indexer.pairs import CompletionPair, ReviewPair

from ..encoding import Example, encoded
from .contenders import Form
from .prompted import Prompts

Pair = TypeVar("Pair", CompletionPair, ReviewPair)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A held-out pair, and how it is put to a model. Results are stored under the digest of what was asked.

    Not slotted, so that the digests are remembered: a table asks for each a few hundred times, at 50 microseconds.
    """

    pair: CompletionPair
    examples: Mapping[Form, Example]

    @property
    def name(self) -> str:
        return self._digests["plain"]

    def asked(self, form: Form) -> str:
        """Under which name the result of this form is stored."""
        return self._digests[form]

    @cached_property
    def _digests(self) -> dict[Form, str]:
        return {form: example.digest() for form, example in self.examples.items()}


def questions(
    pairs: Iterable[CompletionPair], prompts: Prompts, *, seed: int, at_most: int | None = None
) -> list[Question]:
    """One pair of every file before a second of any; whoever asks fewer asks the first of these."""
    found: dict[str, Question] = {}
    for pair in file_balanced(pairs, seed=seed):
        if len(found) == at_most:
            break
        question = _question(pair, prompts)
        found.setdefault(question.name, question)
    return list(found.values())


def file_balanced(pairs: Iterable[Pair], *, seed: int) -> list[Pair]:
    """All pairs, in an order whose every beginning is spread over as many files as it can."""
    rng = random.Random(seed)  # noqa: S311 - an order, not a key
    by_path: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_path[pair.path].append(pair)
    files = [by_path[path] for path in sorted(by_path)]
    rng.shuffle(files)
    for file in files:
        rng.shuffle(file)
    return [pair for row in zip_longest(*files) for pair in row if pair is not None]


def _question(pair: CompletionPair, prompts: Prompts) -> Question:
    examples: dict[Form, Example] = {
        "plain": encoded(pair, prompts.builder, repository=prompts.repository),
        "retrieval": encoded(pair, prompts.builder, repository=prompts.repository, context=pair.context),
        "prompted": encoded(
            pair, prompts.roomier, repository=prompts.repository, context=(*prompts.lesson(pair), *pair.context)
        ),
    }
    return Question(pair=pair, examples=examples)
