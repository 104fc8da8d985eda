"""Which names a line of code names, so that one could tell what of."""

import re

from .facts import NAME

MAX_LINE_CHARACTERS = 300
MAX_WORDS = 6  # of a name with dots
IMPORT = re.compile(r"^\s*(?:from|import|use|using|#include|require)\b|\brequire\(|\bfrom\s+[\"']")

_COMMENT = re.compile(r"^\s*(?:#|//|\*|/\*|--|\"\"\"|''')")
_TEXT = re.compile(r"([\"'`])(?:\\.|(?!\1)[^\\\n]){0,200}\1")  # in quotes: no name of code stands there


def is_compound(name: str) -> bool:
    """Whether a name is of several words, so that it hardly stands for anything else by chance."""
    return "_" in name.strip("_") or any(map(str.isupper, name[1:]))


def is_import(line: str) -> bool:
    return IMPORT.search(line) is not None


def is_read(line: str) -> bool:
    """Whether a line is looked at: data and comments are not."""
    return len(line) <= MAX_LINE_CHARACTERS and not _COMMENT.match(line)


def code_of(line: str) -> str:
    """A line without what stands in quotes; a module may be imported by such a text."""
    return line if is_import(line) else _TEXT.sub("''", line)


def parts_of(name: str) -> set[str]:
    """All runs of the words between the dots."""
    words = name.split(".")[:MAX_WORDS]
    return {".".join(words[first:last]) for first in range(len(words)) for last in range(first + 1, len(words) + 1)}


def names_in(line: str) -> set[str]:
    """The names of a line, their parts included; of plain words only those of what is called or imported.

    `session.get(...)` calls something of `session`: which of two names was replaced there is found in the same places.
    """
    if not is_read(line):
        return set()
    text, imports = code_of(line), is_import(line)
    found: set[str] = set()
    for token in NAME.finditer(text):
        parts = parts_of(token[0])
        is_told = imports or text[token.end() :].lstrip().startswith("(")
        found |= parts if is_told else {part for part in parts if "." in part or is_compound(part)}
    return found


def without(text: str, name: str) -> str:
    """A text without the places where it names just this."""
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "", text)
