"""Names in another style than Python's own that its library gave: whoever defines one stands in for it."""

import logging
import threading
import unittest

_GIVEN_BY = (logging, logging.Logger, threading, threading.Thread, unittest, unittest.TestCase)
_UNLISTED = ("setUpModule", "setUpPackage", "tearDownModule", "tearDownPackage")  # unittest and nose look for them
_NAMES = frozenset((*_UNLISTED, *(name for giver in _GIVEN_BY for name in dir(giver) if not name.islower())))


def is_dictated(name: str, lexer: str) -> bool:
    """Whether the name is hardly its author's choice: `setUp`, also where no base class is seen, or `getLogger`."""
    return lexer == "python" and name in _NAMES
