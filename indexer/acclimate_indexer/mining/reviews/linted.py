"""Pairs from what ruff complained about and a later commit put right: labels that nobody had to guess."""

from collections.abc import Collection, Iterator, Sequence

from acclimate_indexer.changes import History
from acclimate_indexer.mining.conventions.linted import Resolved
from acclimate_indexer.pairs import ReviewComment

from .fixes import MAX_ADDED_LINES, MAX_REMOVED_LINES, Replacement, Reviewed, pair_of
from .reading import Reading

ORIGIN = "linter"
MAX_OF_A_RULE = 8  # a sweep over a repository is one lesson, however many lines it touched


def linted(
    history: History, resolved: Sequence[Resolved], rules: Collection[str], reading: Reading
) -> Iterator[Reviewed]:
    """The places that were put right, of the rules that are acted upon, the newest first and a few of each rule."""
    changes = {(commit.sha, change.path): (commit, change) for commit, files in history for change in files}
    left = dict.fromkeys(rules, MAX_OF_A_RULE)
    taken: set[tuple[str, str, int]] = set()
    for each in resolved:
        place = each.commit, each.path, each.hunk
        if not left.get(each.rule) or place in taken or not reading.is_reviewable(each.path):
            continue
        commit, change = changes[each.commit, each.path]
        hunk = change.hunks[each.hunk]
        if len(hunk.removed) > MAX_REMOVED_LINES or len(hunk.added) > MAX_ADDED_LINES:
            continue
        before = reading.source(change.old_path or change.path, change.old_blob, next(iter(commit.parents), ""))
        after = reading.source(change.path, change.new_blob, commit.sha)
        if before is None or after is None:
            continue
        comment = ReviewComment(line=1, severity="suggestion", message=each.message, suggestion="")
        pair = pair_of(Replacement(before=before, after=after, hunk=hunk), comment, ORIGIN, reading)
        if pair is not None:
            taken.add(place)
            left[each.rule] -= 1
            yield pair
