"""Whether texts that were taken over are in what was committed next. Reads git: for a worker thread."""

from collections.abc import Iterable
from contextlib import closing
from functools import cache

from acclimate_indexer.completion_feedback import CompletionFeedback, TakenText
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.repository import Repository
from acclimate_indexer.survival import characters_committed


def note_commits(repository: Repository, head: str, home: RepositoryHome) -> int:
    """Looks for what was taken over before `head` was checked out, and notes what is in it; gives how many were judged.

    Raises:
        RepositoryError: git cannot read the repository.
        DiskFull: There is no room.
    """
    with closing(CompletionFeedback.open(home.completions)) as store:
        found = kept_at_commit(repository, head, store.awaiting_commit(head))
        for id_, characters in found.items():
            store.note_kept(id_, "commit", characters)
    return len(found)


def kept_at_commit(repository: Repository, head: str, awaiting: Iterable[TakenText]) -> dict[str, int]:
    """By offer, how many characters of its text are in the file at `head`.

    A text is judged once its file was committed; a commit of other files says nothing about it. One that is missing on
    a commit that was not built on the one before (another branch, an amended one) may still come.

    Raises:
        RepositoryError: git cannot read the repository.
    """
    blob_of, leads_to = cache(repository.blob_of), cache(repository.leads_to)
    text_of = cache(lambda blob: repository.text(blob) or "")
    found: dict[str, int] = {}
    for taken in awaiting:
        blob = blob_of(head, taken.path)
        if blob == blob_of(taken.head, taken.path):
            continue
        characters = 0 if blob is None else characters_committed(taken.before, taken.text, text_of(blob))
        if characters == len(taken.text) or leads_to(taken.head, head):
            found[taken.id] = characters
    return found
