"""The words of code that two pieces of it are compared by."""

import re
from collections.abc import Iterator

MIN_TERM_CHARACTERS = 3  # `i`, `x`, `of` stand everywhere
MAX_TERM_CHARACTERS = 60  # longer ones are data

_WORD = re.compile(r"[^\W\d]\w*")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")


def terms(text: str) -> Iterator[str]:
    """The identifiers and words of a text in small letters, and the parts of compound ones, as often as they stand.

    `HTTPServerError` gives itself, `http`, `server` and `error`; so does `http_server_error`.
    """
    for match in _WORD.finditer(text):
        yield from _terms_of(match[0])


def _terms_of(word: str) -> tuple[str, ...]:
    found = _CACHE.get(word)
    if found is None:
        found = _split(word)
        if len(_CACHE) < MAX_CACHED:
            _CACHE[word] = found
    return found


def _split(word: str) -> tuple[str, ...]:
    if not MIN_TERM_CHARACTERS <= len(word) <= MAX_TERM_CHARACTERS:
        return ()
    whole = word.strip("_").lower()
    parts = [part.lower() for part in _PART.findall(word) if len(part) >= MIN_TERM_CHARACTERS]
    return (whole, *parts) if len(parts) > 1 else (whole,) if len(whole) >= MIN_TERM_CHARACTERS else ()


MAX_CACHED = 200_000  # the identifiers of a large repository, some 30 MB
_CACHE: dict[str, tuple[str, ...]] = {}  # splitting costs ten times looking up, and words repeat
