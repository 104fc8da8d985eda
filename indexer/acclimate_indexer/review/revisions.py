"""Which files changed, and both their texts: in the work tree, in what is staged, or since a revision."""

from collections.abc import Iterator
from dataclasses import dataclass

from acclimate_indexer.context.work_tree import WorkTree, blob_name
from acclimate_indexer.errors import UsageError
from acclimate_indexer.repository import Repository, decoded

MAX_FILE_BYTES = 2 * 1024 * 1024  # no person wrote more into one file


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFile:
    """A file with its text before, empty for a new one, and now. A renamed one had its text under another path."""

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
    before: dict[str, str | None] = {entry.path: entry.blob for entry in repository.files("HEAD")}
    before |= {each.path: each.before for each in repository.differences("HEAD", None)}
    for path, blob in sorted(before.items()):
        data = tree.data(path)
        if data is not None and blob_name(data) != blob:
            yield from _changed(path, _before(repository, blob), decoded(data))


def changed_in_index(repository: Repository) -> Iterator[ChangedFile]:
    """What is staged for the next commit."""
    yield from _between(repository, "HEAD", None)


def changed_since(repository: Repository, revision: str) -> Iterator[ChangedFile]:
    """What the commits changed that lead to HEAD and not to the revision.

    Raises:
        UsageError: There is no such revision, or HEAD has nothing in common with it.
    """
    base = repository.merge_base(revision, "HEAD")
    if base is None:
        raise UsageError(f"{revision!r} is no revision that HEAD has anything in common with.")
    yield from _between(repository, base, "HEAD")


def _between(repository: Repository, old: str, new: str | None) -> Iterator[ChangedFile]:
    for each in sorted(repository.differences(old, new), key=lambda difference: difference.path):
        after = repository.text(each.after, max_bytes=MAX_FILE_BYTES)
        yield from _changed(each.path, _before(repository, each.before), after)


def _changed(path: str, before: str | None, after: str | None) -> Iterator[ChangedFile]:
    """The file, if both sides can be read and differ by more than their line endings.

    One that was there and could not be read is not new: nobody knows which of its lines are.
    """
    if before is not None and after is not None and before != after:
        yield ChangedFile(path=path, before=before, after=after)


def _before(repository: Repository, blob: str | None) -> str | None:
    """The text that a file had: empty where there was none, None where it cannot be read."""
    return "" if blob is None else repository.text(blob, max_bytes=MAX_FILE_BYTES)
