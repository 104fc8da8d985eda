"""Secrets in source code, found by detect-secrets' plugins inside this process.

Only the plugins' patterns are used. They never ask the services whose keys they find, as the tool itself would by
default, and they read the text as a whole, which is many times faster than line by line.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from acclimate_indexer.syntax import Span

_SUSPICIOUS_LINE = re.compile(
    r"^.*?(?:api_?key|auth_?key|service_?key|account_?key|db_?key|database_?key|priv_?key|private_?key|client_?key|"
    r"key_?pass|pass|pwd|secret|contrase|credential|token).*$",
    re.IGNORECASE | re.MULTILINE,
)
_LONG_WORD = re.compile(r"[\w-]{24,}")  # no key that an assignment pattern looks for is shorter
_ASSIGNMENT = r"(?:(?<=\W)|(?<=^))"  # how detect-secrets' assignment patterns begin; slow on a whole file
_WORDS = (
    "access|api|auth0?|aws|azure|bar|bearer|change ?me|client|cognito|db|demo|dummy|env|example|fake|file|foo|github|"
    "google|hacked|here|id|introspection|invalid|key|mock|my|new|none|not|null|old|pass|passwd|password|placeholder|"
    "postgres|private|public|refresh|s|sample|secret|server|session|some|super|test|the|token|upstream|user|valid|"
    "value|wrong|xx+|your|abc|123"
)
_PLACEHOLDER = re.compile(
    rf"(?:[<{{$%].*|\.\.\.|\*+|(?:{_WORDS})(?:[-_ .]?(?:{_WORDS}))*[-_ ]?\d{{0,3}})", re.IGNORECASE | re.DOTALL
)


def secret_spans(text: str) -> list[Span]:
    """The lines that hold something like a key, a token or a password, in the order of the file."""
    found = {_line(text, start, end) for start, end in _hits(text)}
    return sorted(found)


def has_secret(text: str) -> bool:
    """Whether `text` holds something like a key, a token or a password."""
    return next(_hits(text), None) is not None


def _hits(text: str) -> Iterator[tuple[int, int]]:
    shapes, assignments = _patterns()
    for pattern in shapes:
        for match in pattern.finditer(text):
            yield match.span()
    for long_line in {_line(text, *word.span()) for word in _LONG_WORD.finditer(text)}:
        if any(pattern.search(text, *long_line) for pattern in assignments):
            yield long_line
    for plugin in _entropy_plugins():
        for match in plugin.regex.finditer(text):
            is_long_enough = len(match[2]) > 2**plugin.entropy_limit  # fewer characters cannot reach the limit
            if is_long_enough and plugin.calculate_shannon_entropy(match[2]) > plugin.entropy_limit:
                yield match.span()
    keyword = _keyword_plugin()
    for line in _SUSPICIOUS_LINE.finditer(text):
        if any(not _PLACEHOLDER.fullmatch(value) for value in keyword.analyze_string(line[0])):
            yield line.span()


def _line(text: str, start: int, end: int) -> Span:
    after = text.find("\n", end)
    return Span(text.rfind("\n", 0, start) + 1, len(text) if after < 0 else after + 1)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], ...], tuple[re.Pattern[str], ...]]:
    """Of the plugins that know one service's keys: by the shape of a key, and by what it is assigned to."""
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.plugins.base import RegexBasedDetector

    classes: list[Any] = list(get_mapping_from_secret_type_to_class().values())
    patterns: list[re.Pattern[str]] = [
        pattern
        for plugin in sorted(classes, key=lambda plugin: str(plugin.__name__))
        if issubclass(plugin, RegexBasedDetector)
        and plugin.__name__ != "IPPublicDetector"  # an address is not a secret, and versions look like one
        for pattern in plugin.denylist  # pyright: ignore[reportGeneralTypeIssues]  # a property, declared the old way
    ]
    assignments = tuple(pattern for pattern in patterns if pattern.pattern.startswith(_ASSIGNMENT))
    return tuple(pattern for pattern in patterns if pattern not in assignments), assignments


@cache
def _entropy_plugins() -> tuple[Any, ...]:
    from detect_secrets.plugins.high_entropy_strings import Base64HighEntropyString, HexHighEntropyString

    return (Base64HighEntropyString(limit=4.5), HexHighEntropyString(limit=3.0))


@cache
def _keyword_plugin() -> Any:
    from detect_secrets.plugins.keyword import KeywordDetector

    return KeywordDetector()
