"""The records that mining, training, evaluation and serving agree on.

A pair is one JSON object a line. The fields are decided in one place, here; readers ignore unknown keys.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from .errors import DatasetError

CompletionKind = Literal["completion", "documentation"]
Age = Literal["", "old_file", "new_file", "held_out_file"]
Severity = Literal["critical", "warning", "suggestion"]
Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "suggestion")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """A piece of another file that is put before the prompt."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionPair:
    """A hole in a file and what belongs into it.

    Attributes:
        commit: The commit whose state of the file `prefix` and `suffix` come from.
        place: What the hole is, e.g. `rest_of_line`, `arguments`, `expression`, `statement`, `block`, `body`.
        age: Of a test pair: new lines in a file that stood at the split, a file that came after it, or one that was
            held out whole. Empty for the others.
    """

    kind: CompletionKind
    language: str
    path: str
    commit: str
    prefix: str
    middle: str
    suffix: str
    context: tuple[Snippet, ...] = ()
    place: str
    age: Age = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """Reads a line of a data set.

        Raises:
            DatasetError: A field is missing.
        """
        try:
            return cls(
                kind=record["kind"],
                language=record["language"],
                path=record["path"],
                commit=record["commit"],
                prefix=record["prefix"],
                middle=record["middle"],
                suffix=record["suffix"],
                context=tuple(Snippet(path=item["path"], text=item["text"]) for item in record.get("context", ())),
                place=record["place"],
                age=record.get("age", ""),
            )
        except (KeyError, TypeError) as error:
            raise DatasetError(f"A pair of the data set lacks {error}. Mine again with `acclimate mine`.") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewComment:
    """What a reviewer says about a hunk.

    Attributes:
        line: Of the hunk, counted from 1.
        suggestion: What the author put in place of `lines` lines from this one on; empty for a deletion.
    """

    line: int
    lines: int = 1
    severity: Severity
    message: str
    suggestion: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPair:
    """A piece of code as it was saved, and the comment that it deserves.

    Attributes:
        commit: The commit whose state of the file `hunk` comes from.
        hunk: Whole lines of code with their surroundings, without marks.
        comment: None for the clean negative, "no issues found".
        source: Where the pair comes from, e.g. `fix`, `revert`, `seeded`, `imported`, `after`, `survived`,
            `dismissed`.
    """

    kind: Literal["review"] = "review"
    language: str
    path: str
    commit: str
    hunk: str
    comment: ReviewComment | None
    source: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """Reads a line of a data set.

        Raises:
            DatasetError: A field is missing.
        """
        try:
            said = record["comment"]
            comment = (
                None
                if said is None
                else ReviewComment(
                    line=said["line"],
                    lines=said.get("lines", 1),
                    severity=said["severity"],
                    message=said["message"],
                    suggestion=said["suggestion"],
                )
            )
            return cls(
                language=record["language"],
                path=record["path"],
                commit=record["commit"],
                hunk=record["hunk"],
                comment=comment,
                source=record["source"],
            )
        except (KeyError, TypeError) as error:
            raise DatasetError(f"A pair of the data set lacks {error}. Mine again with `acclimate mine`.") from error
