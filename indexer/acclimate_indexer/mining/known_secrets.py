"""Secrets that one place gives away as such, and that stand in another where nothing around them says what they are."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Self, TypeVar

from acclimate_indexer.filters.secrets import is_random_value, secret_values
from acclimate_indexer.pairs import CompletionPair, ReviewPair

from .state import CommitState

Pair = TypeVar("Pair", CompletionPair, ReviewPair)

_WORD = re.compile(r"\w{4,}")


class KnownSecrets:
    """Values that look drawn by lot; a word such as `secret-name`, which the filter also hides, stands everywhere."""

    def __init__(self, texts: Iterable[str], dropped: Counter[str]) -> None:
        self._dropped = dropped
        self._by_word: dict[str, set[str]] = defaultdict(set)
        for text in texts:
            for start, end in secret_values(text):
                value = text[start:end]
                words = _WORD.findall(value)
                if words and is_random_value(value):
                    self._by_word[max(words, key=len)].add(value)

    @classmethod
    def of(cls, state: CommitState, dropped: Counter[str]) -> Self:
        """Those of the files that are mined. `dropped` counts the pairs that hold one."""
        files = (file for file in state.files if state.analyses[file.path].secrets)
        return cls((state.texts.of(file.blob) or "" for file in files), dropped)

    def stand_in(self, text: str) -> bool:
        """Whether one of them does; between other letters of a longer word it is not seen."""
        found = self._by_word.keys() & _WORD.findall(text) if self._by_word else ()
        return any(value in text for word in found for value in self._by_word[word])

    def without(self, pairs: Sequence[CompletionPair]) -> list[CompletionPair]:
        """The pairs whose own file's code holds none, without the retrieved code that does."""
        return [
            replace(pair, context=tuple(each for each in pair.context if not self.stand_in(each.text)))
            for pair in self._kept(pairs, lambda pair: [pair.prefix + pair.middle + pair.suffix])
        ]

    def without_reviews(self, pairs: Sequence[ReviewPair]) -> list[ReviewPair]:
        """The pairs of which neither the code nor the comment holds one."""

        def said(pair: ReviewPair) -> list[str]:
            return [pair.hunk, *((pair.comment.message, pair.comment.suggestion) if pair.comment else ())]

        return self._kept(pairs, said)

    def _kept(self, pairs: Sequence[Pair], texts: Callable[[Pair], list[str]]) -> list[Pair]:
        kept = [pair for pair in pairs if not any(map(self.stand_in, texts(pair)))]
        self._dropped["secret_elsewhere"] += len(pairs) - len(kept)
        return kept
