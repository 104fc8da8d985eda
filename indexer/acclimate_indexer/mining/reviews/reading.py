"""Reads the blobs that review pairs come from, a few of them kept parsed."""

import re
from collections import Counter
from collections.abc import Callable, Sequence

from acclimate_indexer.changes import FileChange
from acclimate_indexer.filters.generated import unwanted_text
from acclimate_indexer.filters.personal import personal_spans
from acclimate_indexer.filters.secrets import has_secret, key_blocks
from acclimate_indexer.languages.language import Language
from acclimate_indexer.mining.source import Remember, Source
from acclimate_indexer.pairs import ReviewComment, ReviewPair

from .surroundings import Place

MAX_CHARACTERS = 512 * 1024  # as git compares; larger files are almost always generated
KEPT_SOURCES = 32  # both sides of a commit's files

_TESTS = re.compile(
    r"(?:^|/)(?:tests?|testing|specs?|__tests__|e2e|fixtures|benchmarks?|examples?)/"
    r"|(?:^|/)(?:test_|conftest)[^/]*$|[._-](?:test|spec|tests)\.\w+$|(?:Test|Tests|Spec)\.\w+$"
)


def is_test(path: str) -> bool:
    """Whether a file is a test or an example by its path; these are not reviewed, and nothing is learnt from them."""
    return bool(_TESTS.search(path))


class Reading:
    """What the miner of reviews knows of the repository."""

    def __init__(
        self,
        read: Callable[[str], str | None],
        is_wanted: Callable[[str], bool],
        language_of: Callable[[str], Language | None],
        dropped: Counter[str],
        remember: Remember | None = None,
    ) -> None:
        """Takes what gives the text of a blob, whether a path is mined, the language of a path, counts to add to, and
        what remembers the outlines of blobs."""
        self.dropped = dropped
        self._remember = remember
        self._read = read
        self._is_wanted = is_wanted
        self._language_of = language_of
        self._kept: dict[tuple[str, str, str], Source | None] = {}

    def is_reviewable(self, path: str) -> bool:
        """Whether a file is the project's own code and no test."""
        return self._language_of(path) is not None and self._is_wanted(path) and not is_test(path)

    def reviewable(self, files: Sequence[FileChange]) -> list[FileChange]:
        """The changes of the project's own code, tests aside; those of foreign code are counted."""
        code = [change for change in files if self._language_of(change.path) is not None]
        if foreign := sum(not self._is_wanted(change.path) for change in code):
            self.dropped["review_vendored"] += foreign
        return [change for change in code if self.is_reviewable(change.path)]

    def source(self, path: str, blob: str, commit: str) -> Source | None:
        """A file at a commit; None if its text is not there or nobody wrote it."""
        key = path, blob, commit
        if key not in self._kept:
            if len(self._kept) >= KEPT_SOURCES:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = self._source_of(*key) if blob else None
        return self._kept[key]

    def pair(
        self, source: Source, place: Place, origin: str, comment: ReviewComment | None = None
    ) -> ReviewPair | None:
        """A pair, if it can be read and holds neither a secret nor somebody's mail address."""
        if not place.is_readable:
            if comment is not None:
                self.dropped["review_long_lines"] += 1
            return None
        said = "" if comment is None else f"\n{comment.message}\n{comment.suggestion}"
        if _is_in_key(source, place) or has_secret(place.text + said) or personal_spans(place.text + said):
            self.dropped["secret"] += 1
            return None
        return ReviewPair(
            language=source.language.name,
            path=source.path,
            commit=source.commit,
            hunk=place.text,
            comment=comment,
            source=origin,
        )

    def _source_of(self, path: str, blob: str, commit: str) -> Source | None:
        language = self._language_of(path)
        text = None if language is None else self._read(blob)
        if language is None or text is None or len(text) > MAX_CHARACTERS or unwanted_text(text):
            return None
        return Source.of(path=path, blob=blob, commit=commit, language=language, text=text, remember=self._remember)


def _is_in_key(source: Source, place: Place) -> bool:
    start = source.line_starts[place.first]
    return any(begin <= start + len(place.text) and start < end for begin, end in key_blocks(source.text))
