"""Review pairs from commits that correct something: the code before, and what the commit says about it."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from acclimate_indexer.changes import CommitDetails, FileChange, History, Hunk
from acclimate_indexer.languages.language import Language
from acclimate_indexer.pairs import ReviewComment, ReviewPair

from .hunks import Read, flaw, is_private, piece_around
from .messages import corrects, is_bot, is_revert, reason, severity

MAX_HUNKS = 5  # of a correction; with more, which of them is the one that the message is about?
FOLLOW_UP = timedelta(days=3)  # lines that are edited again so soon were wrong, or unfinished
MAX_PAIRS_PER_COMMIT = 2

_TEST_PATH = re.compile(r"(?:^|/)(?:tests?|testing|specs?|__tests__)/|(?:^|/)(?:test_|conftest)|[._-](?:test|spec)s?\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A pair with a comment, and the same place after the commit, which deserves none."""

    commented: ReviewPair
    clean: ReviewPair | None


def corrections(
    history: History,
    *,
    read: Read,
    is_wanted: Callable[[str], bool],
    language_of: Callable[[str], Language | None],
    dropped: Counter[str],
) -> Iterator[Correction]:
    """What was corrected, newest first."""
    written = _first_written(history)
    for commit, changes in history:
        if is_bot(commit):
            dropped["review_bot"] += 1
            continue
        code = [change for change in changes if language_of(change.path) is not None]
        wanted = [change for change in code if is_wanted(change.path)]
        source = _source(commit, wanted, written)
        if not source:
            continue
        said = reason(commit)
        if not said:
            dropped["review_vague"] += 1
            continue
        dropped["review_vendored"] += len(code) - len(wanted)
        dropped["review_too_large"] += sum(change.is_too_large for change in wanted)
        places = _places(wanted, dropped)
        yield from _pairs(commit, places, source, said, read, language_of, dropped)


def _first_written(history: History) -> dict[tuple[str, str], datetime]:
    """When a line was written last, by path and text, of lines that say something."""
    written: dict[tuple[str, str], datetime] = {}
    for commit, changes in history:
        for change in changes:
            for hunk in change.hunks:
                for line in hunk.added:
                    written.setdefault((change.path, line.strip()), commit.time)
    return written


def _source(commit: CommitDetails, changes: list[FileChange], written: dict[tuple[str, str], datetime]) -> str:
    """How it is known that the commit corrects; empty if it is not."""
    if is_revert(commit):
        return "revert"
    if corrects(commit):
        return "fix"
    removed = [(change.path, line.strip()) for change in changes for hunk in change.hunks for line in hunk.removed]
    times = [written[place] for place in removed if len(place[1]) > 12 and place in written]
    is_soon = [timedelta() < commit.time - time <= FOLLOW_UP for time in times]
    return "follow_up" if is_soon and all(is_soon) and len(is_soon) * 2 >= len(removed) else ""


def _places(changes: list[FileChange], dropped: Counter[str]) -> list[tuple[FileChange, Hunk]]:
    """The hunks that a reviewer could have commented on; none where there are too many to tell which is meant."""
    places = []
    for change in changes:
        if _TEST_PATH.search(change.path):
            continue
        for hunk in change.hunks:
            why = flaw(change, hunk)
            if why:
                dropped[why] += 1
            else:
                places.append((change, hunk))
    if len(places) > MAX_HUNKS:
        dropped["review_too_many_places"] += 1
        return []
    return places[:MAX_PAIRS_PER_COMMIT]


def _pairs(
    commit: CommitDetails,
    places: list[tuple[FileChange, Hunk]],
    source: str,
    said: str,
    read: Read,
    language_of: Callable[[str], Language | None],
    dropped: Counter[str],
) -> Iterator[Correction]:
    for change, hunk in places:
        language = language_of(change.path)
        before, after = read(change.old_blob), read(change.new_blob)
        if language is None or before is None:
            continue
        piece = piece_around(before, hunk.old_start, len(hunk.removed))
        suggestion = "\n".join(hunk.added)
        if piece is None or is_private(piece.text, suggestion, said):
            dropped["review_too_large" if piece is None else "secret"] += 1
            continue
        parent = commit.parents[0] if commit.parents else commit.sha
        comment = ReviewComment(line=piece.line, severity=severity(said), message=said, suggestion=suggestion)
        named = {"language": language.name, "path": change.path}
        commented = ReviewPair(**named, commit=parent, hunk=piece.text, comment=comment, source=source)
        fixed = piece_around(after, hunk.new_start, len(hunk.added)) if after is not None else None
        clean = None
        if fixed is not None and not is_private(fixed.text):
            clean = ReviewPair(**named, commit=commit.sha, hunk=fixed.text, comment=None, source="after")
        yield Correction(commented=commented, clean=clean)
