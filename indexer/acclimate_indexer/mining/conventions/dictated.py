"""Names of functions that are hardly their author's choice: a base class may have given them, or Python's library."""

import re
from functools import cache

_WITHOUT_BASES = re.compile(r"\bclass\s+\w+\s*(?:\[[^\]]*\]\s*)?(?:\(\s*(?:object)?\s*\))?\s*(?::|\Z)")
_LIKE_UNITTEST = re.compile(r"_*(?:assert|skip|setUp|tearDown)[A-Z]")
_UNLISTED = ("setUpModule", "setUpPackage", "tearDownModule", "tearDownPackage")  # unittest and nose look for them


def is_dictated(name: str, lexer: str) -> bool:
    """Whether whoever defines it stands in for Python's own: `setUp`, also where no base is seen, or `getLogger`.

    Helpers of tests are called as unittest calls its own: `assertCleanUp`, `skipIfNoExecutable`.
    """
    if lexer != "python" or name.islower():
        return False
    return name in _library_names() or _LIKE_UNITTEST.match(name) is not None


def has_bases(head: str) -> bool:
    """Whether a class of Python's has bases, by its head or the first line of that."""
    return _WITHOUT_BASES.search(head) is None


@cache
def _library_names() -> frozenset[str]:
    import logging  # here, since most commands need not wait for unittest
    import threading
    import unittest

    givers = (logging, logging.Logger, threading, threading.Thread, unittest, unittest.TestCase)
    return frozenset((*_UNLISTED, *(name for giver in givers for name in dir(giver))))
