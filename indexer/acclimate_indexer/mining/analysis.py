"""What one file gives by itself, whatever else is in the repository: computed once a blob, in any process.

Which of it is kept is decided later, when all files are known.
"""

import json
import zlib
from array import array
from dataclasses import dataclass
from functools import cached_property

from acclimate_indexer.context.facts import FileFacts, facts_of
from acclimate_indexer.filters.generated import is_markup, unwanted_text
from acclimate_indexer.filters.licences import HEAD_CHARACTERS, MAX_HEADER_CHARACTERS, licences_in
from acclimate_indexer.syntax import Span

from .completion import Candidate, Candidates, Drop, completion_candidates
from .conventions.facts import ConventionFacts, convention_facts
from .documentation import documentation_candidates
from .source import Source

NOTHING = Candidates()
FASTEST = 1  # of the levels of compression: a third of the size for a microsecond a line
MAX_DAMAGE = 0.5  # of a file's bytes; with more it is written in something else than its name says
SPARE_CANDIDATES = 8  # beyond what a file may give: some are duplicates, and recent lines are preferred


@dataclass(frozen=True, kw_only=True)
class FileAnalysis:
    """The findings of one file. What retrieval and conventions need is packed until it is asked for.

    Attributes:
        reason: Why nothing of the file is used; empty for a file that is.
        lines: A number for each line of the file, equal for lines that differ in white space around them only; 0 for
            a blank line.
        secrets: The lines, counted from 0, that hold secrets or personal data.
        licences: What the file's first comments name.
    """

    reason: str = ""
    lines: "array[int]"
    secrets: tuple[int, ...] = ()
    licences: tuple[str, ...] = ()
    completions: Candidates = NOTHING
    documentation: Candidates = NOTHING
    packed_facts: bytes = b""
    packed_conventions: bytes = b""

    @cached_property
    def conventions(self) -> ConventionFacts:
        return ConventionFacts.from_bytes(zlib.decompress(self.packed_conventions))

    def facts(self) -> FileFacts:
        """Made anew at each call: an index takes what it needs, and the rest is large."""
        return FileFacts.from_bytes(zlib.decompress(self.packed_facts))

    def to_bytes(self) -> bytes:
        lines = self.lines.tobytes()
        header = [
            self.reason,
            self.secrets,
            self.licences,
            candidates_record(self.completions),
            candidates_record(self.documentation),
            [len(lines), len(self.packed_facts), len(self.packed_conventions)],
        ]
        packed = json.dumps(header, separators=(",", ":")).encode()
        return packed + b"\n" + lines + self.packed_facts + self.packed_conventions

    @classmethod
    def from_bytes(cls, data: bytes) -> "FileAnalysis":
        """Reads what `to_bytes` wrote.

        Raises:
            ValueError: The data is damaged.
        """
        head, _, rest = data.partition(b"\n")
        try:
            reason, secrets, licences, completions, documentation, sizes = json.loads(head)
            of_lines, of_facts, of_conventions = sizes
            assert len(rest) == of_lines + of_facts + of_conventions
            return cls(
                reason=reason,
                lines=array("I", rest[:of_lines]),
                secrets=tuple(secrets),
                licences=tuple(licences),
                completions=candidates_of(completions),
                documentation=candidates_of(documentation),
                packed_facts=rest[of_lines : of_lines + of_facts],
                packed_conventions=rest[of_lines + of_facts :],
            )
        except (AssertionError, ValueError, TypeError) as error:
            raise ValueError(f"damaged analysis: {error!r}") from error


def analysed(source: Source, *, max_pairs: int, seed: int) -> FileAnalysis:
    """All that a file gives by itself; of completions at most `max_pairs` and some to spare."""
    lines = line_numbers(source.text)
    reason = unwanted_text(source.text)
    if not reason and source.language.grammar is None and is_markup(source.text):
        reason = "markup"
    if not reason and source.syntax.damage > MAX_DAMAGE:
        reason = "unparseable"
    if reason:
        return FileAnalysis(reason=reason, lines=lines)
    return FileAnalysis(
        lines=lines,
        secrets=tuple(source.line_of(span.start) for span in source.hidden),
        licences=tuple(sorted(licences_in(_header(source)))),
        completions=completion_candidates(source, count=max_pairs + SPARE_CANDIDATES, seed=seed),
        documentation=documentation_candidates(source),
        packed_facts=zlib.compress(facts_of(source).to_bytes(), FASTEST),
        packed_conventions=zlib.compress(convention_facts(source).to_bytes(), FASTEST),
    )


def _header(source: Source) -> str:
    """The first comments, among them what a licence asks to be put there."""
    prose = (source.text[span.start : span.end] for span in source.syntax.prose if span.start < HEAD_CHARACTERS)
    return "\n".join(prose)[:MAX_HEADER_CHARACTERS]


def line_numbers(text: str) -> "array[int]":
    """A checksum of each line without the white space around it.

    Two different lines share one in four thousand million; then a held-out pair is dropped in vain, nothing else.
    """
    return array("I", [line_number(line) for line in text.split("\n")])


def line_number(line: str) -> int:
    stripped = line.strip()
    return zlib.crc32(stripped.encode("utf-8", errors="replace")) if stripped else 0


def candidates_record(candidates: Candidates) -> list[list[list[int | str]]]:
    """Candidates as JSON; `candidates_of` reads it."""
    return [
        [[each.place, each.span.start, each.span.end, each.first, each.last] for each in candidates.found],
        [[each.line, each.place, each.reason] for each in candidates.drops],
    ]


def candidates_of(record: list[list[list[int | str]]]) -> Candidates:
    found, drops = record
    return Candidates(
        tuple(
            Candidate(str(place), Span(int(start), int(end)), int(first), int(last))
            for place, start, end, first, last in found
        ),
        tuple(Drop(int(line), str(place), str(reason)) for line, place, reason in drops),
    )
