"""Replacements that the history shows again and again: `X` became `Y`.

Either `X` is gone, or nearly; or the change is under way, and nearly every line with `X` that anybody edits goes that
way. Only lines that differ in single names count, in hunks that replace as many lines as they add: that is how a
migration looks, line by line. What a name is called in one file alone is nobody's convention, nor is what variables and
parameters are called: of names that are neither called, imported nor a part of another, none was seen to be given up
for good in sixty histories (`config_file`, `api_key`).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from acclimate_indexer.changes import CommitDetails, FileChange, History, Hunk
from acclimate_indexer.languages.registry import extension_of

from .facts import NAME, ConventionFacts
from .named import MAX_LINE_CHARACTERS, code_of, is_compound, is_import, is_read, parts_of
from .record import Replacement
from .track_record import MAX_LEFT, is_followed, keeping_commits

MIN_PLACES = 3
MIN_COMMITS = 2
PROVEN_COMMITS = 3  # of a change that is under way: two may be one in two parts
MIN_FILES = 2
MAX_REVERSED = 0.1  # of the places: a name that goes back and forth is no convention
MAX_REMAINING = 0.1  # of what was replaced, where the rest is not seen to follow: more, and it is not given up yet
MIN_NEW_USES = 3  # of what it became: otherwise that was given up, too
MIN_TOLD = 0.5  # of the places: otherwise it is a variable of its file
MAX_LINES = 30  # of a hunk; a longer one is rewritten rather than migrated
MAX_DIFFERENCES = 3  # in a line
MIN_NAME_CHARACTERS = 3
MAX_EVIDENCE = 10  # commits, and places that remain
MAX_REPLACEMENTS = 100

_TOKEN = re.compile(rf"{NAME.pattern}|\d[\w.]*|\S")
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


class _Renaming(NamedTuple):
    """What a line calls otherwise now.

    Attributes:
        place: Where in a name with dots the old name stood: `first`, or `later`; in an import `import`.
        is_told: The line says that it is no variable: it is imported, called, or a part of a name with dots.
    """

    old: str
    new: str
    place: str
    is_told: bool


@dataclass(slots=True)
class _Evidence:
    """Of one replacement: when each commit made it, and in how many lines, and where these have it."""

    commits: dict[str, datetime] = field(default_factory=dict)
    lines: Counter[str] = field(default_factory=Counter)
    files: set[str] = field(default_factory=set)
    at: Counter[str] = field(default_factory=Counter)
    told: int = 0

    @property
    def places(self) -> int:
        return self.lines.total()

    @property
    def position(self) -> str:
        """Where in a name with dots it stands, as far as that is always the same."""
        used = [place for place in ("first", "later") if self.at[place]]
        return used[0] if len(used) == 1 else ""


def replacements(history: History, facts: Mapping[str, ConventionFacts]) -> tuple[Replacement, ...]:
    """What was replaced, in the lines of `history`, and hardly stands in the files of `facts` any more."""
    found: dict[tuple[str, str], _Evidence] = defaultdict(_Evidence)
    for commit, changes in history:
        for change in changes:
            _note(commit, change, found)
    wanted = {pair: evidence for pair, evidence in found.items() if _is_repeated(pair, evidence, found)}
    uses = _Uses(facts, {name for pair in wanted for name in pair})
    given_up = {pair for pair, evidence in wanted.items() if uses.of(pair[0]) <= MAX_REMAINING * evidence.places}
    keeping = keeping_commits(history, {pair: evidence.lines for pair, evidence in wanted.items()}, given_up)
    judged = (_judged(pair, evidence, uses, len(keeping[pair])) for pair, evidence in wanted.items())
    best = sorted(filter(None, judged), key=lambda each: (-each.places, each.old, each.new))
    return _one_way(best)[:MAX_REPLACEMENTS]


def _note(commit: CommitDetails, change: FileChange, found: dict[tuple[str, str], _Evidence]) -> None:
    for hunk in change.hunks:
        for each in _renamed(hunk):
            evidence = found[each.old, each.new]
            evidence.lines[commit.sha] += 1
            evidence.commits[commit.sha] = commit.time
            evidence.files.add(change.path)
            evidence.at[each.place] += 1
            evidence.told += each.is_told


def _renamed(hunk: Hunk) -> Iterator[_Renaming]:
    """The names that lines differ in, each once a line."""
    if not 0 < len(hunk.removed) == len(hunk.added) <= MAX_LINES:
        return
    for before, after in zip(hunk.removed, hunk.added, strict=True):
        if not is_read(before) or len(after) > MAX_LINE_CHARACTERS:
            continue
        imports = is_import(before)
        one, two = (_TOKEN.findall(line if imports else code_of(line)) for line in (before, after))
        if len(one) != len(two):
            continue
        differing = [(at, old, new) for at, (old, new) in enumerate(zip(one, two, strict=True)) if old != new]
        if not 0 < len(differing) <= MAX_DIFFERENCES:
            continue
        pairs = (_renaming(one, at, old, new, is_import=imports) for at, old, new in differing)
        yield from {(each.old, each.new): each for each in pairs if each is not None}.values()


def _renaming(line: list[str], at: int, old: str, new: str, *, is_import: bool) -> _Renaming | None:
    """What really differs of two names with dots; None where they are no names, or nobody could tell what of."""
    if not NAME.fullmatch(old) or not NAME.fullmatch(new):
        return None
    is_called = (at + 1 < len(line) and line[at + 1] == "(") or (at > 0 and line[at - 1] == "@")
    one, two = old.split("."), new.split(".")
    is_first = True
    while not is_import and len(one) > 1 and len(two) > 1 and one[0] == two[0]:
        one, two = one[1:], two[1:]
        is_first = False
    while not is_import and len(one) > 1 and len(two) > 1 and one[-1] == two[-1]:
        one, two = one[:-1], two[:-1]
    if one[-1:] == two[-1:] and {*one[:-1], *two[:-1]} <= _SELVES:
        return None  # to leave `self` out is layout
    names = ".".join(one), ".".join(two)
    is_told = is_import or is_called or "." in old
    if not (is_told or all(map(is_compound, names))):
        return None
    if any(len(name) < MIN_NAME_CHARACTERS or name in _KEYWORDS for name in names):
        return None
    place = "import" if is_import else "first" if is_first else "later"
    is_type = names[0].lstrip("_")[:1].isupper()  # or a constant
    return _Renaming(*names, place=place, is_told=is_told or is_type)


def _is_repeated(pair: tuple[str, str], evidence: _Evidence, found: Mapping[tuple[str, str], _Evidence]) -> bool:
    enough = evidence.places >= MIN_PLACES and len(evidence.commits) >= MIN_COMMITS
    old, new = pair
    backwards = found[new, old].places if (new, old) in found else 0
    is_one_way = backwards <= MAX_REVERSED * evidence.places
    is_variable = evidence.told < MIN_TOLD * evidence.places
    return enough and len(evidence.files) >= MIN_FILES and is_one_way and not is_variable


class _Uses:
    """How often names stand in the code, alone or as a part of a name with dots, and where."""

    def __init__(self, facts: Mapping[str, ConventionFacts], wanted: Iterable[str]) -> None:
        self._counts: Counter[str] = Counter()
        self._paths: dict[str, set[str]] = defaultdict(set)
        asked = frozenset(wanted)
        for path, each in facts.items():
            for name, count in each.names.items():
                for part in parts_of(name) & asked:
                    self._counts[part] += count
                    self._paths[part].add(path)

    def of(self, name: str) -> int:
        return self._counts[name]

    def paths(self, name: str) -> tuple[str, ...]:
        return tuple(sorted(self._paths[name])[:MAX_EVIDENCE])


def _judged(pair: tuple[str, str], evidence: _Evidence, uses: _Uses, kept: int) -> Replacement | None:
    """The replacement, if the old name is given up or about to be, and the new one lives."""
    old, new = pair
    newest = sorted(evidence.commits, key=lambda sha: (evidence.commits[sha], sha), reverse=True)
    kind = "import" if evidence.at["import"] else "logging" if _LOGGING.match(old.rpartition(".")[2]) else "name"
    found = Replacement(
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
        kept=kept,
        position=evidence.position,
        extensions=tuple(sorted({extension_of(path) for path in evidence.files})),
    )
    return found if is_made(found, of_old=uses.of(old), of_new=uses.of(new)) else None


def is_made(replacement: Replacement, *, of_old: int, of_new: int) -> bool:
    """Whether, with so many uses of each name, the old one is given up or about to be, and the new one lives."""
    is_under_way = replacement.commits >= PROVEN_COMMITS and is_followed(replacement.commits, replacement.kept)
    most = (MAX_LEFT if is_under_way else MAX_REMAINING) * replacement.places
    return of_old <= most and of_new >= MIN_NEW_USES


def _one_way(found: list[Replacement]) -> tuple[Replacement, ...]:
    """One replacement for each old name, the best supported; and none whose new name was itself given up."""
    chosen: dict[str, Replacement] = {}
    for each in found:
        chosen.setdefault(each.old, each)
    return tuple(each for each in chosen.values() if each.new not in chosen)
