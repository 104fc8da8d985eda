"""Which line took the place of one that a commit edited."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from acclimate_indexer.changes import Hunk

MAX_HUNK_LINES = 30  # on each side; a longer hunk is rewritten
MIN_LIKENESS = 0.6  # in shared characters; less is no close match to `difflib` either


def is_edit(hunk: Hunk) -> bool:
    """Whether a hunk replaces lines by others, few enough to tell which by which."""
    return 0 < len(hunk.removed) <= MAX_HUNK_LINES and 0 < len(hunk.added) <= MAX_HUNK_LINES


def successor(line: str, added: Sequence[str]) -> int | None:
    """The number of the added line that is most like a removed one, layout aside.

    None where no line is like it, which was then deleted or rewritten, and where the line itself was merely moved.
    """
    matcher = SequenceMatcher(None, b=line.strip(), autojunk=False)  # which keeps what it knows of `b`
    best, found = 0.0, None
    for number, other in enumerate(added):
        matcher.set_seq1(other.strip())
        if matcher.real_quick_ratio() < MIN_LIKENESS or matcher.quick_ratio() < MIN_LIKENESS:
            continue
        likeness = matcher.ratio()
        if likeness >= MIN_LIKENESS and likeness > best:
            best, found = likeness, number
    return None if best == 1.0 else found
