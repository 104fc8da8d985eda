"""Answers that are still good: a request that one of them fits is not put to the engine.

Two ways lead back to an answer. Whoever types what was offered is at a later place of the same answer. And the same
prompt gets the same answer from the same model, since decoding is greedy: after a deletion, in another window, or
where the next place was asked for in advance.
"""

import hashlib
import secrets
from array import array
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from acclimate_indexer.confidence import Certainty

MAX_ANSWERS = 512  # of all documents; an answer is a few hundred bytes
MAX_OFFERS = 8  # of one document, that typing may still go through
MAX_DOCUMENTS = 32
CLOSERS = ")]}\"'`"  # what editors put behind the cursor by themselves


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAnswer:
    """What a model wrote at a place, before it is cut.

    Attributes:
        text: What is left of it, if some was typed.
        is_whole: It ended by itself, or all that could follow would be cut away.
        typed: Its beginning, which was typed since.
    """

    text: str
    is_whole: bool
    certainty: Certainty
    typed: str = ""

    def confidence(self, shown: str) -> float | None:
        """The probability of what is shown of it; None where the engine does not say what its tokens cost."""
        return self.certainty.confidence(shown, typed=self.typed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """An answer that was given, and where.

    Attributes:
        before: The document's text up to the cursor; `after`: from it.
        raw: The whole answer as it was written: more may fit a later place than what was shown at this one.
        name: What its fate is noted under.
    """

    model: str
    before: str
    after: str
    raw: RawAnswer
    name: str = field(default_factory=lambda: secrets.token_hex(8))

    def at(self, before: str, after: str) -> RawAnswer | None:
        """What is left of it at a later place; None where the text went another way."""
        if not before.startswith(self.before) or not _is_same_rest(after, self.after):
            return None
        typed = before[len(self.before) :]
        if not self.raw.text.startswith(typed):
            return None
        return replace(self.raw, text=self.raw.text[len(typed) :], typed=typed)


class AnswerMemory:
    """The answers of one session."""

    def __init__(self) -> None:
        self._by_prompt: OrderedDict[bytes, RawAnswer] = OrderedDict()
        self._by_document: OrderedDict[str, deque[Offered]] = OrderedDict()

    def answer_to(self, model: str, prompt: Sequence[int]) -> RawAnswer | None:
        """What this model wrote for exactly this prompt."""
        key = _key(model, prompt)
        if (found := self._by_prompt.get(key)) is not None:
            self._by_prompt.move_to_end(key)
        return found

    def keep(self, model: str, prompt: Sequence[int], answer: RawAnswer) -> None:
        """Keeps an answer that was written to its end."""
        self._by_prompt[_key(model, prompt)] = answer
        if len(self._by_prompt) > MAX_ANSWERS:
            self._by_prompt.popitem(last=False)

    def offered(self, document: str, offered: Offered) -> None:
        """Notes what was given at a place of a document."""
        known = self._by_document.setdefault(document, deque(maxlen=MAX_OFFERS))
        known.append(offered)
        self._by_document.move_to_end(document)
        if len(self._by_document) > MAX_DOCUMENTS:
            self._by_document.popitem(last=False)

    def typed_through(self, document: str, model: str, before: str, after: str) -> Offered | None:
        """The newest answer whose beginning was typed since, with what is left of it.

        Nothing may be left: the model ended its answer here, and would do so again.
        """
        for offered in reversed(self._by_document.get(document, ())):
            rest = offered.at(before, after) if offered.model == model else None
            if rest is not None and (rest.text or rest.is_whole):
                return replace(offered, raw=rest)
        return None

    def forget(self, document: str) -> None:
        """The document was closed."""
        self._by_document.pop(document, None)


def _is_same_rest(after: str, then: str) -> bool:
    """Whether the text behind the cursor is as it was, but for closers that the editor put there."""
    return after.endswith(then) and not after[: len(after) - len(then)].strip(CLOSERS)


def _key(model: str, prompt: Sequence[int]) -> bytes:
    return hashlib.blake2b(model.encode() + b"\0" + array("I", prompt).tobytes(), digest_size=16).digest()
