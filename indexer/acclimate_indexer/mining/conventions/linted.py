"""Which of ruff's rules this repository acts upon: what was complained about at one commit, and put right at a later.

A place counts as put right where a later commit edits the line, something much like it takes its place, and the
complaint is gone: a line that was deleted or rewritten tells nothing about the rule. A line that was edited while the
complaint stayed speaks against the rule: what was done to edited lines so far is what will be done to the next. And a
rule that many places of the repository still break is nobody's rule here.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from acclimate_indexer.changes import CommitDetails, FileChange, History
from acclimate_indexer.linting import Lint, linter_version, lints
from acclimate_indexer.mining.source import Remember

from .record import LintedRule
from .succession import is_edit, successor
from .track_record import ENOUGH_PLACES, MAX_LEFT, is_followed

MIN_COMMITS = 4  # that put places right; several hundred rules compete, and some would have three by chance
MAX_COMMITS = 1_000  # the newest: a minute of ruff in a large repository, and older rules may be forgotten
MAX_EVIDENCE = 10
# Rules that guess: what looks like code in a comment, and names that only another Python, or another file, knows. Seen
# on zarr-python and urllib3, where four of five and one of one such new line were edited and kept.
GUESSING = frozenset(("ERA001", "F821"))
COMMITS_AT_ONCE = 64  # on average: what is remembered together

ReadBlob = Callable[[str], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A place that a commit put right: a line of the old file, counted from 0, and the number of the hunk that does."""

    commit: str
    path: str
    rule: str
    message: str
    line: int
    hunk: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedLints:
    """What became of the places that ruff complained about and somebody edited.

    Attributes:
        resolved: Those that were put right, the newest first.
        kept: By rule, how many commits left one as it was.
    """

    resolved: list[Resolved]
    kept: Counter[str]


def edited_lints(history: History, read: ReadBlob, is_wanted: Callable[[str], bool], remember: Remember) -> EditedLints:
    """What the newest commits of `history` did to the places that they edited.

    Args:
        is_wanted: Whether a path is the repository's own code.
        remember: Gives what was found in the same commits before, or else finds it.
    """
    found = EditedLints(resolved=[], kept=Counter())
    for commits in _together(history[:MAX_COMMITS]):
        what = ["edited lints", linter_version(), [details.sha for details, _ in commits]]
        record = remember(what, partial(_records, commits, read, is_wanted))
        found.resolved.extend(Resolved(**each) for each in record["resolved"])
        found.kept.update(record["kept"])
    return found


def linted_rules(edited: EditedLints, history: History, files: Iterable[tuple[str, str]]) -> tuple[LintedRule, ...]:
    """The rules that are acted upon, the most often first.

    Args:
        files: Path and text of what stands now.
    """
    details = {commit.sha: commit for commit, _ in history}
    places: dict[str, list[Resolved]] = defaultdict(list)
    for each in edited.resolved:
        if each.rule not in GUESSING:
            places[each.rule].append(each)
    proven = {rule: found for rule, found in places.items() if _is_acted_upon(found, edited.kept[rule])}
    standing = _standing(files, sorted(proven))
    rules = [
        _rule(rule, found, details, kept=edited.kept[rule], standing=standing[rule])
        for rule, found in proven.items()
        if standing[rule] <= MAX_LEFT * len(found)
    ]
    return tuple(sorted(rules, key=lambda each: (-each.resolved, each.rule)))


def _is_acted_upon(found: Sequence[Resolved], kept: int) -> bool:
    commits = len({each.commit for each in found})
    is_often = len(found) >= ENOUGH_PLACES and commits >= MIN_COMMITS
    return is_often and is_followed(commits, kept)


def _standing(files: Iterable[tuple[str, str]], rules: Sequence[str]) -> Counter[str]:
    """How many places break each rule."""
    if not rules:
        return Counter()
    texts = {path: (path, text) for path, text in files if _is_python(path)}
    return Counter(lint.rule for _, lint in lints(texts, rules=rules))


def _rule(
    rule: str, found: Sequence[Resolved], details: Mapping[str, CommitDetails], *, kept: int, standing: int
) -> LintedRule:
    commits = list(dict.fromkeys(each.commit for each in found))
    return LintedRule(
        rule=rule,
        resolved=len(found),
        commits=len(commits),
        kept=kept,
        standing=standing,
        evidence=tuple(commits[:MAX_EVIDENCE]),
        last=details[commits[0]].time.date().isoformat(),
    )


def _together(history: History) -> Iterator[History]:
    """Neighbouring commits, cut where a commit's name says so: the same cuts whatever is new at the top."""
    part: History = []
    for commit in history:
        part.append(commit)
        if int(commit[0].sha[:8], 16) % COMMITS_AT_ONCE == 0:
            yield part
            part = []
    if part:
        yield part


def _records(commits: History, read: ReadBlob, is_wanted: Callable[[str], bool]) -> dict[str, Any]:
    resolved: list[dict[str, Any]] = []
    kept: set[tuple[str, str]] = set()
    for each, is_left in _edited(commits, read, is_wanted):
        if is_left:
            kept.add((each.rule, each.commit))
        else:
            resolved.append(asdict(each))
    return {"resolved": resolved, "kept": Counter(rule for rule, _ in sorted(kept))}


def _edited(commits: History, read: ReadBlob, is_wanted: Callable[[str], bool]) -> Iterator[tuple[Resolved, bool]]:
    """Every edited place, and whether the complaint is left."""
    changes = [
        (details.sha, change)
        for details, files in commits
        for change in files
        if change.old_blob and change.new_blob and change.hunks and _is_python(change.path) and is_wanted(change.path)
    ]
    paths = {blob: change.path for _, change in changes for blob in (change.old_blob, change.new_blob)}
    texts = {blob: (path, text) for blob, path in paths.items() if (text := read(blob)) is not None}
    found: dict[str, list[Lint]] = defaultdict(list)
    for blob, lint in lints(texts):
        found[blob].append(lint)
    for commit, change in changes:
        if change.old_blob in texts and change.new_blob in texts:
            yield from _of_a_file(commit, change, found[change.old_blob], found[change.new_blob])


def _of_a_file(
    commit: str, change: FileChange, before: Sequence[Lint], after: Sequence[Lint]
) -> Iterator[tuple[Resolved, bool]]:
    left = {(lint.rule, lint.line) for lint in after}
    for number, hunk in enumerate(change.hunks):
        if not is_edit(hunk):
            continue
        complained = {lint.line - hunk.old_start for lint in before} & set(range(len(hunk.removed)))
        edited = {at for at in complained if successor(hunk.removed[at], hunk.added) is not None}
        for lint in before:
            at = lint.line - hunk.old_start
            if at in edited:
                place = Resolved(
                    commit=commit, path=change.path, rule=lint.rule, message=lint.message, line=lint.line, hunk=number
                )
                yield place, any((lint.rule, hunk.new_start + line) in left for line in range(len(hunk.added)))


def _is_python(path: str) -> bool:
    return path.endswith((".py", ".pyi"))
