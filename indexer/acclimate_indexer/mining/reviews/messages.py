"""What a commit says about itself: whether it corrects something, why, and how bad it was."""

import re
from collections.abc import Iterator

from acclimate_indexer.changes import CommitDetails
from acclimate_indexer.pairs import Severity

MIN_WORDS = 3  # of a reason; `fix bug` gives none
MAX_CHARACTERS = 160  # of a comment: it stands beside a line

_BOT = re.compile(
    r"\[bot\]|\b(?:dependabot|renovate|github-actions|pre-commit-ci|greenkeeper|snyk|mergify|weblate|semantic-release)\b"
    r"|\bbot$",
    re.IGNORECASE,
)
_CORRECTS = re.compile(
    r"\b(?:fix(?:e[sd]|ing)?|bug\w*|hotfix|regress\w*|crash\w*|leak\w*|race|deadlock\w*|security|vulnerab\w*|cve|"
    r"incorrect\w*|wrong\w*|broken|breaks|overflow\w*|off[- ]by[- ]one|corrupt\w*|missing|mishandl\w*|"
    r"infinite|hang(?:s|ing)?|fail(?:s|ed|ing|ure)?|invalid|undefined|null pointer|panic\w*|"
    r"handle|prevent|avoid|ensure|don't|do not|correct(?:ly|s)?)\b",
    re.IGNORECASE,
)
# Corrections of what no reviewer of code would comment on.
_ELSEWHERE = re.compile(
    r"^(?:docs?|ci|chore|style|build|test|tests|release)\b(?:\([^)]*\))?!?:|\b(?:typos?|spelling|docstrings?|readme|"
    r"changelog|lint\w*|flake8|mypy|ruff|pylint|black|isort|format(?:ting)?|whitespace|ci|workflow|merge conflicts?|"
    r"flaky|test failures?|(?:bump|update) (?:version|dependenc\w*))\b",
    re.IGNORECASE,
)
_REVERT = re.compile(r'^revert:?\s+"?(.*?)"?$', re.IGNORECASE)
_PREFIX = re.compile(r"^(?:\[[^\]]{1,30}\]|[\w/ -]{1,20}(?:\([^)]{0,40}\))?!?:|:\w+:|#\d+|[^\w\"'`(]+)\s*")
_NUMBER = re.compile(
    r"\s*(?:\((?:#|gh-|GH-)\d+\)|\b(?:closes|fixes|resolves|refs?)?:?\s*(?:#|gh-|GH-)\d+)", re.IGNORECASE
)
_MAIL = re.compile(r"<?[\w.+-]+@[\w-]+\.[\w.-]+>?")
_LINK = re.compile(r"\S+://\S+")
_TRAILER = re.compile(
    r"^[A-Z][\w-]+(?:-[Bb]y|-[Tt]o)?: |^(?:co-authored-by|signed-off-by|this reverts commit)\b", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|\n\s*\n|\n\s*[-*]")
_CRITICAL = re.compile(
    r"\b(?:security|vulnerab\w*|injection|cve|xss|csrf|crash\w*|segfault\w*|data loss|corrupt\w*|deadlock\w*|"
    r"race|leak\w*|panic\w*|overflow\w*|infinite|hang(?:s|ing)?|credentials?|unauthori[sz]ed)\b",
    re.IGNORECASE,
)
_MINOR = re.compile(
    r"\b(?:naming|rename\w*|unused|redundant|simplif\w*|deprecat\w*|warnings?|cosmetic|wording)\b", re.I
)


def is_bot(commit: CommitDetails) -> bool:
    return _BOT.search(commit.author) is not None


def is_revert(commit: CommitDetails) -> bool:
    return _REVERT.match(commit.subject) is not None or "This reverts commit" in commit.body


def corrects(commit: CommitDetails) -> bool:
    """Whether the commit says that it puts something in the code right."""
    if _ELSEWHERE.search(commit.subject):
        return False
    return is_revert(commit) or _CORRECTS.search(commit.subject) is not None


def reason(commit: CommitDetails) -> str:
    """Why, in the commit's own words; empty where it gives no reason."""
    return next((said for said in map(_cleaned, _sentences(commit)) if len(said.split()) >= MIN_WORDS), "")


def severity(text: str) -> Severity:
    if _CRITICAL.search(text):
        return "critical"
    return "suggestion" if _MINOR.search(text) else "warning"


def _sentences(commit: CommitDetails) -> Iterator[str]:
    """The subject, then the body's sentences; of a revert the body first, since its subject is another's."""
    body = "\n".join(line for line in commit.body.split("\n") if not _TRAILER.match(line.strip()))
    sentences = _SENTENCE_END.split(body)
    if is_revert(commit):
        yield from sentences
        return
    yield commit.subject
    yield from sentences


def _cleaned(text: str) -> str:
    """Without numbers of issues, links, mail addresses and what stands before the colon."""
    said = _LINK.sub("", _MAIL.sub("", _NUMBER.sub("", " ".join(text.split()))))
    said = _PREFIX.sub("", said, count=1).strip(" .:-*")
    return said[:1].upper() + said[1:] if len(said) <= MAX_CHARACTERS else ""
