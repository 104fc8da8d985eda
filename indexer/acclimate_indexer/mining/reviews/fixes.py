"""Pairs from correcting commits: the code before with the reason as comment, the code after as clean twin."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from acclimate_indexer.changes import FileChange, Hunk
from acclimate_indexer.mining.source import Source
from acclimate_indexer.pairs import ReviewComment, ReviewPair

from .corrections import Correction
from .reading import Reading
from .reason import severity
from .surroundings import answer, code_of, layout_free, lines_of, surroundings

MAX_FILES = 4  # of a correction, tests aside: with more, its one reason does not fit each place
MAX_HUNKS = 8  # likewise
MAX_REMOVED_LINES = 12  # of a hunk: more is a rewrite
MAX_ADDED_LINES = 16  # likewise, and a suggestion must fit an answer
MAX_GAP_LINES = 2  # between hunks that belong together
MAX_PAIRS = 2  # of a commit: it should not speak for the whole history

_IMPORT = re.compile(
    r"\s*(?:import|from|use|using|require\w*|include\w*|#include|package|extern crate)\b|\s*[\w, *()]*$"
)
_WORD = re.compile(r"[A-Za-z][a-z]{3,}|[A-Z]{3,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """A piece of code with its comment, and the same place after it was put right, if that can be shown."""

    positive: ReviewPair
    after: ReviewPair | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """One hunk with both sides of its file."""

    before: Source
    after: Source
    hunk: Hunk


def reviewed(correction: Correction, reading: Reading) -> list[Reviewed]:
    """What a correction teaches: at most a few places, those first that its reason speaks of."""
    files = reading.reviewable(correction.files)
    hunks = sum(len(change.hunks) for change in files)
    if len(files) > MAX_FILES or hunks > MAX_HUNKS or any(change.is_too_large for change in files):
        reading.dropped["review_too_large"] += 1
        return []
    found = [place for change in files for place in _replacements(change, correction, reading)]
    told = set(_words(correction.reason))
    found.sort(key=lambda each: -len(told.intersection(_words("\n".join((*each.hunk.removed, *each.hunk.added))))))
    grave = severity(f"{correction.commit.subject} {correction.reason}")
    pairs = (
        pair_of(
            each,
            ReviewComment(line=1, severity=grave, message=correction.reason, suggestion=""),
            correction.source,
            reading,
        )
        for each in found
    )
    return [pair for pair in pairs if pair is not None][:MAX_PAIRS]


def pair_of(place: Replacement, comment: ReviewComment, origin: str, reading: Reading) -> Reviewed | None:
    """The pair of a replacement; line and suggestion of `comment` are filled in."""
    before, after, hunk = place.before, place.after, place.hunk
    added = [line.removesuffix("\r") for line in hunk.added]
    found = answer(lines_of(before), hunk.old_start, len(hunk.removed), added, before.language.comment)
    if found is None:
        return None
    around = surroundings(before, found.line, max(found.line, hunk.old_start + len(hunk.removed) - 1))
    said = replace(comment, line=found.line - around.first + 1, lines=found.lines, suggestion=found.suggestion)
    positive = reading.pair(before, around, origin, said)
    if positive is None:
        return None
    last = len(after.line_starts) - 1
    first = min(hunk.new_start, last)
    twin = surroundings(after, first, min(last, first + max(0, len(added) - 1)))
    return Reviewed(positive=positive, after=reading.pair(after, twin, "after"))


def _replacements(change: FileChange, correction: Correction, reading: Reading) -> Iterator[Replacement]:
    """The hunks of a file that correct code."""
    if change.is_rename and not change.hunks:
        reading.dropped["review_rename"] += 1
    parent = next(iter(correction.commit.parents), None)
    if not change.old_blob or not change.new_blob or parent is None:
        return
    before = reading.source(change.old_path or change.path, change.old_blob, parent)
    after = reading.source(change.path, change.new_blob, correction.commit.sha)
    if before is None or after is None:
        reading.dropped["review_unreadable"] += 1
        return
    arrived = [layout_free("".join(hunk.added)) for each in correction.files for hunk in each.hunks]
    for hunk in _joined(change.hunks, lines_of(before)):
        replacement = Replacement(before=before, after=after, hunk=hunk)
        if flaw := _flaw(replacement, arrived):
            reading.dropped[flaw] += 1
        else:
            yield replacement


def _joined(hunks: Sequence[Hunk], lines: Sequence[str]) -> list[Hunk]:
    """With those made one between which hardly a line stayed: a diff cuts a rewritten statement into pieces."""
    joined: list[Hunk] = []
    for hunk in hunks:
        end = joined[-1].old_start + len(joined[-1].removed) if joined else 0
        if joined and hunk.old_start - end <= MAX_GAP_LINES:
            last, between = joined.pop(), tuple(lines[end : hunk.old_start])
            hunk = Hunk(
                old_start=last.old_start,
                removed=(*last.removed, *between, *hunk.removed),
                new_start=last.new_start,
                added=(*last.added, *between, *hunk.added),
            )
        joined.append(hunk)
    return joined


def _flaw(place: Replacement, arrived: list[str]) -> str:
    """Why a hunk corrects nothing; empty if it may."""
    hunk = place.hunk
    if len(hunk.removed) > MAX_REMOVED_LINES or len(hunk.added) > MAX_ADDED_LINES:
        return "review_too_large"
    old = code_of(place.before, hunk.old_start, len(hunk.removed))
    new = code_of(place.after, hunk.new_start, len(hunk.added))
    if old == new:
        is_layout = layout_free("".join(hunk.removed)) == layout_free("".join(hunk.added))
        return "review_formatting" if is_layout else "review_comments_only"
    if all(_IMPORT.match(line) for line in (*hunk.removed, *hunk.added)):
        return "review_imports"
    moved = layout_free("".join(hunk.removed))
    return "review_moved" if moved and moved in arrived else ""


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]
