"""Imports that nearly all of this repository avoids: another library for the same purpose, or from the wrong side."""

import posixpath
from collections.abc import Iterable, Iterator

from acclimate_indexer.mining.conventions.prevalence import ALTERNATIVE_MODULES, inner_folder
from acclimate_indexer.mining.conventions.record import Prevalence
from acclimate_indexer.mining.conventions.wrappers import root_library

from .changed_code import ChangedCode, ChangedLine
from .finding import Finding
from .prevailing import Said, in_numbers

MODULE_CHOICE, OWN_LIBRARY, IMPORT_DIRECTION = "module-choice", "own-library", "import-direction"


def import_findings(code: ChangedCode, prevalence: Iterable[Prevalence]) -> Iterator[Said]:
    """What is said of the modules that changed lines import."""
    wanted = [each for each in prevalence if each.role in (*ALTERNATIVE_MODULES, "own libraries", "folders")]
    for line in code.lines if wanted else ():
        for module in code.imports(line):
            for convention in wanted:
                yield from _findings(code, line, module, convention)


def _findings(code: ChangedCode, line: ChangedLine, module: str, convention: Prevalence) -> Iterator[Said]:
    if convention.role == "folders":
        yield from _wrong_direction(code, line, module, convention)
    elif convention.role == "own libraries":
        yield from _foreign_library(code, line, module, convention)
    else:
        yield from _other_module(code, line, module, convention)


def _other_module(code: ChangedCode, line: ChangedLine, module: str, convention: Prevalence) -> Iterator[Said]:
    """Another module for a purpose that has one, where the file does not use it already."""
    others = (each for each in ALTERNATIVE_MODULES[convention.role] if each != convention.rule)
    other = next((each for each in others if module == each or module.startswith(f"{each}.")), None)
    if other is None or f"{other} in {code.target.path}" in convention.exceptions:
        return
    message = f"{convention.role}: `{convention.rule}` is used in {in_numbers(convention)} files here, not `{other}`."
    yield Said(convention, _finding(code, line, other, MODULE_CHOICE, message.capitalize()))


def _foreign_library(code: ChangedCode, line: ChangedLine, module: str, convention: Prevalence) -> Iterator[Said]:
    """A foreign library that an own file wraps; not in that file, nor beside it."""
    own, _, library = convention.rule.partition(" rather than ")
    path = code.target.path
    if root_library(module) != library or posixpath.dirname(path) == posixpath.dirname(own):
        return
    if f"{library} in {path}" in convention.exceptions:
        return
    message = f"`{own}` is used instead of `{library}` in {in_numbers(convention)} files that need it."
    yield Said(convention, _finding(code, line, library, OWN_LIBRARY, message))


def _wrong_direction(code: ChangedCode, line: ChangedLine, module: str, convention: Prevalence) -> Iterator[Said]:
    """An import at the top of a file, of a folder that itself imports this one and never the other way around."""
    upper, _, rest = convention.rule.partition(" imports ")
    lower = rest.partition(",")[0]
    imported = inner_folder(module.replace(".", "/").replace("::", "/") + "/")
    is_put_off = line.text[:1].isspace() and code.language.lexer == "python"  # into a function, to break a circle
    if is_put_off or inner_folder(code.target.path) != lower or imported != upper:
        return
    message = f"`{upper}` imports `{lower}` in {convention.count} places, and nothing imports it the other way around."
    yield Said(convention, _finding(code, line, f"{lower} -> {upper}", IMPORT_DIRECTION, message))


def _finding(code: ChangedCode, line: ChangedLine, subject: str, kind: str, message: str) -> Finding:
    start = len(line.text) - len(line.text.lstrip())
    return Finding(
        path=code.target.path,
        span=line.span(start, len(line.text.rstrip())),
        severity="suggestion",
        reviewer="conventions",
        code=kind,
        subject=subject,
        message=message,
    )
