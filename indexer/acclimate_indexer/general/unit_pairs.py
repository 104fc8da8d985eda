"""The pairs of one neighbourhood of general files after another, by the very code that mines a repository."""

import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from acclimate_indexer.context.index import ContextIndex
from acclimate_indexer.mining.analysis import FileAnalysis, analysed
from acclimate_indexer.mining.completion import pair_of
from acclimate_indexer.mining.contexts import CONTEXT_SHARE
from acclimate_indexer.mining.contexts import _with_context as with_context_at_times
from acclimate_indexer.mining.selection import Selection, in_turns
from acclimate_indexer.mining.source import Source
from acclimate_indexer.pairs import CompletionKind, CompletionPair
from acclimate_indexer.repository import decoded

from .own import OwnCode
from .parts import Part, part_of
from .sources import GeneralFile, Reader

# Of a file: for learning half of what a repository's file gives, since there are more files here. The probe is measured
# by file, so that it is worth more the more files it has.
PAIRS_PER_FILE: dict[Part, int] = {"control": 8, "replay": 8, "probe": 2}
MIN_PAIRS_PER_UNIT, MAX_PAIRS_PER_UNIT = 6, 48
UNITS = 16  # that pairs come from at least, where they are many enough


@dataclass(slots=True)
class Room:
    """What is left of bytes and time."""

    bytes_left: int
    ends_at: float

    @property
    def is_out(self) -> bool:
        return self.bytes_left <= 0 or time.monotonic() > self.ends_at


@dataclass(frozen=True, slots=True)
class _Read:
    source: Source
    analysis: FileAnalysis


class UnitMiner:
    """Reads, sorts out and mines general files; remembers what it has taken."""

    def __init__(
        self, *, part: Part, seed: int, count: int, with_context: bool, reader: Reader, own: OwnCode, room: Room
    ) -> None:
        self.room = room
        self.packages: set[str] = set()
        self.dropped: Counter[str] = Counter()
        self._part = part
        self._seed = seed
        self._per_file = PAIRS_PER_FILE[part]
        self._per_unit = min(max(count // UNITS, MIN_PAIRS_PER_UNIT), MAX_PAIRS_PER_UNIT)
        self._context_share = CONTEXT_SHARE if with_context else 0.0
        self._reader = reader
        self._own = own
        self._seen: set[str] = set()
        self._selection = Selection(lambda _: None, self.dropped)

    def pairs(
        self, units: Iterable[Sequence[GeneralFile]], language: str, *, documentation_share: float
    ) -> Iterator[CompletionPair]:
        """The pairs in a language, as they are asked for."""
        given: Counter[CompletionKind] = Counter()
        for unit in units:
            read = self._read(unit, language)
            documented = self._per_unit * documentation_share
            if given.total():  # what units without comments lacked, others make up for
                documented += documentation_share * given.total() - given["documentation"]
            documentation = self._learn(read, "documentation", max(0, round(documented)))
            completions = self._learn(read, "completion", self._per_unit - len(documentation))
            given.update(pair.kind for pair in (*documentation, *completions))
            for pair in self._in_context(read, _interleaved(completions, documentation)):
                self.packages.add(unit[0].package)
                yield pair
            if self.room.is_out:
                return

    def _read(self, unit: Sequence[GeneralFile], language: str) -> list[_Read]:
        """The files of the part that are in the language and of use."""
        found = []
        for file in unit:
            data = None if self.room.is_out else self._reader.data(file)
            if data is None:
                continue
            self.room.bytes_left -= len(data)
            if part_of(data) == self._part and (read := self._analysed(file, data, language)) is not None:
                found.append(read)
        return found

    def _analysed(self, file: GeneralFile, data: bytes, language: str) -> _Read | None:
        blob, text = hashlib.sha256(data).hexdigest(), decoded(data)
        if text is None or blob in self._seen:
            self.dropped["not_text" if text is None else "duplicate_file"] += 1
            return None
        source = Source.of(path=file.path, blob=blob, commit="", language=file.language, text=text)
        if source.language.name != language:
            return None
        self._seen.add(blob)
        if self._own.holds(file.path, text):
            self.dropped["own_file"] += 1
            return None
        analysis = analysed(source, max_pairs=self._per_file, seed=self._seed)
        if analysis.reason:
            self.dropped[analysis.reason] += 1
            return None
        for candidates in (analysis.completions, analysis.documentation):
            self.dropped.update(drop.reason for drop in candidates.drops)
        return _Read(source, analysis)

    def _learn(self, read: Sequence[_Read], kind: CompletionKind, at_most: int) -> list[CompletionPair]:
        """Pairs of a kind, those of each file in turns, none nearly like another."""
        by_file = []
        for each in read:
            found = (each.analysis.completions if kind == "completion" else each.analysis.documentation).found
            by_file.append([pair_of(each.source, candidate, kind) for candidate in found[: self._per_file]])
        return self._selection.learn(in_turns(by_file), at_most) if at_most else []

    def _in_context(self, read: Sequence[_Read], pairs: Iterable[CompletionPair]) -> Iterator[CompletionPair]:
        if not self._context_share:
            yield from pairs
            return
        texts = {each.source.path: each.source.text for each in read}
        index = ContextIndex(((each.source.path, each.analysis.facts()) for each in read), texts.get)
        for pair in pairs:
            yield with_context_at_times(pair, index, self._seed, self._context_share)


def _interleaved(many: Sequence[CompletionPair], few: Sequence[CompletionPair]) -> list[CompletionPair]:
    """Both in their order, evenly mixed: whoever takes only the first has the mix, too."""
    placed = [(number / len(group), pair) for group in (many, few) for number, pair in enumerate(group, start=1)]
    return [pair for _, pair in sorted(placed, key=lambda each: each[0])]
