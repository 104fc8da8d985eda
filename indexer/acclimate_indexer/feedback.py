"""What people said: what they dismissed, and review comments from elsewhere. `completion_feedback` is what they took.

One JSON object a line, appended, never changed. It enters at the left again, with the next mining. An entry with a
secret in it is not kept.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from .durable import disk_full_named
from .errors import UsageError
from .filters.secrets import has_secret

FeedbackKind = Literal["dismissed", "taken_back", "review"]
SCHEMA = 1
MAX_REVIEW_FILE_BYTES = 200 * 1024 * 1024  # all comments of a large project
MAX_COMMENT_CHARACTERS = 4_000  # longer ones are discussions


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedReview:
    """What somebody wrote about a line. `line` counts from 1, in the state of `commit`."""

    path: str
    line: int
    commit: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSummary:
    """What became of a file of comments. `problems` name lines, counted from 1, and what is wrong with them."""

    imported: int
    known: int
    with_secrets: int
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def words(self) -> str:
        said = f"{self.imported:,} review comments taken in, {self.known:,} known before."
        if self.with_secrets:
            said += f" {self.with_secrets:,} were left out since they hold something like a secret."
        shown = "".join(f"\n  {problem}" for problem in self.problems[:10])
        return f"{said} {len(self.problems):,} lines could not be used:{shown}" if self.problems else said


class FeedbackStore:
    """The file of one repository, readable by its owner alone."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, kind: FeedbackKind, entry: dict[str, Any]) -> bool:
        """Appends an entry; False if it holds something like a secret, and is not kept.

        Raises:
            DiskFull: There is no room.
        """
        line = json.dumps({"schema": SCHEMA, "kind": kind, **entry}, sort_keys=True, ensure_ascii=False)
        if any(has_secret(text) for text in _texts(entry)):
            return False
        with disk_full_named(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "r+b", buffering=0) as file:
                is_cut = file.seek(0, os.SEEK_END) > 0 and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n"
                start = "\n" if is_cut else ""  # what a crash cut off must not swallow this line
                file.write(f"{start}{line}\n".encode("utf-8", errors="replace"))
                os.fsync(file.fileno())
        return True

    def entries(self, *kinds: FeedbackKind) -> Iterator[dict[str, Any]]:
        """The entries of these kinds, the oldest first; a line that was cut off is passed over."""
        for line in self._lines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and entry.get("kind") in kinds:
                yield entry

    def imported_reviews(self) -> list[ImportedReview]:
        """The comments that were taken in, each once."""
        found = [_review(entry) for entry in self.entries("review")]
        return list(dict.fromkeys(review for review in found if isinstance(review, ImportedReview)))

    def digest(self) -> str:
        """Names all that is in it; the same entries give the same name on any machine."""
        digest = hashlib.sha256()
        for line in sorted(set(self._lines())):
            digest.update(line.encode())
        return digest.hexdigest()[:16]

    def _lines(self) -> list[str]:
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return []
        return [line for line in text.split("\n") if line]


def import_reviews(file: Path, store: FeedbackStore) -> ImportSummary:
    """Takes in review comments, one JSON object a line: `path`, `line`, `commit`, `body`, or as GitHub names them.

    Raises:
        UsageError: The file cannot be read, or is far too large.
        DiskFull: There is no room.
    """
    known = set(store.imported_reviews())
    imported = repeated = with_secrets = 0
    problems: list[str] = []
    for number, line in enumerate(_file_lines(file), 1):
        if not line.strip():
            continue
        review = _review_of_line(line)
        if isinstance(review, str):
            problems.append(f"line {number}: {review}")
        elif review in known:
            repeated += 1
        elif store.add("review", asdict(review)):
            known.add(review)
            imported += 1
        else:
            with_secrets += 1
    return ImportSummary(imported=imported, known=repeated, with_secrets=with_secrets, problems=tuple(problems))


def _file_lines(file: Path) -> list[str]:
    try:
        if file.stat().st_size > MAX_REVIEW_FILE_BYTES:
            raise UsageError(f"{str(file)!r} is larger than {MAX_REVIEW_FILE_BYTES // 2**20} MB. Split it.")
        return file.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError as error:
        raise UsageError(f"{str(file)!r} cannot be read: {error.strerror}. Name a file of JSON lines.") from error


def _review_of_line(line: str) -> ImportedReview | str:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return "is no JSON"
    return _review(record) if isinstance(record, dict) else "is no JSON object"


def _review(record: dict[str, Any]) -> ImportedReview | str:
    """A comment, or what is wrong with it. A comment's own commit is the one it was made for."""
    given = {
        "path": _first(record, str, "path"),
        "line": _first(record, int, "original_line", "line", "original_position"),
        "commit": _first(record, str, "original_commit_id", "commit_id", "commit", "sha"),
        "message": _first(record, str, "body", "message"),
    }
    missing = [name for name, value in given.items() if not value]
    if missing:
        return f"has no {', '.join(missing)}"
    if given["line"] < 1 or not set(given["commit"]) <= set("0123456789abcdefABCDEF"):
        return "names no line or no commit"
    return ImportedReview(
        path=given["path"],
        line=given["line"],
        commit=given["commit"].lower(),
        message=given["message"].strip()[:MAX_COMMENT_CHARACTERS],
    )


def _first(record: dict[str, Any], kind: Callable[..., Any], *names: str) -> Any:
    return next((record[name] for name in names if type(record.get(name)) is kind), None)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
