"""Texts under review, and conventions to review them by."""

from acclimate_indexer.languages.registry import language_of
from acclimate_indexer.mining.conventions.record import Conventions, Prevalence, Replacement
from acclimate_indexer.review.conventions import NO_RULES, convention_findings
from acclimate_indexer.review.finding import Finding, fixed
from acclimate_indexer.review.rules import TeamRules
from acclimate_indexer.review.target import ReviewTarget
from acclimate_indexer.syntax import syntax_of

COMMITS = ("1a2b3c4d5e6f", "2b3c4d5e6f7a")


def target_of(path: str, text: str, changed: tuple[range, ...] | None = None) -> ReviewTarget:
    """A text of which these lines changed; all of them if none are named."""
    language = language_of(path)
    assert language is not None
    return ReviewTarget(
        path=path, language=language, text=text, changed=(range(text.count("\n") + 1),) if changed is None else changed
    )


def replacement(
    old: str, new: str, *, kind: str = "name", last: str = "2026-10-03", left: int = 0, commits: int = 6, kept: int = 0
) -> Replacement:
    return Replacement(
        old=old,
        new=new,
        kind=kind,
        places=14,
        commits=commits,
        files=4,
        evidence=COMMITS,
        last=last,
        remaining=("shop/old.py",) * min(left, 1),
        remaining_uses=left,
        kept=kept,
    )


def prevalence(
    role: str,
    rule: str,
    *,
    count: int = 312,
    of: int = 318,
    exceptions: tuple[str, ...] = (),
    others: dict[str, int] | None = None,
    borrowed: tuple[str, ...] = (),
) -> Prevalence:
    return Prevalence(
        role=role, rule=rule, count=count, of=of, exceptions=exceptions, others=others or {}, borrowed=borrowed
    )


def conventions(*found: Replacement | Prevalence) -> Conventions:
    return Conventions(
        replacements=tuple(each for each in found if isinstance(each, Replacement)),
        prevalence=tuple(each for each in found if isinstance(each, Prevalence)),
    )


def findings(
    path: str,
    text: str,
    *found: Replacement | Prevalence,
    changed: tuple[range, ...] | None = None,
    rules: TeamRules = NO_RULES,
) -> list[Finding]:
    """What is said of a text."""
    return convention_findings(target_of(path, text, changed), conventions(*found), rules)


def put_right(path: str, text: str, found: list[Finding]) -> str:
    """The text with all fixes made, which must parse as well as it did."""
    language = language_of(path)
    assert language is not None
    for finding in reversed(found):
        text = fixed(text, finding.fix)
    assert syntax_of(text, language).damage == 0.0
    return text
