"""The text that a document is compared with: what was committed of it, under this path or the one it was moved from."""

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from acclimate_indexer.errors import RepositoryError
from acclimate_indexer.repository import Repository
from acclimate_indexer.review.revisions import MAX_FILE_BYTES

MIN_SHARED_LINES = 0.5  # of the longer text, as git takes a file for a renamed one
MAX_COMPARED_FILES = 200  # that are gone; more, and somebody is on a wholly different state


def committed_text(repository: Repository, path: str, text: str) -> str | None:
    """What the newest commit has at a path; empty for a new file, None for what cannot be read, such as a link.

    Args:
        text: What stands there now. A file that is new in its place, and shares most lines with one that is gone from
            the work tree, was moved: git is told of that later, if at all.
    """
    try:
        known = repository.text_at("HEAD", path, max_bytes=MAX_FILE_BYTES)
        return known if known != "" else _moved_from(repository, path, text)
    except RepositoryError:
        return ""  # a branch without a commit


def _moved_from(repository: Repository, path: str, text: str) -> str:
    """The text that is most like it, of files of the same kind that are gone."""
    lines = Counter(text.split("\n"))
    most, found = 0.0, ""
    for other in _gone(repository, PurePosixPath(path).suffix):
        shared = _shared(lines, Counter(other.split("\n")))
        if shared >= MIN_SHARED_LINES and shared > most:
            most, found = shared, other
    return found


def _gone(repository: Repository, suffix: str) -> Iterator[str]:
    if repository.work_tree is None:
        return
    entries = (each for each in repository.files("HEAD") if PurePosixPath(each.path).suffix == suffix)
    gone = [each.blob for each in entries if not (repository.work_tree / each.path).is_file()]
    for blob in gone[:MAX_COMPARED_FILES]:
        if text := repository.text(blob, max_bytes=MAX_FILE_BYTES):
            yield text


def _shared(lines: Counter[str], others: Counter[str]) -> float:
    return (lines & others).total() / max(lines.total(), others.total())
