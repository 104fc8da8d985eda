"""Comments on what this repository's own history and files speak against. No model is asked, and nothing is parsed.

Only changed lines are looked at, and of them only the code. What is said, and how much evidence that takes, was
decided by replaying histories (`benchmarks/review_conventions.py`).
"""

from datetime import date, timedelta

from acclimate_indexer.mining.conventions.record import Conventions, Prevalence, Replacement

from .changed_code import ChangedCode
from .finding import Finding
from .import_rules import import_findings
from .naming_style import naming_findings
from .replaced_names import replaced_name_findings
from .rules import TeamRules
from .target import ReviewTarget
from .usage_style import decorator_findings, logging_findings

MAX_AGE = timedelta(days=730)  # since a name was replaced last: who writes it years later means another
NO_RULES = TeamRules()


def convention_findings(
    target: ReviewTarget, conventions: Conventions, rules: TeamRules = NO_RULES, *, today: date
) -> list[Finding]:
    """What the changed lines of a text do otherwise than this repository does, in the order of the text.

    Args:
        today: Conventions that were last followed long before say nothing any more.
    """
    code = ChangedCode(target)
    if code.language.grammar is None or not code.lines:
        return []  # where its strings and comments are could only be guessed
    spoken = rules.apply(conventions)
    replacements = [each for each in spoken.replacements if is_given_up(each, today)]
    prevalence = [each for each in spoken.prevalence if is_telling(each)]
    said = [
        *replaced_name_findings(code, replacements, rules.pinned),
        *import_findings(code, prevalence),
        *naming_findings(code, prevalence),
        *logging_findings(code, prevalence),
        *decorator_findings(code, prevalence),
    ]
    return sorted(rules.worded(said), key=lambda each: (each.span, each.code, each.subject))


def is_given_up(replacement: Replacement, today: date) -> bool:
    """Whether whoever writes the old name now is behind the times."""
    is_recent = today - date.fromisoformat(replacement.last) <= MAX_AGE
    return is_recent and not replacement.remaining_uses


def is_telling(convention: Prevalence) -> bool:
    """Whether an exception is a slip rather than another need."""
    return bool(convention.role)
