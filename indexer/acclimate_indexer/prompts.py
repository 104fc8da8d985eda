"""A cursor or a pair as token ids: the one prompt builder of mining, training, evaluation and serving.

The order is repository header, retrieved snippets (in the order given, so that the engine's prefix cache hits), the
file's path, prefix, suffix: prefix-suffix-middle, as Qwen2.5-Coder was trained (arXiv 2409.12186, section 3.1). Special
tokens are put by id. Text of the repository is encoded with special tokens off, since a source file may contain
`<|fim_middle|>` or `<|endoftext|>` literally.

Whitespace is token-critical here: there is no space after the path and none around a marker. Spaces and tabs at the end
of the prefix are held back: in running text they are the beginning of the next token (`    return` is three spaces and
` return`), and a prompt that ends with them asks for tokens that the model has hardly ever seen. The answer begins with
them instead, and `after_held_back` takes them off. Guidance and other libraries call the general case token healing.
"""

import json
from bisect import bisect_left
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from tokenizers import Encoding, Tokenizer

from .errors import ModelCorrupt
from .pairs import Snippet

WINDOW_PREFIX_CHARACTERS = 8_000  # about 2,300 tokens: more than any budget takes, cheap to cut from a huge file
WINDOW_SUFFIX_CHARACTERS = 4_000
MAX_CHARACTERS_PER_TOKEN = 16  # text beyond budget x this cannot matter much; keeps encoding linear in the budget
USUAL_CHARACTERS_PER_TOKEN = 6  # code has 3 to 4: so much is nearly always enough, and a third of the work
MARGIN_TOKENS = 16  # so far from a cut no token changes by it
REVIEW_ENDING = ".review.json"  # of the path of a file: what is said about it
KEPT_SNIPPETS = 512  # whose ids are remembered: while one types they are the same, and most of a prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class FimTokens:
    """The fill-in-the-middle tokens of a model family, as the tokenizer spells them.

    Attributes:
        repository: Opens the repository's name; None where the family has no such token.
        file: Opens a file of the repository; None where the family has no such token.
        stops: Further tokens that end an answer, beside all of the above.
    """

    prefix: str
    middle: str
    suffix: str
    end_of_text: str
    repository: str | None = None
    file: str | None = None
    stops: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        return cls(**{**record, "stops": tuple(record.get("stops", ()))})


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptBudget:
    """How many tokens each part of a prompt may take.

    The defaults suit a processor without a GPU, where a prompt costs about a millisecond a token.
    """

    prefix: int = 256
    suffix: int = 96
    context: int = 512

    def to_json(self) -> dict[str, int]:
        return asdict(self)

    def scaled(self, factor: float) -> "PromptBudget":
        """So many times as many tokens in each part."""
        return PromptBudget(**{part: int(tokens * factor) for part, tokens in self.to_json().items()})

    @property
    def total(self) -> int:
        return self.prefix + self.suffix + self.context


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A place in a file: all that a completion is asked with.

    `prefix` and `suffix` are the text before and after the cursor, at most the window's characters.
    """

    path: str
    language: str
    prefix: str
    suffix: str

    @classmethod
    def at(cls, *, path: str, language: str, text: str, start: int, end: int | None = None) -> Self:
        """The cursor at `start` in `text`, with the characters up to `end` (default: `start`) left out as the hole."""
        after = start if end is None else end
        return cls(
            path=path,
            language=language,
            prefix=text[max(0, start - WINDOW_PREFIX_CHARACTERS) : start],
            suffix=text[after : after + WINDOW_SUFFIX_CHARACTERS],
        )


def held_back(prefix: str) -> str:
    """The white space at the end of a prefix that is not put into the prompt; the answer begins with it."""
    return prefix[len(prefix.rstrip(" \t")) :]


def after_held_back(answer: str, held: str) -> str | None:
    """What an answer puts at the cursor; None while it may still be writing what was held back.

    An answer that begins with less than that has another indentation in mind, which the cursor does not leave it.
    """
    if answer.startswith(held):
        return answer[len(held) :]
    return None if held.startswith(answer) else answer.lstrip(" \t")


def listing(hunk: str) -> list[str]:
    """The lines of a hunk with their numbers, as a reviewer reads them.

    Only "\\n" ends a line, as everywhere in mining: a form feed in the code must not move the numbers.
    """
    return [f"{number}|{line}" for number, line in enumerate(hunk.removesuffix("\n").split("\n"), start=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The ids of a prompt before and after what was retrieved, and what encodes that."""

    head: tuple[int, ...]
    tail: tuple[int, ...]
    snippets: Callable[[Sequence[Snippet]], list[int]]

    def around(self, context: Sequence[Snippet]) -> tuple[int, ...]:
        """The whole prompt."""
        return (*self.head, *self.snippets(context), *self.tail)


class PromptBuilder:
    """Turns cursors into prompts and middles into targets, for one model."""

    def __init__(self, tokenizer: Tokenizer, tokens: FimTokens, budget: PromptBudget) -> None:
        """Takes a tokenizer whose added tokens are all marked special, as `load` makes it."""
        self._tokenizer = tokenizer
        self._tokenizer.encode_special_tokens = True  # "<|fim_middle|>" in a source file is text, not a marker
        self.budget = budget
        self._prefix = self._id(tokens.prefix)
        self._middle = self._id(tokens.middle)
        self._suffix = self._id(tokens.suffix)
        self._repository = None if tokens.repository is None else self._id(tokens.repository)
        self._file = None if tokens.file is None else self._id(tokens.file)
        self._block = lru_cache(KEPT_SNIPPETS)(self._encoded_block)
        self.end_of_text_id = self._id(tokens.end_of_text)
        named = (tokens.prefix, tokens.middle, tokens.suffix, tokens.end_of_text, tokens.repository, tokens.file)
        every = [*(token for token in named if token is not None), *tokens.stops]
        self.stop_ids: tuple[int, ...] = tuple(dict.fromkeys(self._id(token) for token in every))

    @classmethod
    def load(cls, folder: Path, tokens: FimTokens, budget: PromptBudget) -> Self:
        """Reads `tokenizer.json` of a model folder.

        Raises:
            ModelCorrupt: The tokenizer is missing, unreadable or lacks a token.
        """
        path = folder / "tokenizer.json"
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
            for token in state["added_tokens"]:
                token["special"] = True  # Qwen marks its FIM tokens as ordinary; literal text must not become one
            return cls(Tokenizer.from_str(json.dumps(state)), tokens, budget)
        except Exception as error:  # the tokenizers library raises bare `Exception` for any damage
            raise ModelCorrupt(
                f"The tokenizer {str(path)!r} cannot be read ({error}). Fetch the model again: `acclimate model fetch`."
            ) from error

    def with_budget(self, budget: PromptBudget) -> "PromptBuilder":
        """The same prompts with other room."""
        other = copy(self)
        other.budget = budget
        return other

    def prompt(self, cursor: Cursor, *, repository: str, context: Sequence[Snippet] = ()) -> tuple[int, ...]:
        """The ids that ask for what belongs at the cursor."""
        return self.frame(cursor, repository=repository).around(context)

    def frame(self, cursor: Cursor, *, repository: str) -> "Frame":
        """All of a prompt but what was retrieved: for who still waits for that."""
        head: tuple[int, ...] = ()
        path: tuple[int, ...] = ()
        if self._repository is not None and self._file is not None:
            head = (self._repository, *self._encode(f"{repository}\n"))
            path = (self._file, *self._encode(f"{cursor.path}\n"))
        tail = (
            *path,
            self._prefix,
            *self._tail(cursor.prefix.removesuffix(held_back(cursor.prefix)), self.budget.prefix),
            self._suffix,
            *self._head(cursor.suffix, self.budget.suffix),
            self._middle,
        )
        return Frame(head=head, tail=tail, snippets=self._snippets if head else lambda _: [])

    def review_prompt(
        self, hunk: str, *, path: str, repository: str, context: Sequence[Snippet] = ()
    ) -> tuple[int, ...]:
        """The ids that ask for a comment on a hunk: its numbered lines as one file, the answer as the next.

        As many whole lines as the prefix and the suffix of a completion may take together.

        Args:
            context: Files that are put before it: what a team asks of its reviewers, and how reviews look.
        """
        lines = [token for line in self._numbered(hunk) for token in line]
        opening = [] if self._repository is None else [self._repository, *self._encode(f"{repository}\n")]
        told = self._snippets(context) if self._file is not None else []
        return (*opening, *told, *self._opened(path), *lines, *self._opened(f"{path}{REVIEW_ENDING}"))

    def reviewed_lines(self, hunk: str) -> int:
        """How many lines of a hunk, from the first on, a review's prompt has room for."""
        return len(self._numbered(hunk))

    def target(self, middle: str, *, prefix: str = "") -> tuple[int, ...]:
        """The ids of the answer after a prefix. It begins with what the prompt held back.

        It ends with the end-of-text token: without it a model never learns to stop.
        """
        return (*self._encode(held_back(prefix) + middle), self.end_of_text_id)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of an answer's ids; stop tokens give no text."""
        return self._tokenizer.decode(list(ids), skip_special_tokens=True)

    def _numbered(self, hunk: str) -> list[list[int]]:
        room = self.budget.prefix + self.budget.suffix
        longest = room * MAX_CHARACTERS_PER_TOKEN
        lines: list[list[int]] = []
        for line in listing(hunk):
            encoded = self._encode(f"{line[:longest]}\n")
            room -= len(encoded)
            if room < 0:
                break
            lines.append(encoded)
        return lines

    def _opened(self, path: str) -> list[int]:
        """A file's heading; where the family has no token for it, the path alone."""
        return [*([] if self._file is None else [self._file]), *self._encode(f"{path}\n")]

    def _snippets(self, context: Sequence[Snippet]) -> list[int]:
        assert self._file is not None
        ids: list[int] = []
        for snippet in context:
            block = self._block(snippet.path, snippet.text)
            if len(ids) + len(block) > self.budget.context:
                break
            ids += block
        return ids

    def _encoded_block(self, path: str, text: str) -> tuple[int, ...]:
        assert self._file is not None
        return (self._file, *self._encode(f"{path}\n{text.rstrip()}\n"))

    def _tail(self, text: str, budget: int) -> list[int]:
        """The last tokens of the prefix, from the start of a line, so that the cut never moves inside one."""
        part, found = self._enough(text, budget, lambda characters: text[-characters:])
        ids = found.ids
        if len(ids) <= budget:
            return ids
        places, words = found.offsets, found.word_ids
        line = part.find("\n", places[-budget][0]) + 1
        if not line:
            return ids[-budget:]
        # Tokenizers cut a text into words and encode each by itself: from the beginning of one on the ids are the same
        # as those of the rest alone. Some take a line's end and the indentation after it for one word.
        first = bisect_left(places, (line, 0))
        is_word = first < len(ids) and places[first][0] == line and words[first] != words[first - 1]
        return ids[first:] if is_word else self._encode(part[line:])

    def _head(self, text: str, budget: int) -> list[int]:
        return self._enough(text, budget, lambda characters: text[:characters])[1].ids[:budget]

    def _enough(self, text: str, budget: int, part: Callable[[int], str]) -> tuple[str, Encoding]:
        """A part of the text, encoded: more ids than the budget, by so many that where it is cut changes none of it.

        Only where the text is short or its tokens are long are there fewer.
        """
        characters = budget * USUAL_CHARACTERS_PER_TOKEN
        if len(text) > characters:
            usual = part(characters)
            found = self._encoding(usual)
            if len(found.ids) > budget + MARGIN_TOKENS:
                return usual, found
        most = part(budget * MAX_CHARACTERS_PER_TOKEN)
        return most, self._encoding(most)

    def _encoding(self, text: str) -> Encoding:
        return self._tokenizer.encode_batch([text], add_special_tokens=False)[0]  # `encode` lets no other thread run

    def _encode(self, text: str) -> list[int]:
        return self._encoding(text).ids

    def _id(self, token: str) -> int:
        found = self._tokenizer.token_to_id(token)
        if found is None:
            raise ValueError(f"no token {token!r}")
        return found
