"""Which files changed, and both their texts: in the work tree, in what is staged, or since a revision."""

from collections.abc import Iterator
from dataclasses import dataclass

from acclimate_indexer.context.work_tree import WorkTree, blob_name
from acclimate_indexer.errors import UsageError
from acclimate_indexer.repository import Repository, decoded

MAX_FILE_BYTES = 2 * 1024 * 1024  # no person wrote more into one file


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFile:
    """A file with its text before, empty for a new one, and now."""

    path: str
    before: str
    after: str


def changed_in_work_tree(repository: Repository) -> Iterator[ChangedFile]:
    """What git knows and lies in the work tree otherwise than in HEAD.

    Raises:
        UsageError: There is no work tree.
    """
    if repository.work_tree is None:
        raise UsageError(f"{repository.name!r} has no work tree. Name a revision: `--since REV`.")
    tree = WorkTree(repository.work_tree, MAX_FILE_BYTES)
    committed = _blobs(repository, "HEAD")
    for path in sorted({*committed, *repository.staged()}):
        data = tree.data(path)
        if data is not None and blob_name(data) != committed.get(path):
            yield from _changed(path, _text(repository, committed.get(path)), decoded(data))


def changed_in_index(repository: Repository) -> Iterator[ChangedFile]:
    """What is staged for the next commit."""
    yield from _between(repository, _blobs(repository, "HEAD"), repository.staged())


def changed_since(repository: Repository, revision: str) -> Iterator[ChangedFile]:
    """What the commits changed that lead to HEAD and not to the revision.

    Raises:
        UsageError: There is no such revision, or HEAD has nothing in common with it.
    """
    base = repository.merge_base(revision, "HEAD")
    if base is None:
        raise UsageError(f"{revision!r} is no revision that HEAD has anything in common with.")
    yield from _between(repository, _blobs(repository, base), _blobs(repository, "HEAD"))


def _between(repository: Repository, old: dict[str, str], new: dict[str, str]) -> Iterator[ChangedFile]:
    for path, blob in sorted(new.items()):
        if old.get(path) != blob:
            yield from _changed(path, _text(repository, old.get(path)), _text(repository, blob))


def _changed(path: str, before: str | None, after: str | None) -> Iterator[ChangedFile]:
    """The file, if it can be read now and differs by more than its line endings."""
    if after is not None and after != before:
        yield ChangedFile(path=path, before=before or "", after=after)


def _blobs(repository: Repository, commit: str) -> dict[str, str]:
    return {entry.path: entry.blob for entry in repository.files(commit)}


def _text(repository: Repository, blob: str | None) -> str | None:
    return None if blob is None else repository.text(blob)
