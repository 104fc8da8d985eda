"""Functions that nobody had to touch: the clean negatives, and the ground for seeded faults.

Where too few survived half a year, as in a young repository or one that is being rewritten, those follow that merely
stood a month: most code is right, and what was wrong with it mostly shows within days.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from acclimate_indexer.changes import History
from acclimate_indexer.mining.source import Source
from acclimate_indexer.syntax import Symbol

from .reading import Reading
from .surroundings import MAX_HUNK_LINES, Place, whole_lines
from .telling import telling

SURVIVED = (timedelta(days=180), 50)  # in half a year most faults of used code are found, but not at rest
SETTLED = (timedelta(days=30), 10)  # follow-up corrections mostly come within two weeks
MIN_FUNCTION_LINES = 4  # shorter ones are nothing to review
MAX_PER_FILE = 8  # so that no file speaks for the repository


Lately = dict[str, set[str] | None]  # lines put in of late, by path; None for a file in which any may be new


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A function of the state that is learnt from. `origin` is `survived` or `settled`."""

    source: Source
    symbol: Symbol
    place: Place
    origin: str


def standing(
    history: History, reading: Reading, files: Sequence[tuple[str, str]], commit: str, choice: random.Random
) -> Iterator[Standing]:
    """Functions in an order that `choice` decides: those that survived, then those that are settled.

    A function is told by its lines: none of them was put in by any commit of that time, nor by so many of the newest
    commits. Of a history that does not reach back a month, every function counts as settled.
    """
    order = [(path, blob) for path, blob in sorted(files) if reading.is_reviewable(path)]
    choice.shuffle(order)
    given: set[tuple[str, int]] = set()
    survived, settled = _put_in(history, *SURVIVED), _put_in(history, *SETTLED)
    tiers = [("settled", {} if settled is None else settled)]
    if survived is not None:
        tiers.insert(0, ("survived", survived))
    for origin, lately in tiers:
        for path, blob in order:
            lines = lately.get(path, set())
            source = None if lines is None else reading.source(path, blob, commit)
            if source is None or lines is None:
                continue
            found = [each for each in _functions(source) if _is_untouched(each[1], lines)]
            choice.shuffle(found)
            for symbol, place in found[:MAX_PER_FILE]:
                if (path, place.first) not in given:
                    given.add((path, place.first))
                    yield Standing(source=source, symbol=symbol, place=place, origin=origin)


def _put_in(history: History, time: timedelta, commits: int) -> Lately | None:
    """The lines that were put in lately; None if the history does not reach back so far."""
    if len(history) <= commits or history[0][0].time - history[-1][0].time < time:
        return None
    horizon = history[0][0].time - time
    found: Lately = {}
    for number, (commit, files) in enumerate(history):
        if number >= commits and commit.time < horizon:
            break
        for change in files:
            lines = found.setdefault(change.path, set())
            if change.is_too_large:
                found[change.path] = None
            elif lines is not None:
                lines.update(line.strip() for hunk in change.hunks for line in hunk.added)
    return found


def _is_untouched(place: Place, recent: set[str]) -> bool:
    return recent.isdisjoint(telling(place.text.split("\n")))


def _functions(source: Source) -> list[tuple[Symbol, Place]]:
    """Short enough to be shown whole."""
    found = []
    for symbol in source.outline.symbols:
        lines = source.lines(symbol.span)
        if symbol.kind == "function" and symbol.body and MIN_FUNCTION_LINES <= len(lines) <= MAX_HUNK_LINES:
            found.append((symbol, whole_lines(source, lines.start, lines.stop - 1)))
    return found
