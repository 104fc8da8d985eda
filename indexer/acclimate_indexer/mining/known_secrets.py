"""Secrets that one place gives away as such, and that stand in another where nothing around them says what they are."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from typing import Self

from acclimate_indexer.filters.secrets import is_random_value, secret_values
from acclimate_indexer.pairs import CompletionPair, ReviewPair

from .state import CommitState

_WORD = re.compile(r"\w{4,}")


class KnownSecrets:
    """Values that look drawn by lot; a word such as `secret-name`, which the filter also hides, stands everywhere."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._by_word: dict[str, set[str]] = defaultdict(set)
        for text in texts:
            for start, end in secret_values(text):
                value = text[start:end]
                words = _WORD.findall(value)
                if words and is_random_value(value):
                    self._by_word[max(words, key=len)].add(value)

    @classmethod
    def of(cls, state: CommitState) -> Self:
        """Those of the files that are mined."""
        files = (file for file in state.files if state.analyses[file.path].secrets)
        return cls(state.texts.of(file.blob) or "" for file in files)

    def stand_in(self, text: str) -> bool:
        """Whether one of them does; between other letters of a longer word it is not seen."""
        found = self._by_word.keys() & _WORD.findall(text) if self._by_word else ()
        return any(value in text for word in found for value in self._by_word[word])

    def without(self, pair: CompletionPair) -> CompletionPair | None:
        """The pair without the retrieved code that holds one; None where its own file's code does."""
        if self.stand_in(pair.prefix + pair.middle + pair.suffix):
            return None
        return replace(pair, context=tuple(each for each in pair.context if not self.stand_in(each.text)))

    def stand_in_review(self, pair: ReviewPair) -> bool:
        said = () if pair.comment is None else (pair.comment.message, pair.comment.suggestion)
        return any(map(self.stand_in, chain((pair.hunk,), said)))
