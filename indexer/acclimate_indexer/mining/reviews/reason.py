"""What a commit says: whether it corrects something, why, and how grave that was."""

import re
from enum import StrEnum

from acclimate_indexer.changes import CommitDetails
from acclimate_indexer.pairs import Severity

MAX_REASON_CHARACTERS = 200  # longer reasons are stories; a comment is a sentence or two
MIN_TELLING_WORDS = 2  # beside "fix", "issue" and the like: fewer name no reason


class Saying(StrEnum):
    """How a commit speaks of what it does. Its value is the reason in the counts of what was left out."""

    CORRECTS = "corrects"
    REVERTS = "reverts"
    HINTS = "hints"
    BOT = "review_bot"
    MERGE = "review_merge"
    HOUSEKEEPING = "review_housekeeping"
    OTHER = "other"


_BOT = re.compile(
    r"\[bot\]|\b(?:dependabot|renovate|greenkeeper|snyk|pyup|pre-commit-ci|github-actions|mergify|semantic-release"
    r"|allcontributors|weblate|imgbot|codecov|bors)\b|[-_]bot\b",
    re.IGNORECASE,
)
_MERGE = re.compile(r"merge(?:d|s)? (?:pull request|branch|remote|tag|commit|main|master|upstream|from|in)\b", re.I)
_REVERT = re.compile(r"(?:\w+(?:\([^)]{0,60}\))?: *)?(?:revert(?:s|ed|ing)?|back(?:ed)? ?out)\b", re.IGNORECASE)
_REVERTED = re.compile(r"^This reverts commits? [0-9a-f]{7,64}\b.*$", re.MULTILINE)
_TYPE = re.compile(r"(?P<type>[a-z]{2,12})(?:\([^)\n]{0,60}\))?(?P<breaking>!?): +", re.IGNORECASE)
_OTHER_TYPES = frozenset(
    [
        "docs",
        "doc",
        "chore",
        "style",
        "ci",
        "test",
        "tests",
        "build",
        "release",
        "feat",
        "feature",
        "refactor",
        "perf",
        "deps",
        "wip",
    ]
)
_HOUSEKEEPING = re.compile(
    r"\b(?:typos?|spelling|grammar|docs?|documentation|docstrings?|readme|changelog|comments?|lint(?:er|ing|s)?|ruff"
    r"|flake8|pylint|eslint|black|isort|prettier|mypy|pyright|format(?:ting)?|whitespace|indentation|style"
    r"|(?:unit |flaky |failing |broken )?tests?|testing|test suite|doctests?|ci|workflows?|github actions?|pre-?commit"
    r"|type (?:hints?|annotations?|checking|checker|errors?)|typing|imports|copyright|licen[cs]e|version"
    r"|build|release|deps|dependenc(?:y|ies)|bump|examples?|merge conflicts?|conflicts|review(?:er)?s?"
    r"|rebase|deprecation warnings?|warnings?|nits?|feedback|coverage)\b",
    re.IGNORECASE,
)
_CORRECTS = re.compile(
    r"\b(?:(?:hot|bug)?fix(?:e[sd]|ing)?|bugs?|regress(?:ions?|ed)?|crash(?:e[sd]|ing)?|(?:memory|resource) leaks?"
    r"|leak(?:s|ed|ing)|race(?: condition)?s?|deadlocks?|hangs?|hanging|vulnerab\w+|cve|security|xss|csrf"
    r"|(?<!dependency )injection|overflows?|underflow|off[- ]by[- ]one|data loss|corrupt(?:s|ed|ion)?|segfaults?"
    r"|use[- ]after[- ]free|panics?|infinite (?:loop|recursion)|null pointer|npe)\b",
    re.IGNORECASE,
)
_HINTS = re.compile(
    r"\b(?:handle[sd]?|avoid(?:s|ed)?|prevent(?:s|ed)?|don't|do not|doesn't|ensure[sd]?|missing|wrong(?:ly)?"
    r"|incorrect(?:ly)?|correct(?:s|ed|ly)?|should|must|instead of|forgot(?:ten)?|oops|properly|guard|never|respect"
    r"|honou?r|resolve[sd]?|repair(?:s|ed)?|mend(?:s|ed)?|restore[sd]?|error|fail(?:s|ed|ing|ure)?|broken|invalid)\b",
    re.IGNORECASE,
)
_CRITICAL = re.compile(
    r"\b(?:security|vulnerab\w+|cve(?:-[\d-]+)?|(?<!dependency )injection|xss|csrf|ssrf|traversal"
    r"|crash(?:e[sd]|ing)?|data loss"
    r"|los(?:es?|ing|t) data|corrupt\w*|deadlocks?|segfaults?|use[- ]after[- ]free|buffer overflow|panics?"
    r"|hangs?|hanging|infinite (?:loop|recursion)|race condition|credentials?|bypass(?:es|ed)?)\b",
    re.IGNORECASE,
)
_MILD = re.compile(
    r"\b(?:simplif\w+|clean ?up|clarif\w+|naming|readab\w+|cosmetic|consisten\w+|message|log(?:s|ging)?)\b", re.I
)
_NOISE = re.compile(
    r"""
      https?://\S+
    | <?[\w.+%-]{1,64}@[\w.-]{1,120}>?
    | \(\s*(?:\#|GH-|gh-)\d+(?:\s*,\s*(?:\#|GH-|gh-)\d+)*\s*\)
    | (?:\b(?:fix(?:e[sd])?|clos(?:e[sd]?)|resolve[sd]?|see|issue|bug|ref(?:erence)?s?)[ ]*:?[ ]*)?
      (?:\b[\w.-]{1,40}/[\w.-]{1,60})?(?:\#|\bGH-|\bgh-)\d+\b[ ]*[:.,]?
    | ^\[[^\]\n]{1,40}\][ ]*
    | :[a-z_]{3,30}:
    | [\U0001F000-\U0001FAFF\u2600-\u27BF\uFE0F]
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TRAILER = re.compile(r"^(?:[A-Z][\w-]{1,40}: |\(cherry picked|[*#>|`~=+-]|\d+\.|Co-authored-by)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[\w)`'\"][.!?])\s")
_FENCE = re.compile(r"^[ \t]*```[^`]*```", re.MULTILINE)
_NIT = re.compile(r"^(?:super |minor )?(?:nit(?:pick)?|suggestion|minor|question|optional)\b[ :,(-]*", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{2,}[\w.]*")
_EMPTY_WORDS = frozenset(
    [
        "fix",
        "fixes",
        "fixed",
        "fixing",
        "hotfix",
        "bugfix",
        "bug",
        "bugs",
        "issue",
        "issues",
        "problem",
        "problems",
        "error",
        "errors",
        "the",
        "and",
        "for",
        "with",
        "from",
        "in",
        "on",
        "of",
        "to",
        "an",
        "is",
        "some",
        "small",
        "minor",
        "more",
        "another",
        "various",
        "few",
        "things",
        "stuff",
        "it",
        "this",
        "that",
        "when",
        "up",
        "again",
        "final",
        "quick",
        "update",
        "updates",
        "change",
        "changes",
        "code",
        "logic",
        "handling",
        "handle",
        "make",
        "sure",
        "use",
        "properly",
        "correctly",
        "correct",
        "now",
        "add",
        "adds",
        "remove",
        "try",
        "attempt",
        "possible",
        "potential",
        "review",
        "pr",
        "commit",
        "patch",
        "work",
        "works",
        "working",
        "revert",
        "reverts",
        "reverted",
    ]
)


def saying(commit: CommitDetails) -> Saying:
    """What kind of commit this is, by its own words and its author's name."""
    subject = commit.subject
    if _BOT.search(commit.author):
        return Saying.BOT
    if len(commit.parents) > 1 or _MERGE.match(subject):
        return Saying.MERGE
    if _REVERT.match(subject) or _REVERTED.search(commit.body):
        return Saying.REVERTS
    kind = _TYPE.match(subject)
    if kind and kind["type"].lower() in _OTHER_TYPES:
        return Saying.OTHER
    said = subject[kind.end() :] if kind else subject
    is_typed_fix = kind is not None and kind["type"].lower() in ("fix", "bugfix", "hotfix", "security")
    if is_typed_fix or _CORRECTS.search(said):
        return Saying.HOUSEKEEPING if _HOUSEKEEPING.search(said) else Saying.CORRECTS
    return Saying.HINTS if _HINTS.search(said) and not _HOUSEKEEPING.search(said) else Saying.OTHER


def reason(commit: CommitDetails) -> str:
    """Why the commit was made, in its own words; empty if it does not say.

    A revert's subject names what was taken back, not why: only its body counts.
    """
    subject = "" if _REVERT.match(commit.subject) else _clean(_without_type(commit.subject))
    for said in (subject, _first_sentence(commit.body)):
        if _tells(said):
            return said[0].upper() + said[1:]
    return ""


def told(comment: str) -> str:
    """The first sentence of a review comment that tells something; empty if there is none."""
    for paragraph in _FENCE.sub("", comment).split("\n\n"):
        said = _clean(" ".join(line for line in paragraph.split("\n") if not line.lstrip().startswith((">", "|"))))
        if _tells(_NIT.sub("", said)):
            plain = _NIT.sub("", said)
            return plain[0].upper() + plain[1:]
    return ""


def severity(said: str) -> Severity:
    """How grave it was, by the words: suggestions speak of no fault, or of how something reads."""
    if _CRITICAL.search(said):
        return "critical"
    return "suggestion" if _MILD.search(said) and not _CORRECTS.search(said) else "warning"


def _without_type(subject: str) -> str:
    kind = _TYPE.match(subject)
    return subject[kind.end() :] if kind else subject


def _first_sentence(body: str) -> str:
    """Of the first paragraph that is prose, with its lines joined."""
    for paragraph in _REVERTED.sub("", body).split("\n\n"):
        lines = [line.strip() for line in paragraph.strip().split("\n")]
        if lines[0] and not _TRAILER.match(lines[0]):
            return _clean(" ".join(line for line in lines if not _TRAILER.match(line)))
    return ""


def _clean(text: str) -> str:
    """Without references, addresses and ornaments; at most `MAX_REASON_CHARACTERS`, cut between sentences or words."""
    plain = " ".join(_NOISE.sub(" ", text[: 8 * MAX_REASON_CHARACTERS]).split()).strip(" -:;,.()")
    first = _SENTENCE_END.split(plain, maxsplit=1)[0].rstrip(". ")
    if len(first) <= MAX_REASON_CHARACTERS:
        return first
    return first[:MAX_REASON_CHARACTERS].rpartition(" ")[0].rstrip(" ,;:-(")


def _tells(said: str) -> bool:
    words = {word.lower() for word in _WORD.findall(said)} - _EMPTY_WORDS
    return len(words) >= MIN_TELLING_WORDS
