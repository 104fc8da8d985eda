"""Calls and decorators that are written otherwise than nearly everywhere in this repository."""

import re
from collections.abc import Iterable, Iterator

from acclimate_indexer.mining.conventions.prevalence import LEVELS, LOGGERS
from acclimate_indexer.mining.conventions.record import Prevalence

from .changed_code import ChangedCode, ChangedLine
from .finding import Edit, Finding
from .prevailing import Said, in_numbers

LOGGING_RECEIVER, DECORATOR_ARGUMENTS = "logging-receiver", "decorator-arguments"

_CALL = re.compile(r"(?<![\w.])([^\W\d]\w*)\.([^\W\d]\w*)\s*\(")
_DECORATOR = re.compile(r"^[ \t]*@(([^\W\d][\w.]*)(\([^()\n]*\))?)[ \t]*$")


def logging_findings(code: ChangedCode, prevalence: Iterable[Prevalence]) -> Iterator[Said]:
    """Log lines that go to another receiver than nearly all."""
    for convention in prevalence:
        language, _, what = convention.role.rpartition(" ")
        if what != "logging" or language != code.language.name or convention.rule == "print":
            continue  # who prints nearly everywhere logs on purpose where it is not done
        for line in code.lines:
            for call in _CALL.finditer(code.code(line)) if _may_log(line) else ():
                if call[1] in LOGGERS and call[2] in LEVELS and call[1] != convention.rule:
                    yield Said(convention, _other_receiver(code, line, call, convention))


def decorator_findings(code: ChangedCode, prevalence: Iterable[Prevalence]) -> Iterator[Said]:
    """Decorators with empty parentheses where nearly all have none, and without the arguments that nearly all have."""
    by_name = {each.role.removeprefix("decorator "): each for each in prevalence if each.role.startswith("decorator ")}
    is_telling = code.language.lexer != "script"  # there parentheses make another decorator
    for line in code.lines if by_name and is_telling else ():
        found = _DECORATOR.match(line.text)
        convention = by_name.get(found[2]) if found else None
        if found is None or convention is None or not _says_less(found[1], convention.rule):
            continue
        if code.code(line).lstrip().startswith("@"):
            yield Said(convention, _other_arguments(code, line, found, convention))


def _may_log(line: ChangedLine) -> bool:
    return any(f"{receiver}." in line.text for receiver in LOGGERS)


def _other_receiver(code: ChangedCode, line: ChangedLine, call: re.Match[str], convention: Prevalence) -> Finding:
    span = line.span(call.start(1), call.end(1))
    is_at_hand = code.defines(convention.rule)
    return Finding(
        path=code.target.path,
        span=span,
        severity="suggestion",
        reviewer="conventions",
        code=LOGGING_RECEIVER,
        subject=call[1],
        message=f"`{call[1]}.{call[2]}`: {in_numbers(convention)} log calls here go to `{convention.rule}`.",
        fix=(Edit(span=span, text=convention.rule),) if is_at_hand else (),
    )


def _says_less(decorator: str, rule: str) -> bool:
    """Whether a decorator has nothing that the rule does not have, and is another."""
    if decorator == rule:
        return False
    arguments, usual = _arguments(decorator), _arguments(rule)
    return arguments < usual or (not arguments and not usual)


def _arguments(decorator: str) -> frozenset[str]:
    inner = decorator.partition("(")[2].removesuffix(")")
    return frozenset(part.strip() for part in inner.split(",") if part.strip())


def _other_arguments(code: ChangedCode, line: ChangedLine, found: re.Match[str], convention: Prevalence) -> Finding:
    span = line.span(found.start(1), found.end(1))
    return Finding(
        path=code.target.path,
        span=span,
        severity="suggestion",
        reviewer="conventions",
        code=DECORATOR_ARGUMENTS,
        subject=f"@{found[1]}",
        message=f"`@{convention.rule}` is written in {in_numbers(convention)} places here, not `@{found[1]}`.",
        fix=(Edit(span=span, text=convention.rule),),
    )
