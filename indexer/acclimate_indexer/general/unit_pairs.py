"""The pairs of one neighbourhood of general files after another, by the very code that mines a repository."""

import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from acclimate_indexer.context.index import ContextIndex
from acclimate_indexer.mining.analysis import FileAnalysis, analysed
from acclimate_indexer.mining.completion import pair_of
from acclimate_indexer.mining.contexts import CONTEXT_SHARE, with_context
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What pairs are wanted; `count` is that of all languages, `documentation_share` less than 1."""

    part: Part
    count: int
    seed: int
    documentation_share: float
    with_context: bool


class LanguageMiner:
    """Reads, sorts out and mines the general files of one language; remembers what it has taken and left."""

    def __init__(
        self,
        language: str,
        units: Sequence[Sequence[GeneralFile]],
        asked: Asked,
        *,
        reader: Reader,
        own: OwnCode,
        room: Room,
    ) -> None:
        self.packages: set[str] = set()
        self.dropped: Counter[str] = Counter()
        self._language = language
        self._units = units
        self._asked = asked
        self._per_file = PAIRS_PER_FILE[asked.part]
        self._context_share = CONTEXT_SHARE if asked.with_context else 0.0
        self._reader = reader
        self._own = own
        self._room = room
        self._seen: set[str] = set()
        self._selection_dropped: Counter[str] = Counter()
        self._selection = Selection(lambda _: None, self._selection_dropped)
        self._given: Counter[CompletionKind] = Counter()
        self._is_counting = True

    def pairs(self) -> Iterator[CompletionPair]:
        """The pairs, as they are asked for: a few of each neighbourhood, and only then what else each of them has."""
        few = min(max(self._asked.count // UNITS, MIN_PAIRS_PER_UNIT), MAX_PAIRS_PER_UNIT)
        for unit in self._units:
            yield from self._of_unit(unit, few)
        self._is_counting = False  # what is looked at again was counted
        self._seen.clear()
        for unit in self._units:
            yield from self._of_unit(unit, self._asked.count)

    def _of_unit(self, unit: Sequence[GeneralFile], at_most: int) -> Iterator[CompletionPair]:
        if self._room.is_out:
            return
        read = self._read(unit)
        share = self._asked.documentation_share
        completions = self._learn(read, "completion", at_most - round(at_most * share))
        # So many that the share is right in all; what neighbourhoods without comments lacked, later ones make up for.
        documented = (self._given["completion"] + len(completions)) * share / (1 - share) - self._given["documentation"]
        documentation = self._learn(read, "documentation", min(at_most, max(0, round(documented))))
        self._drop(self._selection_dropped.elements())
        self._selection_dropped.clear()
        self._given.update(pair.kind for pair in (*documentation, *completions))
        for pair in self._in_context(read, _interleaved(completions, documentation)):
            self.packages.add(unit[0].package)
            yield pair

    def _read(self, unit: Sequence[GeneralFile]) -> list[_Read]:
        """The files of the part that are in the language and of use."""
        found = []
        for file in unit:
            data = None if self._room.is_out else self._reader.data(file)
            if data is None:
                continue
            self._room.bytes_left -= len(data)
            if part_of(data) == self._asked.part and (read := self._analysed(file, data)) is not None:
                found.append(read)
        return found

    def _analysed(self, file: GeneralFile, data: bytes) -> _Read | None:
        blob, text = hashlib.sha256(data).hexdigest(), decoded(data)
        if text is None or blob in self._seen:
            self._drop(["not_text" if text is None else "duplicate_file"])
            return None
        source = Source.of(path=file.path, blob=blob, commit="", language=file.language, text=text)
        if source.language.name != self._language:
            return None
        self._seen.add(blob)
        if self._own.holds(file.path, text):
            self._drop(["own_file"])
            return None
        analysis = analysed(source, max_pairs=self._per_file, seed=self._asked.seed)
        if analysis.reason:
            self._drop([analysis.reason])
            return None
        for candidates in (analysis.completions, analysis.documentation):
            self._drop(drop.reason for drop in candidates.drops)
        return _Read(source, analysis)

    def _drop(self, reasons: Iterable[str]) -> None:
        if self._is_counting:
            self.dropped.update(reasons)

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
            yield with_context(pair, index, self._asked.seed, self._context_share)


def _interleaved(many: Sequence[CompletionPair], few: Sequence[CompletionPair]) -> list[CompletionPair]:
    """Both in their order, evenly mixed: whoever takes only the first has the mix, too."""
    placed = [(number / len(group), pair) for group in (many, few) for number, pair in enumerate(group, start=1)]
    return [pair for _, pair in sorted(placed, key=lambda each: each[0])]
