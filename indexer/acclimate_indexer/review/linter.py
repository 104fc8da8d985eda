"""What ruff says about changed lines, by the rules that this repository was seen to act upon and no others."""

import re
from collections.abc import Sequence

from acclimate_indexer.linting import LANGUAGE, Lint, lints
from acclimate_indexer.mining.conventions.record import LintedRule
from acclimate_indexer.pairs import Severity

from .finding import Evidence, Finding
from .target import ReviewTarget

RUFF = "ruff:"  # begins the code of a comment, before its rule
SHORT_COMMIT = 7  # characters, as git shows one
FAULTS = ("F8", "F6", "F7", "B", "S", "PLE", "ASYNC", "E9")  # rules about what goes wrong, rather than how it is put

UNUSED_IMPORT = "F401"

_TYPE_COMMENT = re.compile(r"#\s*type:(.*)")


def linter_findings(target: ReviewTarget, rules: Sequence[LintedRule]) -> list[Finding]:
    """The findings of one file. Starts a process of ruff, which takes a hundredth of a second."""
    if target.language.name != LANGUAGE or not rules or not target.changed:
        return []
    by_name = {each.rule: each for each in rules}
    found = (lint for _, lint in lints({"": (target.path, target.text)}, rules=sorted(by_name)))
    mine = (lint for lint in found if target.is_changed(lint.line) and not _may_be_needed(lint, target.text))
    return [_finding(target, lint, by_name[lint.rule]) for lint in mine]


def _may_be_needed(lint: Lint, text: str) -> bool:
    """Whether an import that looks unused is likely there for a reason: ruff would not remove it by itself, as in a
    package's `__init__.py` and where it is tried, or a comment about types, which ruff does not read, names it.
    """
    if lint.rule != UNUSED_IMPORT:
        return False
    name = text[lint.span.start : lint.span.end].partition(".")[0]
    whole = re.compile(rf"\b{re.escape(name)}\b")
    return not lint.fix or any(whole.search(comment) for comment in _TYPE_COMMENT.findall(text))


def _finding(target: ReviewTarget, lint: Lint, rule: LintedRule) -> Finding:
    return Finding(
        path=target.path,
        span=lint.span,
        severity=_severity(rule.rule),
        reviewer="linter",
        code=f"{RUFF}{rule.rule}",
        subject=rule.rule,
        message=f"{lint.message.rstrip('.')}. {proof(rule)}",
        fix=lint.fix,
        evidence=tuple(Evidence(commit=commit) for commit in rule.evidence),
    )


def proof(rule: LintedRule) -> str:
    """What the history shows about the rule, as a sentence."""
    left = f"{rule.standing:,} are left" if rule.standing else "none is left"
    last = f"last in {rule.evidence[0][:SHORT_COMMIT]} ({rule.last})"
    return f"{rule.resolved:,} such places were put right in {rule.commits:,} commits, {last}; {left}."


def _severity(rule: str) -> Severity:
    return "warning" if rule.startswith(FAULTS) else "suggestion"
