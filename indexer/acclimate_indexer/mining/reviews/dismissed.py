"""Clean negatives from comments that people dismissed: where the reviewer spoke in vain, it is to be silent."""

from collections.abc import Iterable, Iterator

from acclimate_indexer.filters.personal import personal_spans
from acclimate_indexer.filters.secrets import has_secret
from acclimate_indexer.pairs import ReviewPair
from acclimate_indexer.review.dismissals import DismissedCode

from .reading import Reading
from .surroundings import MAX_LINE_CHARACTERS

ORIGIN = "dismissed"


def dismissed(codes: Iterable[DismissedCode], reading: Reading) -> Iterator[ReviewPair]:
    """The newest first; code that nobody may learn is left out and counted."""
    for code in reversed(list(codes)):
        lines = code.hunk.split("\n")
        if not reading.is_reviewable(code.path) or not code.hunk.strip():
            continue
        if max(map(len, lines)) > MAX_LINE_CHARACTERS:
            reading.dropped["review_long_lines"] += 1
        elif has_secret(code.hunk) or personal_spans(code.hunk):
            reading.dropped["secret"] += 1
        else:
            yield ReviewPair(
                language=code.language,
                path=code.path,
                commit=code.commit,
                hunk=code.hunk,
                comment=None,
                source=ORIGIN,
            )
