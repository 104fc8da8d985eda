"""Comments in the code that silence a review: `acclimate: ignore`, or `acclimate: ignore[code, code]` for some kinds.

One stands behind the code that it concerns, or alone on the line above.
"""

import re
from collections.abc import Sequence

from acclimate_indexer.languages.language import Language

_IGNORE = re.compile(r"acclimate:\s*ignore\b(?:\[([^\]\n]*)\])?")
_MARKERS = ("/*", "<!--", "--[[", "<#", "{-")  # of comments that do not end with the line, in whatever language


def is_ignored(lines: Sequence[str], where: range, code: str, language: Language) -> bool:
    """Whether a comment silences what is said about lines of a text, counted from 0."""
    markers = (language.comment, *_MARKERS)
    above = lines[where.start - 1] if where.start else ""
    if above.lstrip().startswith(markers) and _silences(above, code, markers):
        return True
    return any(_silences(line, code, markers) for line in lines[where.start : where.stop])


def ignore_comment(code: str, language: Language) -> str:
    """The comment that silences findings of a kind."""
    return f"{language.comment} acclimate: ignore[{code}]"


def _silences(line: str, code: str, markers: tuple[str, ...]) -> bool:
    found = _IGNORE.search(line)
    if found is None or not any(marker in line[: found.start()] for marker in markers):
        return False
    if found[1] is None:
        return True
    named = (each.strip() for each in found[1].split(","))
    return any(code == each or code.startswith(f"{each}:") for each in named if each)
