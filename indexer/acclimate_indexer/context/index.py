"""The repository in memory, asked for what a cursor should know: definitions by name, and similar windows by BM25.

BM25 with the usual k1 and b over windows of about twenty lines. A query is the code around the cursor, of which only
the rarest terms count: they carry the score, and their lists are short. All is exact and repeatable: the same files
give the same answers, in whatever order they were added.
"""

import math
import random
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from heapq import nlargest

from acclimate_indexer.pairs import Snippet
from acclimate_indexer.prompts import Cursor

from .facts import Definition, FileFacts, Window
from .terms import terms

K1, B = 1.2, 0.75  # BM25 as everybody has it (Robertson and Zaragoza 2009)
LINES_BEFORE, LINES_AFTER = 20, 10  # of the cursor, that a query is made of
QUERY_TERMS = 24  # the rarest; the others change the order hardly ever
QUERY_POSTINGS = 8_000  # of all terms together: some three milliseconds
MAX_WINDOWS = 8  # of an answer
MAX_WINDOWS_A_FILE = 2
MAX_SIGNATURES = 12  # of an answer
SIGNATURE_SHARE = 0.35  # of the characters of an answer, at most
MAX_SAME_NAME = 4  # definitions of one name: more of them, such as `run`, tell nothing

_WORD = re.compile(r"[^\W\d]\w*")
_IMPORT_LINE = re.compile(r"^\s*(?:from\s|import\b|use\b|using\b|#include|require|source\s|package\b)")
_CALLED = re.compile(r"([^\W\d]\w*)\s*\(")

Text = Callable[[str], str | None]


class ContextIndex:
    """The files of one view of the repository. Not for use by several threads at once."""

    def __init__(self, files: Iterable[tuple[str, FileFacts]], read: Text) -> None:
        """Takes the facts of each path, and what gives the text of a path."""
        self._read = read
        self._windows: list[tuple[str, Window] | None] = []  # by number; None for one of a file that went
        self._lengths = array("I")
        self._total_length = 0
        self._postings: dict[str, array[int]] = defaultdict(lambda: array("I"))  # number and count in turns
        self._definitions: dict[str, list[tuple[str, Definition]]] = defaultdict(list)
        self._numbers: dict[str, list[int]] = {}
        self._facts: dict[str, FileFacts] = {}
        for path, facts in files:
            self.replace(path, facts)

    def replace(self, path: str, facts: FileFacts) -> None:
        """Puts a file in, or in place of what was known of it."""
        self.remove(path)
        self._facts[path] = facts
        self._numbers[path] = []
        for definition in facts.definitions:
            self._definitions[definition.name].append((path, definition))
        for window in facts.windows:
            number = len(self._windows)
            self._numbers[path].append(number)
            self._windows.append((path, window))
            length = sum(window.terms.values())
            self._lengths.append(length)
            self._total_length += length
            for term, count in window.terms.items():
                self._postings[term].extend((number, count))

    def remove(self, path: str) -> None:
        """Forgets a file. Its places in the lists stay until the index is made anew, and are passed over."""
        facts = self._facts.pop(path, None)
        if facts is None:
            return
        for number in self._numbers.pop(path):
            self._windows[number] = None
            self._total_length -= self._lengths[number]
        for definition in facts.definitions:
            self._definitions[definition.name] = [
                found for found in self._definitions[definition.name] if found[0] != path
            ]

    def snippets(self, cursor: Cursor, *, max_characters: int) -> tuple[Snippet, ...]:
        """What a prompt at the cursor should know, nothing of it from the cursor's own file; the best last.

        The order is by path but for the most similar window, so that one more typed line changes little.
        """
        signatures = list(self._signatures(cursor, int(SIGNATURE_SHARE * max_characters)))
        room = max_characters - sum(len(snippet.text) for snippet in signatures)
        found: list[Snippet] = []
        per_file: Counter[str] = Counter()
        for number in self._best_windows(cursor):
            entry = self._windows[number]
            assert entry is not None
            path, window = entry
            if per_file[path] == MAX_WINDOWS_A_FILE:
                continue
            text = self._text_of(path, window)
            if len(text) > room:
                continue
            per_file[path] += 1
            room -= len(text)
            found.append(Snippet(path=path, text=text))
            if len(found) == MAX_WINDOWS:
                break
        return (*signatures, *found)

    def distractors(self, cursor: Cursor, choice: random.Random, max_characters: int) -> tuple[Snippet, ...]:
        """Windows that have nothing to do with the cursor, as many as fit."""
        found: list[Snippet] = []
        room = max_characters
        paths = sorted(path for path in self._numbers if self._numbers[path] and path != cursor.path)
        for path in choice.sample(paths, min(MAX_WINDOWS, len(paths))):
            entry = self._windows[choice.choice(self._numbers[path])]
            assert entry is not None
            text = self._text_of(*entry)
            if 0 < len(text) <= room:
                room -= len(text)
                found.append(Snippet(path=path, text=text))
        return tuple(found)

    def _text_of(self, path: str, window: Window) -> str:
        lines = (self._read(path) or "").split("\n")[window.first : window.last]
        return "\n".join(lines).strip("\n")

    def _signatures(self, cursor: Cursor, max_characters: int) -> Iterator[Snippet]:
        """The heads of what is imported or called near the cursor, defined elsewhere; a snippet a file."""
        by_path: dict[str, list[Definition]] = defaultdict(list)
        room = max_characters
        for name in _names(cursor):
            places = [place for place in self._definitions.get(name, ()) if place[0] != cursor.path]
            if not 0 < len(places) <= MAX_SAME_NAME or _is_defined_here(name, cursor):
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

    def _best_windows(self, cursor: Cursor) -> list[int]:
        """The numbers of the most similar windows, best first."""
        scores: dict[int, float] = defaultdict(float)
        windows = len(self._windows)
        mean = self._total_length / max(1, windows)
        own = set(self._numbers.get(cursor.path, ()))
        for postings in self._query(cursor):
            rarity = math.log(1 + (windows - len(postings) / 2 + 0.5) / (len(postings) / 2 + 0.5))
            for at in range(0, len(postings), 2):
                number, count = postings[at], postings[at + 1]
                norm = K1 * (1 - B + B * self._lengths[number] / mean)
                scores[number] += rarity * count * (K1 + 1) / (count + norm)
        known = ((score, number) for number, score in scores.items() if number not in own)
        best = nlargest(4 * MAX_WINDOWS, (each for each in known if self._windows[each[1]] is not None))
        return [number for _, number in sorted(best, key=lambda each: (-each[0], self._place(each[1])))]

    def _place(self, number: int) -> tuple[str, int]:
        entry = self._windows[number]
        return ("", 0) if entry is None else (entry[0], entry[1].first)

    def _query(self, cursor: Cursor) -> "list[array[int]]":
        """The lists of the rarest terms around the cursor, the rarest first."""
        before = cursor.prefix.split("\n")[-LINES_BEFORE - 1 :]
        after = cursor.suffix.split("\n", LINES_AFTER + 1)[: LINES_AFTER + 1]
        wanted = dict.fromkeys(terms("\n".join((*before, *after))))
        lists = [(term, self._postings[term]) for term in wanted if term in self._postings]
        chosen: list[array[int]] = []
        room = QUERY_POSTINGS
        for _, postings in sorted(lists, key=lambda each: (len(each[1]), each[0]))[:QUERY_TERMS]:
            room -= len(postings) // 2
            if room < 0:
                break
            chosen.append(postings)
        return chosen


def _names(cursor: Cursor) -> list[str]:
    """What is called near the cursor, nearest first, then what the file imports."""
    near = "\n".join(
        (*cursor.prefix.split("\n")[-LINES_BEFORE:], *cursor.suffix.split("\n", LINES_AFTER)[:LINES_AFTER])
    )
    called = reversed(_CALLED.findall(near))
    imported = [word for line in cursor.prefix.split("\n") if _IMPORT_LINE.match(line) for word in _WORD.findall(line)]
    seen = set(_WORD.findall(near))
    return list(dict.fromkeys((*called, *(word for word in imported if word in seen), *imported)))


def _is_defined_here(name: str, cursor: Cursor) -> bool:
    pattern = rf"\b(?:def|class|func|fn|function|fun|interface|struct|type)\s+{re.escape(name)}\b"
    return re.search(pattern, cursor.prefix) is not None or re.search(pattern, cursor.suffix) is not None


def _distance(path: str, other: str) -> int:
    """How many folders lie between two files."""
    one, two = path.split("/")[:-1], other.split("/")[:-1]
    shared = 0
    while shared < min(len(one), len(two)) and one[shared] == two[shared]:
        shared += 1
    return len(one) + len(two) - 2 * shared
