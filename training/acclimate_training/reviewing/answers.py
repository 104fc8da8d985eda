"""What a model is held to when it comments, and what the first token of an answer says already.

The engine holds an answer to a regular expression: the very text that `review_answer` trains, key by key. A schema
was tried: with bounds on the lengths xgrammar 0.2.8 takes ten seconds to compile it, and a bounded repetition in an
expression takes a tenth of a second to three seconds a token, in the thread that schedules everybody's completions.
Without bounds it is an eighth of a second once, and nothing a token. So the length is bounded by the tokens, and an
answer that does not end within them is none.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from acclimate_indexer.pairs import SEVERITIES, ReviewComment
from acclimate_indexer.review_answer import parsed_answer

from ..engine import Completion

CLEAN = "null"
MAX_TOKENS = 256  # as long as the answers that an adapter learns: 99 of 100 corrections fit
_CHARACTER = r'([^"\\\x00-\x1f]|\\["\\/bfnrt])'  # of a JSON string
_NUMBER = "[1-9][0-9]?"  # a hunk has 60 lines at most
COMMENT = (
    rf'\{{"line": {_NUMBER}, "lines": {_NUMBER}, "severity": "({"|".join(SEVERITIES)})", '
    rf'"message": "{_CHARACTER}+", "suggestion": "{_CHARACTER}*"\}}'
)
_PLACED = ', "lines"'  # by here it is decided where a comment stands


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """How likely a model is to comment.

    Attributes:
        comment: Probability of a comment, among the two answers that there are.
        decided: The probability of both together, of all that it might write: near 1 for one that learnt the form.
    """

    comment: float
    decided: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A comment as it was written.

    Attributes:
        text: One JSON object, or the beginning of one that did not end in time.
        is_whole: It ended.
        placed: Probability of the line that it names, given that there is a comment.
        likelihood: Geometric mean of the probabilities of its tokens.
    """

    text: str
    is_whole: bool
    placed: float
    likelihood: float


def chance_of(likeliest: Mapping[str, float]) -> Chance:
    """What the likeliest first tokens say.

    A token decides if it begins one of the two answers; those that say something else say nothing.
    """
    clean = sum(each for token, each in likeliest.items() if token and CLEAN.startswith(token))
    comment = sum(each for token, each in likeliest.items() if token.startswith("{"))
    decided = clean + comment
    return Chance(comment=comment / decided if decided else 0.0, decided=min(1.0, decided))


def said_by(completion: Completion) -> Said:
    """What an answer that was held to `COMMENT` says, and how sure the model was."""
    nats = [each for _, each in completion.tokens]
    return Said(
        text=completion.text,
        is_whole=completion.finish_reason == "stop",
        placed=math.exp(-sum(_before(completion.tokens, _PLACED))),
        likelihood=math.exp(-sum(nats) / len(nats)) if nats else 0.0,
    )


def _before(tokens: Iterable[tuple[str, float]], mark: str) -> Iterator[float]:
    """What the tokens cost that were written before a mark."""
    written = ""
    for text, nats in tokens:
        written += text
        if mark in written:
            return
        yield nats


def parsed(said: str, *, line_count: int) -> ReviewComment | None:
    """The comment that was written; None if it is none, is not whole, or points outside the hunk."""
    try:
        return parsed_answer(said, line_count=line_count)
    except ValueError:
        return None
