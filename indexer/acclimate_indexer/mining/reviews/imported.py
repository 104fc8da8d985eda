"""Review pairs from comments that people wrote elsewhere, kept where the line was changed afterwards."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

from acclimate_indexer.changes import CommitDetails, FileChange, History, Hunk
from acclimate_indexer.feedback import ImportedReview
from acclimate_indexer.languages.language import Language
from acclimate_indexer.pairs import ReviewComment, ReviewPair

from .hunks import Read, flaw, is_private, piece_around
from .messages import severity

MAX_MESSAGE_CHARACTERS = 300  # of a comment; longer ones discuss


def imported_pairs(
    imported: Sequence[ImportedReview],
    history: History,
    *,
    read: Read,
    language_of: Callable[[str], Language | None],
    dropped: Counter[str],
) -> Iterator[ReviewPair]:
    """The comments that were acted on, with what was put in place of the line."""
    changes: dict[str, list[tuple[CommitDetails, FileChange]]] = defaultdict(list)
    times = {commit.sha: commit.time for commit, _ in history}
    for commit, changed in reversed(history):  # oldest first
        for change in changed:
            changes[change.path].append((commit, change))
    for review in imported:
        sha = next((sha for sha in times if sha.startswith(review.commit)), None)
        pair = None
        if sha is not None:
            past = [change for commit, change in changes[review.path] if commit.time <= times[sha]]
            later = [change for commit, change in changes[review.path] if commit.time > times[sha]]
            pair = _pair(review, past, later, read, language_of)
        dropped["review_not_acted_on"] += pair is None
        if pair is not None:
            yield pair


def _pair(
    review: ImportedReview,
    past: list[FileChange],
    later: list[FileChange],
    read: Read,
    language_of: Callable[[str], Language | None],
) -> ReviewPair | None:
    text = read(past[-1].new_blob) if past else None
    language = language_of(review.path)
    lines = [] if text is None else text.split("\n")
    if text is None or language is None or review.line > len(lines):
        return None
    acted = _acted_on(lines[review.line - 1], later)
    piece = piece_around(text, review.line - 1, 1)
    message = " ".join(review.message.split())
    if acted is None or piece is None or len(message) > MAX_MESSAGE_CHARACTERS:
        return None
    suggestion = "\n".join(acted.added)
    if is_private(piece.text, suggestion, message):
        return None
    return ReviewPair(
        language=language.name,
        path=review.path,
        commit=review.commit,
        hunk=piece.text,
        comment=ReviewComment(line=piece.line, severity=severity(message), message=message, suggestion=suggestion),
        source="imported",
    )


def _acted_on(line: str, later: list[FileChange]) -> Hunk | None:
    """The first later hunk that takes this line away."""
    if not line.strip():
        return None
    return next(
        (hunk for change in later for hunk in change.hunks if line in hunk.removed and not flaw(change, hunk)), None
    )
