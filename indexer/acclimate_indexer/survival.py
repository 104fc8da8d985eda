"""How much of a text that somebody took over still stands where it was put."""

import re
from difflib import SequenceMatcher

NEAR_CHARACTERS = 500  # a dozen lines: a text that was moved a little has been kept
MAX_COMPARED_CHARACTERS = 4_000  # of what stands there now; comparing takes a few milliseconds
MIN_RUN_TOKENS = 3  # single brackets and names are found anywhere

_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


def characters_kept(taken: str, text: str, start: int, end: int) -> int:
    """How many characters of `taken`, which was put at `text[start:end]`, are still about there.

    All of them if it stands there unchanged, else those in common runs of words and signs.
    """
    near = text[max(0, start - NEAR_CHARACTERS) : end + NEAR_CHARACTERS].replace("\r\n", "\n")
    if taken in near:
        return len(taken)
    old, new = _TOKEN.findall(taken), _TOKEN.findall(near[:MAX_COMPARED_CHARACTERS])
    runs = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    kept = [old[run.a : run.a + run.size] for run in runs]
    return sum(len("".join(run)) for run in kept if sum(not token.isspace() for token in run) >= MIN_RUN_TOKENS)


def characters_committed(before: str, taken: str, text: str) -> int:
    """How many characters of `taken`, which was put behind `before` in a line, a committed file holds.

    All of them if it stands there unchanged, else those of its lines that do. Where in the file, is not asked: what
    was written since has moved it.
    """
    text = text.replace("\r\n", "\n")
    if f"\n{before}{taken}" in f"\n{text}":
        return len(taken)
    standing = {line.strip() for line in text.split("\n")}
    first, *others = taken.split("\n")
    lines = ((f"{before}{first}", first), *((line, line) for line in others))
    return sum(len(part) for line, part in lines if any(map(str.isalnum, line)) and line.strip() in standing)
