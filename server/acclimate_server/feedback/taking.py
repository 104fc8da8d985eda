"""How much of an offered text stands where it was offered.

Editors add to what is typed: the closing bracket or quote, and the indentation of a new line. That is no other text.
"""

from dataclasses import dataclass

from acclimate_indexer.common_ends import common_beginning

_OPENED_BY = {")": "(", "]": "[", "}": "{", ">": "<", '"': '"', "'": "'", "`": "`"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """What was done with an offered text so far.

    Attributes:
        characters: How many of it stand there, from its beginning.
        is_whole: All of it does.
        is_open: Only a part, or nothing yet, and nothing else: it may still be taken.
    """

    characters: int
    is_whole: bool
    is_open: bool


def taking(typed: str, text: str) -> Taking:
    """What `typed`, which stands where `text` was offered, is of it."""
    typed, text = typed.replace("\r\n", "\n"), text.replace("\r\n", "\n")
    same = common_beginning(typed, text)
    if same == len(text) or ("\n" in text and typed.split() == text.split()):  # editors indent several lines anew
        return Taking(characters=len(text), is_whole=True, is_open=False)
    added = typed[same:].strip()
    is_open = all(_OPENED_BY.get(sign, "\0") in typed[:same] for sign in added)
    return Taking(characters=same if text[:same].strip() else 0, is_whole=False, is_open=is_open)
