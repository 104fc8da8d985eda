"""Faults planted in good code of the repository, each with the clean code as its twin.

History alone shows few faults of each kind. These are easier than real ones, so they are few.
"""

import random
import re
from collections import Counter
from dataclasses import replace

from acclimate_indexer.filters.secrets import has_secret
from acclimate_indexer.mining.source import Source
from acclimate_indexer.pairs import ReviewComment, ReviewPair
from acclimate_indexer.syntax import Symbol

from .faults import FAULTS, Fault
from .reviews.fixes import Reviewed
from .reviews.surroundings import Answer, answer

MAX_OF_A_KIND = 4  # so that the easy kinds do not crowd out the others
QUOTES = "\"'`"


class Seeds:
    """The faults that one mining plants: at most `most`, at most a few of a kind."""

    def __init__(self, most: int, choice: random.Random) -> None:
        self._left = most
        self._choice = choice
        self._planted: Counter[str] = Counter()

    def planted(self, source: Source, symbol: Symbol, clean: ReviewPair) -> Reviewed | None:
        """The function with a fault of the kind that is rarest so far; None if none fits or there are enough."""
        if not self._left:
            return None
        fitting = [fault for fault in FAULTS if clean.language in fault.languages and self._is_wanted(fault)]
        self._choice.shuffle(fitting)
        for fault in sorted(fitting, key=lambda each: self._planted[each.kind]):
            if found := spoiled(fault, source, symbol, clean):
                self._left -= 1
                self._planted[fault.kind] += 1
                return found
        return None

    def _is_wanted(self, fault: Fault) -> bool:
        return self._planted[fault.kind] < MAX_OF_A_KIND


def spoiled(fault: Fault, source: Source, symbol: Symbol, clean: ReviewPair) -> Reviewed | None:
    """The function with the fault at the first place that it fits; None if there is none."""
    text = clean.hunk + "\n"
    match = next((each for each in fault.pattern.finditer(text) if _is_code(fault, each, source, symbol)), None)
    if match is None:
        return None
    bad = text[: match.start()] + fault.made(match) + text[match.end() :]
    found = _difference(bad.split("\n")[:-1], text.split("\n")[:-1])
    comment = ReviewComment(
        line=found.line + 1,
        lines=found.lines,
        severity=fault.severity,
        message=fault.words(match),
        suggestion=found.suggestion,
    )
    origin = f"seeded:{fault.kind}"
    positive = replace(clean, hunk=bad.removesuffix("\n"), comment=comment, source=origin)
    if has_secret(f"{positive.hunk}\n{comment.message}\n{found.suggestion}"):
        return None
    return Reviewed(positive=positive, after=replace(clean, source=origin))


def _is_code(fault: Fault, match: re.Match[str], source: Source, symbol: Symbol) -> bool:
    """Whether all that changes is code, in the part of the function where the fault belongs."""
    start = source.line_start(symbol.span.start)
    at, end = start + match.start(), start + match.end()
    if symbol.body is not None and fault.is_in_head != (at < symbol.body.start):
        return False
    head = match["head"] if "head" in match.re.groupindex else ""
    if any((head or "").count(quote) % 2 for quote in QUOTES):
        return False
    return not any(span.start < end and at < span.end for span in source.outline.prose)


def _difference(bad: list[str], good: list[str]) -> Answer:
    """Where the bad text goes wrong, and what stands there in the good one."""
    first = next(number for number, lines in enumerate(zip(bad, good, strict=False)) if lines[0] != lines[1])
    last = 0
    while last < min(len(bad), len(good)) - first and bad[-1 - last] == good[-1 - last]:
        last += 1
    found = answer(bad, first, len(bad) - last - first, good[first : len(good) - last], "\n")
    return found if found is not None else Answer(first, 1, good[first])
