"""Pairs of code that is not the repository's, made just as the repository's are: the same holes, the same retrieval.

Files are read only as far as pairs are wanted. Nothing of it leaves the machine or is kept but in a cache, so licences
do not matter here; secrets do.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Self

from acclimate_indexer.languages.language import Language
from acclimate_indexer.languages.registry import grammar_versions, language_named
from acclimate_indexer.mining.analyses import ANALYSIS_VERSION
from acclimate_indexer.pairs import CompletionPair

from .found import GeneralPairs, keep, kept
from .own import OwnCode
from .parts import Part, units
from .shares import whole_numbers
from .sources import GeneralFile, Reader, Root, general_files, roots_at_hand
from .unit_pairs import Asked, LanguageMiner, Room

CACHE_VERSION = 1  # counts up when the same files would give other pairs
MAX_SECONDS = 600.0  # a thousand pairs take about ten, on a busy machine thirty
MAX_READ_BYTES = 500 * 1024 * 1024  # a thousand pairs take about 10 MB
HEADERS = ("c", "cpp")  # a header's name does not say which


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralCode:
    """The general code on this machine.

    Attributes:
        files: By the language that their names say.
        dropped: How many files are not looked at since they are the repository's own.
    """

    files: Mapping[str, tuple[GeneralFile, ...]]
    exclude: OwnCode
    cache: Path | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def found(
        cls,
        *,
        exclude: OwnCode,
        work_tree: Path | None = None,
        cache: Path | None = None,
        roots: Sequence[Root] | None = None,
    ) -> Self:
        """Looks at names and sizes only; half a second.

        Args:
            exclude: The repository under study.
            work_tree: Where it is checked out: what is installed there is general code, too.
            cache: A folder for the pairs that were made; they are made anew where none is given.
        """
        by_language: dict[str, list[GeneralFile]] = {}
        own = 0
        for file in general_files(roots_at_hand(work_tree) if roots is None else roots):
            if exclude.named(file):
                own += 1
            else:
                by_language.setdefault(file.language.name, []).append(file)
        files = {name: tuple(found) for name, found in by_language.items()}
        return cls(files=files, exclude=exclude, cache=cache, dropped={"own_package": own} if own else {})

    def pairs(
        self,
        part: Part,
        languages: Mapping[str, float],
        count: int,
        *,
        seed: int = 0,
        documentation_share: float = 0.1,
        with_context: bool = True,
        seconds: float = MAX_SECONDS,
        advance: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> GeneralPairs:
        """At most `count` pairs of a part, from the cache where they were made before.

        Args:
            languages: What each language weighs, e.g. how many pairs of the repository are in it.
            documentation_share: Of documentation pairs among them, less than 1.
            with_context: Retrieved code stands before half of them, as before the repository's; else before none.
            seconds: After which it ends with what it has; a last resort, since it depends on the machine.
            advance: Hears of every pair that is made, and how many are wanted.
        """
        asked = Asked(
            part=part, count=count, seed=seed, documentation_share=documentation_share, with_context=with_context
        )
        weights = dict(sorted(languages.items()))
        place = self._place([part, weights, documentation_share, count, seed, with_context])
        if place is not None and (known := kept(place)) is not None:
            return known
        with Reader() as reader:
            room = Room(bytes_left=MAX_READ_BYTES, ends_at=time.monotonic() + seconds)
            made = _Filling(self, asked, weights, reader=reader, room=room, advance=advance).filled()
        if place is not None and not made.was_stopped:
            keep(made, place)
        return made

    def of_language(self, language: str) -> list[GeneralFile]:
        """The files that may be in a language."""
        names = HEADERS if language in HEADERS else (language,)
        return [file for name in names for file in self.files.get(name, ())]

    def _place(self, asked: list[Any]) -> Path | None:
        if self.cache is None:
            return None
        digest = hashlib.sha256(json.dumps([CACHE_VERSION, ANALYSIS_VERSION, grammar_versions(), *asked]).encode())
        digest.update(self.exclude.digest.encode())
        for name, files in sorted(self.files.items()):
            listed = [[file.root.name, file.path, file.size_bytes] for file in files]
            digest.update(json.dumps([name, listed]).encode("utf-8", errors="replace"))
        return self.cache / f"{asked[0]}-{digest.hexdigest()[:16]}.jsonl"


class _Filling:
    """One collection of pairs, language by language."""

    def __init__(
        self,
        code: GeneralCode,
        asked: Asked,
        weights: Mapping[str, float],
        *,
        reader: Reader,
        room: Room,
        advance: Callable[[int, int], None],
    ) -> None:
        self._code = code
        self._asked = asked
        self._weights = weights
        self._reader = reader
        self._room = room
        self._advance = advance
        self._found: list[CompletionPair] = []
        self._miners: dict[str, tuple[LanguageMiner, Iterator[CompletionPair]]] = {}

    def filled(self) -> GeneralPairs:
        missing: dict[str, int] = {}
        for name, wanted in whole_numbers(self._weights, self._asked.count).items():
            if short := wanted - self._take(name, wanted):
                missing[name] = short
        for name, short in missing.items():
            self._take_instead(name, short)
        miners = [miner for miner, _ in self._miners.values()]
        dropped = sum((miner.dropped for miner in miners), Counter(self._code.dropped))
        return GeneralPairs(
            pairs=tuple(sorted(self._found, key=lambda pair: _order(pair, self._asked.seed))),
            languages=dict(sorted(Counter(pair.language for pair in self._found).items())),
            missing=missing,
            packages=tuple(sorted({package for miner in miners for package in miner.packages})),
            dropped=dict(sorted(dropped.items())),
            was_stopped=self._room.is_out,
        )

    def _take_instead(self, language: str, short: int) -> None:
        """Related languages first, then those that are wanted, by their weight, then any."""
        known = sorted(self._code.files, key=lambda name: (-len(self._code.files[name]), name))
        lexer = _lexer(language)
        for name in (each for each in known if lexer is not None and _lexer(each) == lexer):
            short -= self._take(name, short)
        for name, share in whole_numbers(self._weights, short).items():
            short -= self._take(name, share)
        for name in (*self._weights, *known):
            short -= self._take(name, short)

    def _take(self, language: str, count: int) -> int:
        """Adds at most so many pairs of a language; returns how many."""
        if count <= 0:
            return 0
        if language not in self._miners:
            miner = LanguageMiner(
                language,
                units(self._code.of_language(language)),
                self._asked,
                reader=self._reader,
                own=self._code.exclude,
                room=self._room,
            )
            self._miners[language] = (miner, miner.pairs())
        before = len(self._found)
        for pair in islice(self._miners[language][1], count):
            self._found.append(pair)
            self._advance(len(self._found), self._asked.count)
        return len(self._found) - before


def _lexer(language: str) -> str | None:
    known: Language | None = language_named(language)
    return None if known is None else known.lexer


def _order(pair: CompletionPair, seed: int) -> bytes:
    named = f"{seed}\0{pair.path}\0{len(pair.prefix)}\0{pair.middle}"
    return hashlib.sha256(named.encode("utf-8", errors="replace")).digest()
