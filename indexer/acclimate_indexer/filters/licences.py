"""Files under another licence than the repository's: somebody else's code, copied in.

A file is told by the licence that its first comments name, else by the licence file that lies nearest above it, the
one at the root aside. It is foreign if it names a licence, and none that is the repository's own: one that the files
at the root hold, or that a good part of all files name.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable

HEAD_CHARACTERS = 2_000  # in which a file's comments begin that may name a licence
MAX_HEADER_CHARACTERS = 6_000  # of them; the longest that is put before code in full, BSD's, has 1,500
MAX_LICENCE_BYTES = 256 * 1024  # of a licence file; the GPL has 35 KB
OWN_SHARE = 0.2  # of all files: so many are not copied in

_FILE = re.compile(r"(?:^|/)(?:un)?(?:licen[cs]e|copying)[^/]*$", re.IGNORECASE)
_OF_OTHERS = re.compile(r"third|3rd|depend|notice|vendor|bundled", re.IGNORECASE)
_SPDX = re.compile(r"SPDX-License-Identifier:\s*([^\n*]{1,120})")
_SPDX_NAME = re.compile(r"[A-Za-z][\w.+-]*")
_NO_NAMES = frozenset(("and", "or", "with"))
# What tells a licence, by what it is called here. The versions of a family are not told apart.
_FAMILIES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern.replace(" ", r"[\s*#/;-]+"), re.IGNORECASE))
    for name, pattern in (
        ("agpl", r"GNU Affero General Public|\bAGPL"),
        ("lgpl", r"GNU (?:Lesser|Library) General Public|\bLGPL"),
        ("gpl", r"GNU General Public|\bGPL"),
        ("apache", r"Apache Licen[cs]e|Apache-2\.0"),
        ("mpl", r"Mozilla Public Licen[cs]e|\bMPL"),
        ("epl", r"Eclipse Public Licen[cs]e|\bEPL-"),
        ("mit", r"\bMIT Licen[cs]e|under the MIT\b|Permission is hereby granted, free of charge"),
        ("bsd", r"\bBSD[\w -]{0,12} ?licen[cs]e|\bBSD-\d|Redistribution and use in source and binary forms"),
        ("isc", r"\bISC Licen[cs]e|Permission to use, copy, modify, and(?:/or)? distribute this software"),
        ("boost", r"Boost Software Licen[cs]e"),
        ("unlicense", r"This is free and unencumbered software"),
        ("zlib", r"This software is provided 'as-is', without any express or implied"),
        ("busl", r"Business Source Licen[cs]e"),
        ("sspl", r"Server Side Public Licen[cs]e"),
    )
)
_SPDX_FAMILIES = re.compile(r"agpl|lgpl|gpl|apache|mpl|epl|mit|bsd|isc|unlicense|zlib|busl|sspl", re.IGNORECASE)


def is_licence_file(path: str) -> bool:
    """Whether a file holds the licence of what lies beside and below it."""
    name = path.rpartition("/")[2]
    is_code = "." in name and name.rpartition(".")[2].lower() not in (
        "txt",
        "md",
        "rst",
        "mit",
        "apache",
        "bsd",
        "gpl",
        "lesser",
    )
    return _FILE.search(path) is not None and not is_code and not _OF_OTHERS.search(name)


def licences_in(text: str) -> frozenset[str]:
    """The licences that a text names, in families: `gpl` is any version of it."""
    named = {_family(name) for said in _SPDX.findall(text) for name in _SPDX_NAME.findall(said)} - _NO_NAMES
    if named:
        return frozenset(named)
    found = {name for name, pattern in _FAMILIES if pattern.search(text)}
    # The texts of these name the GPL, too.
    return frozenset(found - {"gpl"} if found & {"lgpl", "agpl"} else found)


def _family(spdx: str) -> str:
    found = _SPDX_FAMILIES.match(spdx)
    return found[0].lower() if found else spdx.lower()


class Licences:
    """The licences of a repository's files."""

    def __init__(self, files: Iterable[tuple[str, str]], headers: Collection[Collection[str]]) -> None:
        """Takes path and text of each licence file, and what the comments of each mined file name."""
        self._by_folder: dict[str, frozenset[str]] = {}
        for path, text in files:
            folder = path.rpartition("/")[0]
            self._by_folder[folder] = self._by_folder.get(folder, frozenset()) | licences_in(text)
        counts = Counter(name for names in headers for name in set(names))
        often = {name for name, count in counts.items() if count >= OWN_SHARE * len(headers)}
        self._own = self._by_folder.pop("", frozenset()) | often

    def is_foreign(self, path: str, header: Collection[str]) -> bool:
        """Whether a file is under another licence; `header` is what its own comments name."""
        named = frozenset(header) or self._nearest(path)
        return bool(named) and named.isdisjoint(self._own)

    def _nearest(self, path: str) -> frozenset[str]:
        folder = path.rpartition("/")[0]
        while folder:
            if folder in self._by_folder:
                return self._by_folder[folder]
            folder = folder.rpartition("/")[0]
        return frozenset()
