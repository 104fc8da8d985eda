"""What ordinary commits left behind and nobody had to touch again: clean code as it is saved.

It looks like what a reviewer is shown, a change in its function. After a split by time it is also the only clean code
that the model cannot have seen.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from acclimate_indexer.changes import FileChange, History
from acclimate_indexer.pairs import ReviewPair

from .reading import Reading
from .reason import Saying, saying
from .surroundings import surroundings
from .telling import telling

MIN_LATER_COMMITS = 10  # that had the occasion to correct it
MAX_ADDED_LINES = 40  # of a hunk: more is a new file rather than an edit
ORIGIN = "ordinary"


def ordinary(history: History, reading: Reading) -> Iterator[ReviewPair]:
    """At most one piece of each commit that speaks of no correction, the newest first.

    Args:
        history: Newest first.
    """
    taken_out: dict[str, set[str]] = defaultdict(set)  # by path, by commits that are newer
    for number, (commit, changes) in enumerate(history):
        if number >= MIN_LATER_COMMITS and saying(commit) is Saying.OTHER:
            pieces = (_piece(change, commit.sha, reading, taken_out[change.path]) for change in changes)
            yield from [piece for piece in pieces if piece is not None][:1]
        for change in changes:
            if change.is_rename and change.old_path is not None:
                taken_out[change.old_path] |= taken_out[change.path]
            taken_out[change.old_path or change.path].update(
                line.strip() for hunk in change.hunks for line in hunk.removed
            )


def _piece(change: FileChange, commit: str, reading: Reading, taken_out: set[str]) -> ReviewPair | None:
    """The surroundings of the first hunk that still stands as it was put."""
    if change.is_too_large or not change.new_blob or not reading.is_reviewable(change.path):
        return None
    hunk = next((each for each in change.hunks if 0 < len(each.added) <= MAX_ADDED_LINES), None)
    if hunk is None or not _stands(hunk.added, taken_out):
        return None
    source = reading.source(change.path, change.new_blob, commit)
    if source is None:
        return None
    last = len(source.line_starts) - 1
    first = min(hunk.new_start, last)
    place = surroundings(source, first, min(last, first + len(hunk.added) - 1))
    return reading.pair(source, place, ORIGIN) if _stands(place.text.split("\n"), taken_out) else None


def _stands(lines: Sequence[str], taken_out: set[str]) -> bool:
    """Whether some line tells the place apart, and none of those that do was taken out later."""
    told = telling(lines)
    return bool(told) and taken_out.isdisjoint(told)
