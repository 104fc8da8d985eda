"""Clean negatives: code that has stood long, while much was changed around it."""

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from acclimate_indexer.changes import History
from acclimate_indexer.languages.language import Language
from acclimate_indexer.pairs import ReviewPair

from .hunks import Read, is_private, piece_around

MIN_AGE = timedelta(days=180)
MIN_LATER_COMMITS = 50
MAX_TRIES_PER_FILE = 3
MIN_CODE_LINES = 6  # of a piece; fewer are hardly worth a look
CHANGED_LINES = (1, 8)  # a piece is as large as one around so many changed lines


def survivors(
    history: History,
    files: Sequence[tuple[str, str]],
    *,
    commit: str,
    read: Read,
    language_of: Callable[[str], Language | None],
    choice: random.Random,
) -> Iterator[ReviewPair]:
    """Pieces of files, given as path and blob, that nobody touched for long; file after file, again and again."""
    old = _long_untouched(history, files)
    choice.shuffle(old)
    for _ in range(MAX_TRIES_PER_FILE):
        for path, blob in old:
            text, language = read(blob), language_of(path)
            if text is None or language is None:
                continue
            lines = text.count("\n") + 1
            piece = piece_around(text, choice.randrange(lines), choice.randint(*CHANGED_LINES))
            if piece is None or sum(bool(line.strip()) for line in piece.text.split("\n")) < MIN_CODE_LINES:
                continue
            if not is_private(piece.text):
                yield ReviewPair(
                    language=language.name, path=path, commit=commit, hunk=piece.text, comment=None, source="survived"
                )


def _long_untouched(history: History, files: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The files that no commit of the last half year touched, and that many commits came after."""
    if len(history) <= MIN_LATER_COMMITS:
        return []
    newest = history[0][0].time
    touched = {
        change.path
        for number, (commit, changes) in enumerate(history)
        if number < MIN_LATER_COMMITS or newest - commit.time < MIN_AGE
        for change in changes
    }
    if newest - history[-1][0].time < MIN_AGE:
        return []  # too young for anything to have survived
    return [file for file in files if file[0] not in touched]
