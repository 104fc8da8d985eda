"""What one file gives by itself, whatever else is in the repository: computed once a blob, in any process.

Which of it is kept is decided later, when all files are known.
"""

import json
import zlib
from array import array
from dataclasses import dataclass

from acclimate_indexer.context.facts import FileFacts, facts_of
from acclimate_indexer.filters.generated import unwanted_text
from acclimate_indexer.syntax import Span

from .completion import Candidate, Candidates, Drop, completion_candidates
from .conventions.facts import ConventionFacts, convention_facts
from .documentation import documentation_candidates
from .source import Source

NOTHING = Candidates()
MAX_DAMAGE = 0.5  # of a file's bytes; with more it is written in something else than its name says
SPARE_CANDIDATES = 8  # beyond what a file may give: some are duplicates, and recent lines are preferred


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAnalysis:
    """The findings of one file.

    Attributes:
        reason: Why nothing of the file is used; empty for a file that is.
        lines: A number for each line of the file, equal for lines that differ in white space around them only; 0 for
            a blank line.
        secrets: The lines, counted from 0, that hold secrets or personal data.
    """

    reason: str = ""
    lines: "array[int]"
    secrets: tuple[int, ...] = ()
    completions: Candidates = NOTHING
    documentation: Candidates = NOTHING
    facts: FileFacts | None = None
    conventions: ConventionFacts | None = None

    def to_bytes(self) -> bytes:
        facts = b"" if self.facts is None else self.facts.to_bytes()
        conventions = b"" if self.conventions is None else self.conventions.to_bytes()
        lines = self.lines.tobytes()
        header = {
            "reason": self.reason,
            "secrets": self.secrets,
            "completions": _candidates_record(self.completions),
            "documentation": _candidates_record(self.documentation),
            "sizes": [len(lines), len(facts), len(conventions)],
        }
        return zlib.compress(json.dumps(header).encode() + b"\n" + lines + facts + conventions, 1)

    @classmethod
    def from_bytes(cls, data: bytes) -> "FileAnalysis":
        """Reads what `to_bytes` wrote.

        Raises:
            ValueError: The data is damaged.
        """
        try:
            head, _, rest = zlib.decompress(data).partition(b"\n")
            header = json.loads(head)
            of_lines, of_facts, of_conventions = header["sizes"]
            lines = array("I", rest[:of_lines])
            facts = rest[of_lines : of_lines + of_facts]
            conventions = rest[of_lines + of_facts : of_lines + of_facts + of_conventions]
            return cls(
                reason=header["reason"],
                lines=lines,
                secrets=tuple(header["secrets"]),
                completions=_candidates(header["completions"]),
                documentation=_candidates(header["documentation"]),
                facts=FileFacts.from_bytes(facts) if facts else None,
                conventions=ConventionFacts.from_bytes(conventions) if conventions else None,
            )
        except (zlib.error, KeyError, TypeError) as error:
            raise ValueError(f"damaged analysis: {error!r}") from error


def analysed(source: Source, *, max_pairs: int, seed: int) -> FileAnalysis:
    """All that a file gives by itself; of completions at most `max_pairs` and some to spare."""
    lines = line_numbers(source.text)
    reason = unwanted_text(source.text)
    if not reason and source.syntax.damage > MAX_DAMAGE:
        reason = "unparseable"
    if reason:
        return FileAnalysis(reason=reason, lines=lines)
    return FileAnalysis(
        lines=lines,
        secrets=tuple(source.line_of(span.start) for span in source.secrets),
        completions=completion_candidates(source, count=max_pairs + SPARE_CANDIDATES, seed=seed),
        documentation=documentation_candidates(source),
        facts=facts_of(source),
        conventions=convention_facts(source),
    )


def line_numbers(text: str) -> "array[int]":
    """A checksum of each line without the white space around it.

    Two different lines share one in four thousand million; then a held-out pair is dropped in vain, nothing else.
    """
    return array("I", [line_number(line) for line in text.split("\n")])


def line_number(line: str) -> int:
    stripped = line.strip()
    return zlib.crc32(stripped.encode("utf-8", errors="replace")) if stripped else 0


def _candidates_record(candidates: Candidates) -> list[list[list[int | str]]]:
    return [
        [[each.place, each.span.start, each.span.end, each.first, each.last] for each in candidates.found],
        [[each.line, each.place, each.reason] for each in candidates.drops],
    ]


def _candidates(record: list[list[list[int | str]]]) -> Candidates:
    found, drops = record
    return Candidates(
        tuple(
            Candidate(str(place), Span(int(start), int(end)), int(first), int(last))
            for place, start, end, first, last in found
        ),
        tuple(Drop(int(line), str(place), str(reason)) for line, place, reason in drops),
    )
