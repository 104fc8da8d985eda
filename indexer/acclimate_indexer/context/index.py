"""The repository in memory, asked for what a cursor should know: definitions by name, and similar windows by BM25.

BM25 with the usual k1 and b over windows of about twenty lines. A query is the code around the cursor, of which only
the rarest terms count: they carry the score, and their lists are short. All is exact and repeatable: the same files
give the same answers, in whatever order they were added.
"""

import math
import random
import re
from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from heapq import nlargest

from acclimate_indexer.languages.registry import are_related
from acclimate_indexer.pairs import Snippet
from acclimate_indexer.prompts import Cursor

from .facts import Definition, FileFacts, Postings
from .terms import terms

K1, B = 1.2, 0.75  # BM25 as everybody has it (Robertson and Zaragoza 2009)
# Lines around the cursor that a query is made of. 20 and 10 find less in each of seven repositories; in eleven, 10 and
# 5 find less on average, 4 and 2 a little more, but in one less than plain BM25.
LINES_BEFORE, LINES_AFTER = 6, 3
QUERY_TERMS = 24  # the rarest; the others change the order hardly ever
QUERY_POSTINGS = 6_000  # of all terms together: one to two milliseconds
MAX_SPLIT_FILES = 1_000
MAX_WINDOWS = 8  # of an answer
MAX_RANKED = 4 * MAX_WINDOWS  # that are looked at: some are too long, or of one file
MAX_WINDOWS_A_FILE = 2
# What a window counts more for being in a file that was worked on last. Of the names that the next lines need, 512
# tokens of retrieval then show 0.034 more than 0.279 (95% interval 0.015 to 0.054) and 0.043 more than 0.322 (0.018 to
# 0.069) in the two repositories it was chosen on, 0.029 more than 0.268 (0.009 to 0.049) in a third. 1.2 gives half of
# that, 1.5 less in the two, 3 more in one and less in the other. With six files open for no reason it is still 0.028
# and 0.030 (benchmarks/results/recency-2026-11-26.json).
RECENT_FACTOR = 2.0
MAX_SIGNATURES = 12  # of an answer
SIGNATURE_SHARE = 0.35  # of the characters of an answer, at most
MAX_PLACES = 64  # of one name, in all files and languages; `__init__` is not even looked at
MAX_SAME_NAME = 4  # definitions of one name: more of them, such as `run`, tell nothing

_WORD = re.compile(r"[^\W\d]\w*")
_IMPORT_LINE = re.compile(r"^[ \t]*((?:from|import|use|using|#include|require|source)\b.*)", re.MULTILINE)
_DEFINED = re.compile(r"\b(?:def|class|func|fn|function|fun|interface|struct|type)\s+([^\W\d]\w*)")
_CALLED = re.compile(r"([^\W\d]\w*)\s*\(")

Text = Callable[[str], str | None]


class ContextIndex:
    """The files of one view of the repository. Not for use by several threads at once."""

    def __init__(self, files: Iterable[tuple[str, FileFacts]], read: Text) -> None:
        """Takes the facts of each path, and what gives the text of a path."""
        self._read = read
        self._windows: list[tuple[str, int, int]] = []  # by number; those of files that went are in no list any more
        self._lengths = array("I")
        self._count = 0
        self._total_length = 0
        self._postings: dict[str, _Postings] = defaultdict(_Postings)
        self._definitions: dict[str, list[tuple[str, Definition]]] = defaultdict(list)
        self._numbers: dict[str, range] = {}
        self._listed: dict[str, tuple[_Postings, ...]] = {}  # where the windows of a file are listed
        self._defined: dict[str, tuple[Definition, ...]] = {}
        self._lines: dict[str, list[str]] = {}  # of the files that were shown last
        self._damping: list[float] = []  # by number, what the length of a window takes off; empty until it is asked for
        for path, facts in files:
            self.replace(path, facts)

    def replace(self, path: str, facts: FileFacts) -> None:
        """Puts a file in, or in place of what was known of it."""
        self.remove(path)
        self._defined[path] = facts.definitions
        for definition in facts.definitions:
            self._definitions[definition.name].append((path, definition))
        first = len(self._windows)
        self._windows += [(path, window.first, window.last) for window in facts.windows]
        self._lengths.extend(window.length for window in facts.windows)
        self._total_length += sum(window.length for window in facts.windows)
        self._numbers[path] = range(first, len(self._windows))
        self._count += len(facts.windows)
        self._listed[path] = tuple(self._list(first, facts.postings))

    def _list(self, first: int, found: Postings) -> Iterator["_Postings"]:
        """Enters the windows of a file, the first of which has the number `first`, into the lists of their terms."""
        at = 0
        for term, size in zip(found.terms, found.sizes, strict=True):
            postings = self._postings[term]
            postings.windows.extend(map(first.__add__, found.windows[at : at + size]))
            postings.counts.frombytes(found.counts[at : at + size])
            at += size
            yield postings

    def remove(self, path: str) -> None:
        """Forgets a file; the index is then as if it had never been there."""
        self._lines.pop(path, None)
        self._damping = []
        definitions = self._defined.pop(path, None)
        if definitions is None:
            return
        numbers = self._numbers.pop(path)
        self._count -= len(numbers)
        self._total_length -= sum(self._lengths[number] for number in numbers)
        for postings in self._listed.pop(path):
            postings.drop(numbers)
        for definition in definitions:
            self._definitions[definition.name] = [
                found for found in self._definitions[definition.name] if found[0] != path
            ]

    def snippets(self, cursor: Cursor, *, max_characters: int, recent: Collection[str] = ()) -> tuple[Snippet, ...]:
        """What a prompt at the cursor should know, nothing of it from the cursor's own file.

        Signatures come first, in the order of their paths, then windows, the most similar first.

        Args:
            recent: Paths that were worked on last; their windows count `RECENT_FACTOR` times as much.
        """
        signatures = list(self._signatures(cursor, int(SIGNATURE_SHARE * max_characters)))
        room = max_characters - sum(len(snippet.text) for snippet in signatures)
        found: list[Snippet] = []
        per_file: Counter[str] = Counter()
        for number in self._best_windows(cursor, recent):
            path, first, last = self._windows[number]
            if per_file[path] == MAX_WINDOWS_A_FILE:
                continue
            text = self._text_of(path, first, last)
            if not 0 < len(text) <= room:  # nothing, where the file changed meanwhile
                continue
            per_file[path] += 1
            room -= len(text)
            found.append(Snippet(path=path, text=text))
            if len(found) == MAX_WINDOWS:
                break
        return (*signatures, *found)

    def known_names(self, cursor: Cursor) -> frozenset[str]:
        """What is called or imported near the cursor and defined in another file."""
        return frozenset(
            name for name in _names(cursor) if any(path != cursor.path for path, _ in self._definitions.get(name, ()))
        )

    def distractors(self, cursor: Cursor, choice: random.Random, max_characters: int) -> tuple[Snippet, ...]:
        """Windows that have nothing to do with the cursor, as many as fit."""
        found: list[Snippet] = []
        room = max_characters
        paths = sorted(path for path in self._numbers if self._numbers[path] and path != cursor.path)
        for path in choice.sample(paths, min(MAX_WINDOWS, len(paths))):
            text = self._text_of(*self._windows[choice.choice(self._numbers[path])])
            if 0 < len(text) <= room:
                room -= len(text)
                found.append(Snippet(path=path, text=text))
        return tuple(found)

    def _text_of(self, path: str, first: int, last: int) -> str:
        if path not in self._lines:
            if len(self._lines) >= MAX_SPLIT_FILES:
                self._lines.clear()
            self._lines[path] = (self._read(path) or "").split("\n")
        return "\n".join(self._lines[path][first:last]).strip("\n")

    def _signatures(self, cursor: Cursor, max_characters: int) -> Iterator[Snippet]:
        """The heads of what is imported or called near the cursor, defined elsewhere; a snippet a file."""
        by_path: dict[str, list[Definition]] = defaultdict(list)
        room = max_characters
        for name in _names(cursor):
            known = self._definitions.get(name, ())
            places = [
                place
                for place in (known if len(known) <= MAX_PLACES else ())
                if place[0] != cursor.path and are_related(place[0], cursor.language)
            ]
            if not 0 < len(places) <= MAX_SAME_NAME:
                continue
            path, definition = min(places, key=lambda place: (_distance(place[0], cursor.path), place[0]))
            if len(definition.signature) > room:
                continue
            room -= len(definition.signature) + 1
            by_path[path].append(definition)
            if sum(map(len, by_path.values())) == MAX_SIGNATURES:
                break
        for path in sorted(by_path):
            ordered = sorted(by_path[path], key=lambda definition: definition.line)
            yield Snippet(path=path, text="\n".join(definition.signature for definition in ordered))

    def _best_windows(self, cursor: Cursor, recent: Collection[str]) -> list[int]:
        """The numbers of the most similar windows, best first."""
        scores: dict[int, float] = {}
        known, windows = scores.get, self._count
        fixed, damping = K1 * (1 - B), self._damping or self._damped()
        for postings in self._query(cursor):
            holding = len(postings.windows)
            rarity = (K1 + 1) * math.log(1 + (windows - holding + 0.5) / (holding + 0.5))
            for number, count in zip(postings.windows, postings.counts, strict=True):
                scores[number] = known(number, 0.0) + rarity * count / (count + fixed + damping[number])
        for path in recent:
            for number in self._numbers.get(path, ()):
                if number in scores:
                    scores[number] *= RECENT_FACTOR
        for number in self._numbers.get(cursor.path, ()):
            scores.pop(number, None)
        least = min(nlargest(MAX_RANKED, scores.values()), default=0.0)
        best = [(-score, self._windows[number], number) for number, score in scores.items() if score >= least]
        return [number for _, _, number in sorted(best)[:MAX_RANKED]]

    def _damped(self) -> list[float]:
        by_length = K1 * B * self._count / max(1, self._total_length)
        self._damping = [by_length * length for length in self._lengths]
        return self._damping

    def _query(self, cursor: Cursor) -> list["_Postings"]:
        """The lists of the rarest terms around the cursor, the rarest first."""
        asked = dict.fromkeys(terms(_near(cursor)))
        lists = [(term, found) for term in asked if (found := self._postings.get(term)) is not None and found.windows]
        chosen: list[_Postings] = []
        room = QUERY_POSTINGS
        for _, postings in sorted(lists, key=lambda each: (len(each[1].windows), each[0]))[:QUERY_TERMS]:
            room -= len(postings.windows)
            if room < 0:
                break
            chosen.append(postings)
        return chosen


class _Postings:
    """The windows that hold a term, by number, and how often each does."""

    __slots__ = ("counts", "windows")

    def __init__(self) -> None:
        self.windows = array("I")
        self.counts = array("B")

    def drop(self, numbers: range) -> None:
        """Takes out the windows of one file. Numbers only ever grow, so its own stand side by side."""
        first, last = bisect_left(self.windows, numbers.start), bisect_left(self.windows, numbers.stop)
        del self.windows[first:last]
        del self.counts[first:last]


def _near(cursor: Cursor) -> str:
    before = cursor.prefix.rsplit("\n", LINES_BEFORE + 1)[-LINES_BEFORE - 1 :]
    after = cursor.suffix.split("\n", LINES_AFTER + 1)[: LINES_AFTER + 1]
    return "\n".join((*before, *after))


def _names(cursor: Cursor) -> list[str]:
    """What is called near the cursor, nearest first, then what the file imports; without what the file defines."""
    near = _near(cursor)
    called = reversed(_CALLED.findall(near))
    imported = [word for line in _IMPORT_LINE.findall(cursor.prefix) for word in _WORD.findall(line)]
    seen = set(_WORD.findall(near))
    defined = {*_DEFINED.findall(cursor.prefix), *_DEFINED.findall(cursor.suffix)}
    names = dict.fromkeys((*called, *(word for word in imported if word in seen), *imported))
    return [name for name in names if name not in defined]


def _distance(path: str, other: str) -> int:
    """How many folders lie between two files."""
    one, two = path.split("/")[:-1], other.split("/")[:-1]
    shared = 0
    while shared < min(len(one), len(two)) and one[shared] == two[shared]:
        shared += 1
    return len(one) + len(two) - 2 * shared
