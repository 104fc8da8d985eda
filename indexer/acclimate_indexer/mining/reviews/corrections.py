"""Which commits correct something: by what they say, and by which lines they touch how soon after."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from acclimate_indexer.changes import CommitDetails, FileChange, History

from .reason import Saying, reason, saying
from .telling import telling

FOLLOW_UP = timedelta(days=14)  # later edits of the same lines are more often new wishes than corrections
MIN_FOLLOW_UP_SHARE = 0.5  # of the lines taken out that had been put in within that time


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A commit that corrects something, and why. `source` is `fix`, `revert` or `followup`."""

    commit: CommitDetails
    files: tuple[FileChange, ...]
    reason: str
    source: str


def corrections(history: History, dropped: Counter[str]) -> Iterator[Correction]:
    """The correcting commits, newest first; what speaks of a correction and is none is counted."""
    followed = _follow_ups(history)
    for commit, files in history:
        said = saying(commit)
        if said in (Saying.BOT, Saying.MERGE, Saying.HOUSEKEEPING):
            dropped[said.value] += 1
            continue
        source = {Saying.CORRECTS: "fix", Saying.REVERTS: "revert"}.get(said)
        if said is Saying.HINTS and commit.sha in followed:
            source = "followup"
        if source is None:
            continue
        why = reason(commit)
        if why:
            yield Correction(commit=commit, files=files, reason=why, source=source)
        else:
            dropped["review_vague"] += 1


def _follow_ups(history: History) -> frozenset[str]:
    """The commits of which most lines that they take out had been put in shortly before."""
    added: dict[str, dict[str, datetime]] = {}
    found: set[str] = set()
    for commit, files in reversed(history):
        taken = fresh = 0
        for change in files:
            known = added.setdefault(change.path, added.get(change.old_path or change.path, {}))
            for line in telling(line for hunk in change.hunks for line in hunk.removed):
                taken += 1
                fresh += line in known and commit.time - known.pop(line) <= FOLLOW_UP
            for line in telling(line for hunk in change.hunks for line in hunk.added):
                known[line] = commit.time
        if taken and fresh >= MIN_FOLLOW_UP_SHARE * taken:
            found.add(commit.sha)
    return frozenset(found)
