"""Secrets in text, found by detect-secrets' plugins and a few patterns of our own, inside this process.

Of the tool only the patterns are used. It would ask the services whose keys it finds, and would read line by line, at
250 microseconds a line. Here a detector runs only where a necessary condition of it holds, which costs about two: a
literal that each of its matches contains, a run of characters as long as the key, a word such as `token` with
something assigned behind it. A test compares the result with what all detectors find in every line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

from acclimate_indexer.syntax import Span

MAX_KEY_CHARACTERS = 8_000  # of a private key between its marks; RSA of 8,192 bits has 6,400

_ASSIGNMENT = r"(?:(?<=\W)|(?<=^))"  # how detect-secrets' patterns for assignments begin; slow on a whole file
_LONG_WORD = re.compile(r"[\w-]{24,}")  # no key that such a pattern looks for is shorter
_ASSIGNED_WORDS = ("key", "pwd", "pw", "pass", "token", "secret")
# What a match of each of detect-secrets' plugins contains, in small letters where the plugin folds them; those that
# are not named here always run.
_LITERALS: dict[str, tuple[str, ...]] = {
    "AWSKeyDetector": ("A3T", "ABIA", "ACCA", "AKIA", "ASIA", "aws"),
    "ArtifactoryDetector": ("AKC", *(f"AP{letter}" for letter in "0123456789ABCDEF")),
    "AzureStorageKeyDetector": ("AccountKey=",),
    "BasicAuthDetector": ("://",),
    "CloudantDetector": ("://",),
    "GitHubTokenDetector": ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    "GitLabTokenDetector": ("gl", "GR1348941"),
    "JwtTokenDetector": ("eyJ",),
    "MailchimpDetector": ("-us",),
    "NpmDetector": ("_authToken",),
    "OpenAIDetector": ("T3BlbkFJ",),
    "PrivateKeyDetector": ("PRIVATE KEY", "PuTTY-User-Key-File"),
    "PypiTokenDetector": ("pypi-",),
    "SendGridDetector": ("SG.",),
    "SlackDetector": ("xox", "hooks.slack"),
    "SoftlayerDetector": ("softlayer",),
    "SquareOAuthDetector": ("sq0csp-",),
    "StripeDetector": ("k_live_",),
}
# What detect-secrets does not know, with what a match of it contains.
_OURS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"sk-ant-[A-Za-z0-9_-]{20,}|sk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{32,}", ("sk-",)),
    (r"AIza[0-9A-Za-z_-]{35}", ("AIza",)),
    (r"ya29\.[0-9A-Za-z_-]{20,}", ("ya29.",)),
    (r"\bhf_[A-Za-z0-9]{30,}", ("hf_",)),
    (r"npm_[A-Za-z0-9]{36}", ("npm_",)),
    (r"github_pat_[A-Za-z0-9_]{22,}", ("github_pat_",)),
    (r"do[opr]_v1_[a-f0-9]{64}", ("_v1_",)),
    (r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}", ("shp",)),
    (r"xapp-\d-[A-Z0-9]+-\d+-[a-f0-9]{20,}", ("xapp-",)),
    (r"\bkey-[0-9a-f]{32}\b", ("key-",)),
    (r"whsec_[A-Za-z0-9+/=]{24,}", ("whsec_",)),
    (r"\bdapi[a-f0-9]{32}", ("dapi",)),
    (r"AGE-SECRET-KEY-1[A-Z0-9]{58}", ("AGE-SECRET-KEY-1",)),
    (r"[Bb]earer [A-Za-z0-9._~+/-]*[0-9][A-Za-z0-9._~+/-]{19,}", ("earer ",)),
    (r"[Bb]asic (?=[A-Za-z+/]*[0-9=])[A-Za-z0-9+/]{16,}={0,2}", ("asic ",)),
    (r"BEGIN [A-Z0-9 ]*PRIVATE KEY", ("PRIVATE KEY",)),
)
_KEY_BLOCK = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----")
_KEY_END = re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----")
_HAS_VALUE = re.compile(r"[=:\"'>(]\s*\S{2}")
_TO_SMALL = str.maketrans({chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)})
# What stands without quotes, in configuration: from the name of a secret to the end of its line.
_UNQUOTED_ROOTS = ("passw", "pwd", "secret", "token", "api_key", "apikey", "access_key", "accesskey", "private_key")
_UNQUOTED = re.compile(r"[A-Za-z_]{3,30}[ \t]*[:=][ \t]*([A-Za-z0-9!@#%^&*_+/=~-]{8,200})[ \t]*\r?$", re.MULTILINE)
_WORDS = (
    "access|api|auth0?|aws|azure|bar|bearer|change ?me|client|cognito|db|demo|dummy|env|example|fake|file|foo|github|"
    "google|hacked|here|id|introspection|invalid|key|mock|my|new|none|not|null|old|pass|passwd|password|placeholder|"
    "postgres|private|public|refresh|s|sample|secret|server|session|some|super|test|the|token|upstream|user|valid|"
    "value|wrong|xx+|your|abc|123"
)
_PLACEHOLDER = re.compile(
    rf"(?:[<{{$%].*|\.\.\.|\*+|(?:{_WORDS})(?:[-_ .]?(?:{_WORDS}))*[-_ ]?\d{{0,3}})", re.IGNORECASE | re.DOTALL
)

_VALUE = re.compile(r"[^\s\"'`=]{6,}")  # shorter ones anybody guesses

Hits = Iterator[tuple[int, int]]


def secret_spans(text: str) -> list[Span]:
    """The lines that hold something like a key, a token or a password, in the order of the file."""
    return sorted({_lines(text, start, end) for start, end in _hits(text)})


def secret_values(text: str) -> list[tuple[int, int]]:
    """Where the very values stand, from first character to behind the last; without names, signs and quotes."""
    found = set()
    for start, end in _hits(text):
        runs = [match.span() for match in _VALUE.finditer(text, start, end)]
        if runs:
            found.add(max(runs, key=lambda run: run[1] - run[0]))
    return sorted(found)


def is_random_value(value: str) -> bool:
    """Whether a value looks drawn by lot, so that it says what it is without what stands around it."""
    quoted = f'"{value}"'
    return _is_random(value) or next(chain(_shapes(quoted), _entropies(quoted)), None) is not None


def has_secret(text: str) -> bool:
    """Whether `text` holds something like a key, a token or a password."""
    return next(_hits(text), None) is not None


def key_blocks(text: str) -> Hits:
    """The private keys, each from its first mark to its last: the one secret of which a single line shows nothing."""
    if "PRIVATE KEY" not in text:
        return
    for begin in _KEY_BLOCK.finditer(text):
        end = _KEY_END.search(text, begin.end(), begin.end() + MAX_KEY_CHARACTERS)
        if end is not None:
            yield begin.start(), end.end()


def _hits(text: str) -> Hits:
    yield from _shapes(text)
    yield from key_blocks(text)
    yield from _assignments(text)
    yield from _entropies(text)
    yield from _keywords(text)


@dataclass(frozen=True, slots=True)
class _Shape:
    """A pattern of a key, and literals of which every match contains one; none where nothing is known."""

    pattern: re.Pattern[str]
    literals: tuple[str, ...]

    def may_match(self, text: str, lowered: str) -> bool:
        where = lowered if self.pattern.flags & re.IGNORECASE else text
        return not self.literals or any(literal in where for literal in self.literals)


def _shapes(text: str) -> Hits:
    lowered = text.lower()
    for shape in _known_shapes():
        if shape.may_match(text, lowered):
            for match in shape.pattern.finditer(text):
                yield match.span()


def _assignments(text: str) -> Hits:
    """Keys without a shape of their own, by what they are assigned to."""
    for line in {_lines(text, *word.span()) for word in _LONG_WORD.finditer(text)}:
        lowered = text[line.start : line.end].lower()
        if not any(word in lowered for word in _ASSIGNED_WORDS):
            continue
        found = filter(None, (pattern.search(text, *line) for pattern in _assignment_patterns()))
        if (match := next(found, None)) is not None:
            yield match.start(), match.start() + len(match[0].rstrip())


def _entropies(text: str) -> Hits:
    for plugin in _entropy_plugins():
        for match in plugin.regex.finditer(text):
            is_long_enough = len(match[2]) > 2**plugin.entropy_limit  # fewer characters cannot reach the limit
            if is_long_enough and plugin.calculate_shannon_entropy(match[2]) > plugin.entropy_limit:
                yield match.span()


def _keywords(text: str) -> Hits:
    """What is assigned to something that is called a secret."""
    keyword = _keyword_plugin()
    lowered = text.lower() if text.isascii() else text.translate(_TO_SMALL)  # other letters may change their number
    for line in {_lines(text, at, at) for root in _keyword_roots() for at in _finds(lowered, root)}:
        said = text[line.start : line.end].rstrip("\n")
        values = keyword.analyze_string(said) if _HAS_VALUE.search(said) else ()
        if (value := next((each for each in values if not _is_placeholder(each)), None)) is not None:
            at = said.find(value)
            start, end = (0, len(said)) if at < 0 else (at, at + len(value))  # the plugin may spell it otherwise
            yield line.start + start, line.start + end
    for match in (_UNQUOTED.match(text, at) for root in _UNQUOTED_ROOTS for at in _finds(lowered, root)):
        if match is not None and _is_random(match[1]) and not _is_placeholder(match[1]):
            yield match.span(1)


def _finds(text: str, wanted: str) -> Iterator[int]:
    at = text.find(wanted)
    while at >= 0:
        yield at
        at = text.find(wanted, at + len(wanted))


@cache
def _keyword_roots() -> tuple[str, ...]:
    """All that the plugin calls a secret, up to the first letter that has an accent."""
    from detect_secrets.plugins.keyword import DENYLIST

    spelt = {each.replace("_?", joint) for each in DENYLIST for joint in ("", "_")}
    return tuple(sorted({re.split(r"[^a-z_]", each)[0] for each in spelt}))


def _is_placeholder(value: str) -> bool:
    return _PLACEHOLDER.fullmatch(value) is not None


def _is_random(value: str) -> bool:
    """Whether digits stand among the letters: a name at most ends with some."""
    return (
        sum(map(str.isdigit, value)) >= 2
        and sum(map(str.isalpha, value.rstrip("0123456789"))) >= 2
        and (
            any(map(str.isdigit, value.rstrip("0123456789")))
            or any(not (each.isalnum() or each == "_") for each in value)
        )
    )


def _lines(text: str, start: int, end: int) -> Span:
    """The whole lines of a place, with the last line break."""
    after = text.find("\n", end)
    return Span(text.rfind("\n", 0, start) + 1, len(text) if after < 0 else after + 1)


@cache
def _known_shapes() -> tuple[_Shape, ...]:
    ours = (_Shape(re.compile(pattern), literals) for pattern, literals in _OURS)
    theirs = (
        _Shape(pattern, _LITERALS.get(name, ()))
        for name, pattern in plugin_patterns()
        if not pattern.pattern.startswith(_ASSIGNMENT)
    )
    return (*ours, *theirs)


@cache
def _assignment_patterns() -> tuple[re.Pattern[str], ...]:
    return tuple(pattern for _, pattern in plugin_patterns() if pattern.pattern.startswith(_ASSIGNMENT))


def plugin_patterns() -> list[tuple[str, re.Pattern[str]]]:
    """The patterns of detect-secrets' plugins that know one service's keys, with the plugins' names."""
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.plugins.base import RegexBasedDetector

    classes: list[Any] = list(get_mapping_from_secret_type_to_class().values())
    return [
        (str(plugin.__name__), pattern)
        for plugin in sorted(classes, key=lambda plugin: str(plugin.__name__))
        if issubclass(plugin, RegexBasedDetector)
        and plugin.__name__ != "IPPublicDetector"  # an address is not a secret, and versions look like one
        for pattern in plugin.denylist  # pyright: ignore[reportGeneralTypeIssues]  # a property, declared the old way
    ]


@cache
def _entropy_plugins() -> tuple[Any, ...]:
    from detect_secrets.plugins.high_entropy_strings import Base64HighEntropyString, HexHighEntropyString

    return (Base64HighEntropyString(limit=4.5), HexHighEntropyString(limit=3.0))


@cache
def _keyword_plugin() -> Any:
    from detect_secrets.plugins.keyword import KeywordDetector

    return KeywordDetector()
