"""What one answer is worth. Every figure is taken after the cut that the server makes, except `exact_match_raw`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """An answer against the true middle; truth values count as 0 and 1.

    Attributes:
        exact_match: The served text is the middle, but for trailing white space.
        exact_match_raw: The text as generated is, and the model ended it by itself.
        edit_similarity: 1 less the Levenshtein distance over the longer length.
        first_line_right: The first line is, whatever follows.
        stops: The model ended by itself.
    """

    exact_match: float
    exact_match_raw: float
    edit_similarity: float
    first_line_right: float
    stops: float


FIGURES = ("exact_match", "exact_match_raw", "edit_similarity", "first_line_right", "stops")


def score(*, generated: str, served: str, middle: str, stopped: bool) -> Score:
    wanted = middle.rstrip()
    given = served.rstrip()
    return Score(
        exact_match=float(given == wanted),
        exact_match_raw=float(stopped and generated.rstrip() == wanted),
        edit_similarity=edit_similarity(given, wanted),
        first_line_right=float(_first_line(given) == _first_line(wanted)),
        stops=float(stopped),
    )


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
