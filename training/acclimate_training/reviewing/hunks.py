"""Which pieces of a changed file a model is asked about, cut as the pieces were that it learnt from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from acclimate_indexer.filters.personal import personal_spans
from acclimate_indexer.filters.secrets import has_secret
from acclimate_indexer.mining.reviews.reading import is_test
from acclimate_indexer.mining.reviews.surroundings import (
    MARGIN_LINES,
    MAX_HUNK_LINES,
    Place,
    surroundings,
    whole_lines,
)
from acclimate_indexer.mining.source import Source
from acclimate_indexer.prompts import PromptBuilder
from acclimate_indexer.review.target import ReviewTarget

MAX_HUNKS = 8  # of a file: each costs a second or two of a processor, and people wait for the first findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """A piece of a file, and which of its lines are under review, counted from 0 in the file."""

    place: Place
    changed: tuple[range, ...]

    def is_changed(self, line: int) -> bool:
        return any(line in lines for lines in self.changed)


def hunks_of(target: ReviewTarget, builder: PromptBuilder, *, at_most: int = MAX_HUNKS) -> list[Hunk]:
    """The definitions, or else the lines, around what changed; those that no model was ever shown are left out.

    Changes that lie near each other are asked about together. Of a hunk too long for the prompt the changed lines are
    kept with a few around them.
    """
    if is_test(target.path):
        return []
    source, found = target.source, dict[Place, Hunk]()
    for lines in _pieces(target.changed, source):
        place = _shown(surroundings(source, lines.start, lines.stop - 1), lines, source, builder)
        if not place.is_readable or has_secret(place.text) or personal_spans(place.text):
            continue
        known = found.get(place)
        found[place] = Hunk(place=place, changed=(lines,)) if known is None else _with(known, lines)
        if len(found) > at_most:
            del found[place]
            break
    return list(found.values())


def _pieces(changed: Iterable[range], source: Source) -> Iterator[range]:
    """Changed lines that are asked about at once: neighbours together, what is long cut at its definitions."""
    for lines in _joined(changed):
        start = lines.start
        while start < lines.stop:
            stop = lines.stop
            if stop - start > MAX_HUNK_LINES - 2 * MARGIN_LINES:
                around = surroundings(source, start, start)
                stop = min(lines.stop, max(start + 1, around.last + 1))
            yield range(start, stop)
            start = stop


def _joined(changed: Iterable[range]) -> Iterator[range]:
    joined: range | None = None
    for lines in changed:
        if joined is None:
            joined = lines
        elif lines.start - joined.stop <= MARGIN_LINES and lines.stop - joined.start <= MAX_HUNK_LINES:
            joined = range(joined.start, lines.stop)
        else:
            yield joined
            joined = lines
    if joined is not None:
        yield joined


def _shown(place: Place, lines: range, source: Source, builder: PromptBuilder) -> Place:
    """The place, or the lines with a few around them where the prompt would end before they do."""
    if lines.stop - place.first <= builder.reviewed_lines(place.text):
        return place
    end = len(source.line_starts) - 1
    return whole_lines(source, max(0, lines.start - MARGIN_LINES), min(end, lines.stop - 1 + MARGIN_LINES))


def _with(hunk: Hunk, lines: range) -> Hunk:
    return replace(hunk, changed=(*hunk.changed, lines))
