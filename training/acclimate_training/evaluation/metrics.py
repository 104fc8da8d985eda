"""What one answer is worth. Every figure is taken after the cut that the server makes, except `exact_match_raw`."""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from acclimate_indexer.fragment import Fragment, fragment
from acclimate_indexer.languages.registry import language_named

if TYPE_CHECKING:
    from .names import KnownNames

REMEMBERED_TRUTHS = 512  # parsed; each is asked for by every contender in turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a contender said to a pair.

    Attributes:
        generated: As the model wrote it; `served`: what the cut leaves of it.
        stopped: The model ended by itself.
    """

    language: str
    prefix: str
    middle: str
    suffix: str
    generated: str
    served: str
    stopped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What one answer is worth; truth values count as 0 and 1. All but the two that say so are of the served text.

    Attributes:
        exact_match: The served text is the middle, but for trailing white space.
        exact_match_raw: The text as generated is, and the model ended it by itself.
        edit_similarity: 1 less the Levenshtein distance over the longer length, trailing white space left out.
        identifier_f1: Of the names in the served text and in the middle, each counted as often as it stands; 1 where
            neither has any. Without a grammar all words are names.
        first_line_match: The first line is right, whatever follows.
        stop_rate: The model ended by itself.
        length_ratio: Characters generated for each true one. A table shows the median.
        parse_share: With the served text the file has no more syntax errors than with the middle.
        invented_names: How many names exist nowhere; see `names`.
        retired_names: How many names the repository has replaced by others.

    The last three are None where they cannot be told: without a grammar, or without the names that there are.
    """

    exact_match: float
    exact_match_raw: float
    edit_similarity: float
    identifier_f1: float
    first_line_match: float
    stop_rate: float
    length_ratio: float
    parse_share: float | None
    invented_names: float | None
    retired_names: float | None


# In this order in tables. `length_ratio` is shown by its median, all others by their mean.
ASSESSED = tuple(Assessment.__dataclass_fields__)


def assess(answer: Answer, known: "KnownNames | None" = None) -> Assessment:
    """Judges one answer; a millisecond or two."""
    wanted, given = answer.middle.rstrip(), answer.served.rstrip()
    truth = _truth(answer.middle, answer.prefix, answer.suffix, answer.language)
    found = truth if answer.served == answer.middle else _in_place(answer.served, answer)
    return Assessment(
        exact_match=float(given == wanted),
        exact_match_raw=float(answer.stopped and answer.generated.rstrip() == wanted),
        edit_similarity=edit_similarity(given, wanted),
        identifier_f1=multiset_f1(Counter(found.identifiers), Counter(truth.identifiers)),
        first_line_match=float(_first_line(given) == _first_line(wanted)),
        stop_rate=float(answer.stopped),
        length_ratio=len(answer.generated) / max(1, len(answer.middle)),
        parse_share=_parses(found, truth),
        invented_names=_invented(found, answer, known),
        retired_names=_retired(answer, known),
    )


def multiset_f1(given: Counter[str], wanted: Counter[str]) -> float:
    """The harmonic mean of precision and recall; 1 where both are empty."""
    total = given.total() + wanted.total()
    return 2 * (given & wanted).total() / total if total else 1.0


def edit_similarity(left: str, right: str) -> float:
    """1 for equal texts, 0 for texts that share nothing."""
    longest = max(len(left), len(right))
    return 1.0 if not longest else 1.0 - levenshtein(left, right) / longest


def levenshtein(left: str, right: str) -> int:
    """Edits from one text to the other, by the bit-parallel way of Myers in the form of Hyyrö (2003).

    A column of the table of distances is held as two integers of bits, where it rises and where it falls; Python's
    long integers make texts of a thousand characters cheap without another dependency.
    """
    if not left:
        return len(right)
    full = (1 << len(left)) - 1
    last = 1 << (len(left) - 1)
    occurs: dict[str, int] = {}
    for index, letter in enumerate(left):
        occurs[letter] = occurs.get(letter, 0) | 1 << index
    rises, falls, distance = full, 0, len(left)
    for letter in right:
        match = occurs.get(letter, 0)
        diagonal = (((match & rises) + rises) ^ rises) | match | falls
        up = falls | (full & ~(diagonal | rises))
        down = rises & diagonal
        distance += bool(up & last) - bool(down & last)
        up = (up << 1) | 1
        rises = full & ((down << 1) | ~(diagonal | up))
        falls = up & diagonal & full
    return distance


def _first_line(text: str) -> str:
    return text.partition("\n")[0].rstrip()


@lru_cache(maxsize=REMEMBERED_TRUTHS)
def _truth(middle: str, prefix: str, suffix: str, language: str) -> Fragment:
    return fragment(middle, prefix=prefix, suffix=suffix, language=language_named(language))


def _in_place(piece: str, answer: Answer) -> Fragment:
    return fragment(piece, prefix=answer.prefix, suffix=answer.suffix, language=language_named(answer.language))


def _parses(found: Fragment, truth: Fragment) -> float | None:
    return None if found.errors is None or truth.errors is None else float(found.errors <= truth.errors)


def _invented(found: Fragment, answer: Answer, known: "KnownNames | None") -> float | None:
    language = language_named(answer.language)
    if known is None or language is None or language.grammar is None:
        return None
    return float(len(known.invented(found, prefix=answer.prefix, suffix=answer.suffix, language=language)))


def _retired(answer: Answer, known: "KnownNames | None") -> float | None:
    return (
        None if known is None else float(len(known.retired(answer.served, prefix=answer.prefix, suffix=answer.suffix)))
    )
