"""Which pieces of a changed file a model is asked about, cut as the pieces were that it learnt from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from acclimate_indexer.filters.personal import personal_spans
from acclimate_indexer.filters.secrets import has_secret
from acclimate_indexer.mining.reviews.reading import is_test
from acclimate_indexer.mining.reviews.surroundings import (
    MARGIN_LINES,
    MAX_HUNK_LINES,
    Place,
    lines_of,
    surroundings,
    whole_lines,
)
from acclimate_indexer.mining.source import Source
from acclimate_indexer.prompts import PromptBuilder
from acclimate_indexer.review.target import ReviewTarget

MAX_HUNKS = 8  # of a file: each costs a second or two of a processor, and people wait for the first findings

LONG_LINES = MAX_HUNK_LINES - 2 * MARGIN_LINES  # of a change: with its margins no more than was ever learnt


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """A piece of a file, and which of its lines are under review, counted from 0 in the file."""

    place: Place
    changed: tuple[range, ...]

    def is_changed(self, line: int) -> bool:
        return any(line in lines for lines in self.changed)


def hunks_of(target: ReviewTarget, builder: PromptBuilder, *, at_most: int = MAX_HUNKS) -> list[Hunk]:
    """The definitions, or else the lines, around what changed; those that no model was ever shown are left out.

    Of a hunk too long for the prompt the changed lines are kept with a few around them.
    """
    if is_test(target.path):
        return []
    hunks = (_shown(each, target.source, builder) for each in _hunks(target.changed, target.source))
    return list(islice(filter(_is_presentable, hunks), at_most))


def _hunks(changed: Iterable[range], source: Source) -> Iterator[Hunk]:
    """One after the other; changes whose surroundings are the same or overlap are asked about together."""
    last: Hunk | None = None
    for hunk in _pieces(changed, source):
        if last is None:
            last = hunk
        elif hunk.place.first > last.place.last or not _is_short(together := _together(last, hunk, source)):
            yield last
            last = hunk
        else:
            last = together
    if last is not None:
        yield last


def _pieces(changed: Iterable[range], source: Source) -> Iterator[Hunk]:
    """Each change in its surroundings; what is too long to be asked about at once is cut at its definitions."""
    written = lines_of(source)
    for lines in changed:
        start = lines.start
        while lines.stop - start > LONG_LINES:
            place = surroundings(source, start, start)
            stop = min(lines.stop, max(start, place.last) + 1)
            yield Hunk(place=place, changed=(range(start, stop),))
            start = next((line for line in range(stop, lines.stop) if written[line : line + 1] != [""]), lines.stop)
        if start < lines.stop:
            yield Hunk(place=surroundings(source, start, lines.stop - 1), changed=(range(start, lines.stop),))


def _together(one: Hunk, other: Hunk, source: Source) -> Hunk:
    changed = (*one.changed, *other.changed)
    place = one.place if one.place == other.place else surroundings(source, changed[0].start, changed[-1].stop - 1)
    return Hunk(place=place, changed=changed)


def _is_short(hunk: Hunk) -> bool:
    return hunk.place.last - hunk.place.first < MAX_HUNK_LINES


def _is_presentable(hunk: Hunk) -> bool:
    text = hunk.place.text
    return hunk.place.is_readable and not has_secret(text) and not personal_spans(text)


def _shown(hunk: Hunk, source: Source, builder: PromptBuilder) -> Hunk:
    """The hunk, or its lines with a few around them where the prompt would end before they do."""
    first, stop = hunk.changed[0].start, hunk.changed[-1].stop
    if stop - hunk.place.first <= builder.reviewed_lines(hunk.place.text):
        return hunk
    end = len(source.line_starts) - 1
    return replace(hunk, place=whole_lines(source, max(0, first - MARGIN_LINES), min(end, stop - 1 + MARGIN_LINES)))
