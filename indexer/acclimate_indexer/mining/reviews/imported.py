"""Pairs from real review threads: comments on lines that were changed soon after."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from acclimate_indexer.changes import CommitDetails, FileChange, History, Hunk
from acclimate_indexer.feedback import ImportedReview
from acclimate_indexer.pairs import ReviewComment

from .fixes import MAX_ADDED_LINES, MAX_REMOVED_LINES, Replacement, Reviewed, pair_of
from .reading import Reading
from .reason import severity, told

HEEDED = timedelta(days=60)  # a line that changes later than that does so for another reason


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heeded:
    """The change that answers a comment."""

    commit: CommitDetails
    change: FileChange
    hunk: Hunk


class _Timeline:
    """The changes of each file, the oldest first, and where each commit stands."""

    def __init__(self, history: History) -> None:
        self.order: dict[str, tuple[int, datetime]] = {}
        self._changes: dict[str, list[tuple[int, CommitDetails, FileChange]]] = {}
        for number, (commit, files) in enumerate(reversed(history)):
            self.order[commit.sha] = (number, commit.time)
            for change in files:
                self._changes.setdefault(change.old_path or change.path, []).append((number, commit, change))

    def heeded(self, review: ImportedReview) -> _Heeded | str:
        """The first change of the line after the comment; or why there is none."""
        standing = self.order.get(review.commit)
        if standing is None:
            return "review_unknown_commit"
        path, line, (since, time) = review.path, review.line - 1, standing
        while found := self._next(path, since):
            since, commit, change = found
            if commit.time - time > HEEDED:
                break
            if change.is_too_large or not (change.new_blob or change.is_rename):
                return "review_too_large"
            hit = next((hunk for hunk in change.hunks if 0 <= line - hunk.old_start < len(hunk.removed)), None)
            if hit is not None:
                return _Heeded(commit=commit, change=change, hunk=hit)
            line += sum(len(hunk.added) - len(hunk.removed) for hunk in change.hunks if hunk.old_start <= line)
            path = change.path
        return "review_line_unchanged"

    def _next(self, path: str, since: int) -> tuple[int, CommitDetails, FileChange] | None:
        return next((each for each in self._changes.get(path, ()) if each[0] > since), None)


def imported(reviews: Sequence[ImportedReview], history: History, reading: Reading) -> Iterator[Reviewed]:
    """The comments that tell something and were heeded, each with what was done about it."""
    timeline = _Timeline(history)
    for review in reviews:
        message = told(review.message)
        found = timeline.heeded(review) if message else "review_vague"
        if isinstance(found, _Heeded) and max(len(found.hunk.removed), 1) > MAX_REMOVED_LINES:
            found = "review_too_large"
        if isinstance(found, str):
            reading.dropped[found] += 1
            continue
        if reading.is_reviewable(found.change.path) and (pair := _pair(found, message, reading)):
            yield pair


def _pair(found: _Heeded, message: str, reading: Reading) -> Reviewed | None:
    change, commit = found.change, found.commit
    parent = next(iter(commit.parents), "")
    before = reading.source(change.old_path or change.path, change.old_blob, parent)
    after = reading.source(change.path, change.new_blob, commit.sha)
    if before is None or after is None or len(found.hunk.added) > MAX_ADDED_LINES:
        reading.dropped["review_unreadable" if before is None or after is None else "review_too_large"] += 1
        return None
    comment = ReviewComment(line=1, severity=severity(message), message=message, suggestion="")
    return pair_of(Replacement(before=before, after=after, hunk=found.hunk), comment, "imported", reading)
