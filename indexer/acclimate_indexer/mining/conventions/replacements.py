"""Replacements that the history shows again and again: `X` became `Y`, and `X` is gone or nearly.

Only lines that differ in single names are looked at, in hunks that replace as many lines as they add: that is how a
migration looks, line by line. What a name is called in one file alone is nobody's convention.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from acclimate_indexer.changes import CommitDetails, FileChange, History, Hunk

from .facts import NAME, ConventionFacts
from .record import Replacement

MIN_PLACES = 3
MIN_COMMITS = 2
MIN_FILES = 2
MAX_REVERSED = 0.1  # of the places: a name that goes back and forth is no convention
MAX_REMAINING = 0.1  # of what was replaced: more, and it is not given up
MIN_NEW_USES = 3  # of what it became: otherwise that was given up, too
MAX_LINES = 30  # of a hunk; a longer one is rewritten rather than migrated
MAX_DIFFERENCES = 3  # in a line
MAX_LINE_CHARACTERS = 300
MIN_NAME_CHARACTERS = 3
MAX_EVIDENCE = 10  # commits, and places that remain
MAX_REPLACEMENTS = 100

_TOKEN = re.compile(rf"{NAME.pattern}|\d[\w.]*|\S")
IMPORT = re.compile(r"^\s*(?:from|import|use|using|#include|require)\b|\brequire\(|\bfrom\s+[\"']")
_COMMENT = re.compile(r"^\s*(?:#|//|\*|/\*|--|\"\"\"|''')")
_LOGGING = re.compile(r"^(?:log|logg\w*|warn\w*|print\w*|console\.\w+|debug|info|error|exception|fatal|critical)\b")
_WORDS = """
and as assert async await break case catch class const continue def default del delete do elif else enum except
export extends false finally fn for from func function global if impl import in interface is lambda let long loop
match mut new nil none nonlocal not null or package pass private protected pub public raise return self static
struct super switch this throw trait true try type typeof use using val var void where while with yield None True
False int str float bool string list dict tuple set object any Any args kwargs cls
"""
_KEYWORDS = frozenset(_WORDS.split())
_SELVES = frozenset(("self", "this", "cls", "Self"))
_TEXT = re.compile(r"([\"'`])(?:\\.|(?!\1)[^\\\n]){0,200}\1")  # in quotes: no name of code stands there


@dataclass(slots=True)
class _Evidence:
    places: int = 0
    commits: dict[str, datetime] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    is_import: bool = False


def replacements(history: History, facts: Mapping[str, ConventionFacts]) -> tuple[Replacement, ...]:
    """What was replaced, in the lines of `history`, and hardly stands in the files of `facts` any more."""
    found: dict[tuple[str, str], _Evidence] = defaultdict(_Evidence)
    for commit, changes in history:
        for change in changes:
            _note(commit, change, found)
    wanted = {pair: evidence for pair, evidence in found.items() if _is_repeated(pair, evidence, found)}
    uses = _Uses(facts, {name for pair in wanted for name in pair})
    judged = (_judged(pair, evidence, uses) for pair, evidence in wanted.items())
    best = sorted(filter(None, judged), key=lambda each: (-each.places, each.old, each.new))
    return _one_way(best)[:MAX_REPLACEMENTS]


def _note(commit: CommitDetails, change: FileChange, found: dict[tuple[str, str], _Evidence]) -> None:
    for hunk in change.hunks:
        for old, new, is_import in _renamed(hunk):
            evidence = found[old, new]
            evidence.places += 1
            evidence.commits[commit.sha] = commit.time
            evidence.files.add(change.path)
            evidence.is_import = evidence.is_import or is_import


def _renamed(hunk: Hunk) -> Iterator[tuple[str, str, bool]]:
    """The names that lines differ in, each once a line."""
    if not 0 < len(hunk.removed) == len(hunk.added) <= MAX_LINES:
        return
    for before, after in zip(hunk.removed, hunk.added, strict=True):
        if max(len(before), len(after)) > MAX_LINE_CHARACTERS or _COMMENT.match(before):
            continue
        is_import = IMPORT.search(before) is not None
        one, two = (_TOKEN.findall(line if is_import else _TEXT.sub("''", line)) for line in (before, after))
        if len(one) != len(two):
            continue
        differing = [(at, old, new) for at, (old, new) in enumerate(zip(one, two, strict=True)) if old != new]
        if not 0 < len(differing) <= MAX_DIFFERENCES:
            continue
        pairs = {_names(one, at, old, new, is_import) for at, old, new in differing}
        yield from ((old, new, is_import) for old, new in filter(None, pairs))


def _names(line: list[str], at: int, old: str, new: str, is_import: bool) -> tuple[str, str] | None:
    """What really differs of two names with dots; None where they are no names, or nobody could tell what of."""
    if not NAME.fullmatch(old) or not NAME.fullmatch(new):
        return None
    is_called = at + 1 < len(line) and line[at + 1] == "("
    one, two = old.split("."), new.split(".")
    while not is_import and len(one) > 1 and len(two) > 1 and one[0] == two[0]:
        one, two = one[1:], two[1:]
    while not is_import and len(one) > 1 and len(two) > 1 and one[-1] == two[-1]:
        one, two = one[:-1], two[:-1]
    if one[-1:] == two[-1:] and {*one[:-1], *two[:-1]} <= _SELVES:
        return None  # to leave `self` out is layout
    names = ".".join(one), ".".join(two)
    is_telling = is_import or is_called or "." in old or all(map(is_compound, names))
    if not is_telling or any(len(name) < MIN_NAME_CHARACTERS or name in _KEYWORDS for name in names):
        return None
    return names


def is_compound(name: str) -> bool:
    """Whether a name is of several words, so that it hardly stands for anything else by chance."""
    return "_" in name.strip("_") or any(map(str.isupper, name[1:]))


def _is_repeated(pair: tuple[str, str], evidence: _Evidence, found: Mapping[tuple[str, str], _Evidence]) -> bool:
    enough = evidence.places >= MIN_PLACES and len(evidence.commits) >= MIN_COMMITS
    old, new = pair
    backwards = found[new, old].places if (new, old) in found else 0
    return enough and len(evidence.files) >= MIN_FILES and backwards <= MAX_REVERSED * evidence.places


class _Uses:
    """How often names stand in the code, alone or as a part of a name with dots, and where."""

    def __init__(self, facts: Mapping[str, ConventionFacts], wanted: Iterable[str]) -> None:
        self._counts: Counter[str] = Counter()
        self._paths: dict[str, set[str]] = defaultdict(set)
        asked = frozenset(wanted)
        for path, each in facts.items():
            for name, count in each.names.items():
                for part in _parts(name) & asked:
                    self._counts[part] += count
                    self._paths[part].add(path)

    def of(self, name: str) -> int:
        return self._counts[name]

    def paths(self, name: str) -> tuple[str, ...]:
        return tuple(sorted(self._paths[name])[:MAX_EVIDENCE])


def _parts(name: str) -> set[str]:
    """All runs of the names between the dots."""
    words = name.split(".")[:6]
    return {".".join(words[first:last]) for first in range(len(words)) for last in range(first + 1, len(words) + 1)}


def _judged(pair: tuple[str, str], evidence: _Evidence, uses: _Uses) -> Replacement | None:
    """The replacement, if the old name is given up and the new one lives."""
    old, new = pair
    if uses.of(old) > MAX_REMAINING * evidence.places or uses.of(new) < MIN_NEW_USES:
        return None
    newest = sorted(evidence.commits, key=lambda sha: (evidence.commits[sha], sha), reverse=True)
    kind = "import" if evidence.is_import else "logging" if _LOGGING.match(old.rpartition(".")[2]) else "name"
    return Replacement(
        old=old,
        new=new,
        kind=kind,
        places=evidence.places,
        commits=len(evidence.commits),
        files=len(evidence.files),
        evidence=tuple(newest[:MAX_EVIDENCE]),
        last=evidence.commits[newest[0]].date().isoformat(),
        remaining=uses.paths(old),
        remaining_uses=uses.of(old),
    )


def _one_way(found: list[Replacement]) -> tuple[Replacement, ...]:
    """One replacement for each old name, the best supported; and none whose new name was itself given up."""
    chosen: dict[str, Replacement] = {}
    for each in found:
        chosen.setdefault(each.old, each)
    return tuple(each for each in chosen.values() if each.new not in chosen)
