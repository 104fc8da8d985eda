"""Comments on what this repository's own history and files speak against. No model is asked, and nothing is parsed.

Only changed lines are looked at, and of them only the code.
"""

from collections.abc import Callable
from functools import cache

from acclimate_indexer.mining.conventions.record import Conventions, Replacement

from .changed_code import ChangedCode
from .convincing import is_convincing, is_given_up
from .finding import Finding
from .import_rules import import_findings
from .naming_style import naming_findings
from .prevailing import Said
from .replaced_names import TEAM_RULE, replaced_name_findings
from .rules import TeamRules
from .target import ReviewTarget
from .usage_style import decorator_findings, logging_findings

NO_RULES = TeamRules()


def convention_findings(
    target: ReviewTarget,
    conventions: Conventions,
    rules: TeamRules = NO_RULES,
    *,
    still_holds: Callable[[Replacement, str], bool] = lambda _replacement, _path: True,
) -> list[Finding]:
    """What the changed lines of a text do otherwise than this repository does, in the order of the text.

    Args:
        still_holds: Whether a mined replacement still does for the file at a path, which is asked where it would be
            spoken of.
    """
    code = ChangedCode(target)
    if code.language.grammar is None or not code.lines:
        return []  # where its strings and comments are could only be guessed
    spoken = rules.apply(conventions)
    replacements = [each for each in spoken.replacements if is_given_up(each)]
    said: list[Said] = [
        *import_findings(code, spoken.prevalence),
        *naming_findings(code, spoken.prevalence),
        *logging_findings(code, spoken.prevalence),
        *decorator_findings(code, spoken.prevalence),
    ]
    convincing = [each for each in said if is_convincing(each) or rules.asks_for(each.convention)]
    given_up = replaced_name_findings(code, replacements, rules.pinned)
    by_old = {each.old: each for each in replacements}
    holds = cache(lambda old: still_holds(by_old[old], target.path))
    current = [each for each in given_up if each.code == TEAM_RULE or holds(each.subject)]
    return sorted(rules.worded([*current, *convincing]), key=lambda each: (each.span, each.code, each.subject))
