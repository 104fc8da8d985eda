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
MAX_TRIES_PER_FILE = 6
MIN_CODE_LINES = 6  # of a piece; fewer are hardly worth a look
MIN_LINE_CHARACTERS = 8  # shorter lines, `else:`, are written anew every day
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
    """Pieces of files, given as path and blob, in which no line is new; file after file, again and again."""
    new = _new_lines(history)
    if new is None:
        return
    order = list(files)
    choice.shuffle(order)
    for _ in range(MAX_TRIES_PER_FILE):
        for path, blob in order:
            text, language = read(blob), language_of(path)
            if text is None or language is None:
                continue
            lines = text.count("\n") + 1
            piece = piece_around(text, choice.randrange(lines), choice.randint(*CHANGED_LINES))
            if piece is not None and _is_old_code(piece.text, new) and not is_private(piece.text):
                yield ReviewPair(
                    language=language.name, path=path, commit=commit, hunk=piece.text, comment=None, source="survived"
                )


def _new_lines(history: History) -> frozenset[str] | None:
    """The lines that were added lately; None in a repository that is too young for anything to have survived."""
    if len(history) <= MIN_LATER_COMMITS or history[0][0].time - history[-1][0].time < MIN_AGE:
        return None
    newest = history[0][0].time
    return frozenset(
        line.strip()
        for number, (commit, changes) in enumerate(history)
        if number < MIN_LATER_COMMITS or newest - commit.time < MIN_AGE
        for change in changes
        for hunk in change.hunks
        for line in hunk.added
    )


def _is_old_code(text: str, new: frozenset[str]) -> bool:
    lines = [line for line in map(str.strip, text.split("\n")) if line]
    is_enough = len(lines) >= MIN_CODE_LINES
    return is_enough and not any(line in new for line in lines if len(line) >= MIN_LINE_CHARACTERS)
