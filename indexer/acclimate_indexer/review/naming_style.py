"""New functions and classes whose names are of another style than nearly all of this repository's.

Only where nothing but taste decides the name: not where the style means something (who may see it in Go, what is used
like a class), nor for a method that may override another, nor where names of that style have a place of their own.
"""

import re
from collections.abc import Iterable, Iterator

from acclimate_indexer.mining.conventions.dictated import has_bases, is_dictated
from acclimate_indexer.mining.conventions.prevalence import style_of
from acclimate_indexer.mining.conventions.record import Prevalence

from .changed_code import ChangedCode, ChangedLine
from .finding import Edit, Finding
from .prevailing import Said, in_numbers

NAMING_STYLE = "naming-style"
STYLES = ("snake_case", "camelCase", "PascalCase")
MIN_NAME_CHARACTERS = 3  # a shorter name has no style

_MODIFIERS = (
    r"^\s*(?:(?:abstract|async|data|declare|default|export|final|internal|open|private|protected|pub|public|sealed"
    r"|static)\s+)*"
)
_FUNCTION = re.compile(rf"{_MODIFIERS}(?:def|fn|fun|func|function)\s+([^\W\d]\w*)\s*[(<\[]")
_CLASS = re.compile(rf"{_MODIFIERS}(?:enum\s+class|enum\s+struct|class|enum|interface|struct|trait)\s+([^\W\d]\w*)")
_PYTHON_CLASS = re.compile(r"\s*class\b")
_HUMP = re.compile(r"[^\W_A-Z][A-Z][A-Za-z]")  # a capital alone at the end is a symbol: `chebT`
_WORDS = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+|[A-Z]")
_VISIBLE_BY_CASE = frozenset(("go",))
_DEFINITIONS = {"functions": _FUNCTION, "classes": _CLASS}


def naming_findings(code: ChangedCode, prevalence: Iterable[Prevalence]) -> Iterator[Said]:
    """Names of new definitions that stand out; renamed by the fix where nothing else in the text uses them."""
    if code.language.name in _VISIBLE_BY_CASE:
        return
    for convention in prevalence:
        language, _, what = convention.role.rpartition(" ")
        pattern = _DEFINITIONS.get(what)
        if pattern is None or language != code.language.name or convention.rule not in STYLES:
            continue
        for line in code.lines:
            found = pattern.match(line.text)
            if found is not None and _stands_out(found[1], code, convention) and _is_new(found, line, code):
                yield Said(convention, _finding(code, line, found, convention))


def in_style(name: str, style: str) -> str:
    """The name in another style; its underscores at the ends stay."""
    core = name.strip("_")
    head, tail = name[: len(name) - len(name.lstrip("_"))], name[len(name.rstrip("_")) :]
    words = [word.lower() for part in core.split("_") for word in _WORDS.findall(part)]
    if style == "snake_case":
        return head + "_".join(words) + tail
    capital = [word.capitalize() for word in words]
    return head + "".join(capital if style == "PascalCase" else [*words[:1], *capital[1:]]) + tail


def _stands_out(name: str, code: ChangedCode, convention: Prevalence) -> bool:
    """Whether a name is clearly of another style, and neither it nor another of this file known as an exception.

    Nor is it a name by which this repository already calls something that is not its own.
    """
    if name.startswith("__") or is_dictated(name, code.language.lexer):
        return False  # it was not counted, either
    style = style_of(name)
    if len(name) < MIN_NAME_CHARACTERS or style not in STYLES or style == convention.rule:
        return False
    if name in convention.borrowed or (style == "camelCase" and not _HUMP.search(name)):
        return False
    known = (each.partition(" in ") for each in convention.exceptions)
    return not any(one == name or (where == code.target.path and style_of(one) == style) for one, _, where in known)


def _is_new(found: re.Match[str], line: ChangedLine, code: ChangedCode) -> bool:
    """Whether this is the definition of something new whose name is its author's choice."""
    if not code.target.is_changed(line.number + 1) or not code.code(line)[found.start(1) : found.end(1)].strip():
        return False  # whose body stood there before is not new
    if re.search(r"\boverride\b", line.text):
        return False
    is_function = found.re is _FUNCTION
    if is_function and style_of(found[1]) == "PascalCase":
        return False  # a component, or what is used like a class
    is_inner = line.text[:1].isspace()
    return not (is_function and is_inner) or (code.language.lexer == "python" and _has_free_name(line, code))


def _has_free_name(line: ChangedLine, code: ChangedCode) -> bool:
    """Whether an indented definition of Python's overrides nothing: no class with bases is around it."""
    depth = _depth(line.text)
    text, starts = code.target.text, code.target.source.line_starts
    for number in range(line.number - 1, -1, -1):
        above = text[starts[number] : starts[number + 1] - 1]
        is_code = above.strip() and not above.lstrip().startswith(("#", ")"))
        if not is_code or _depth(above) >= depth or code.is_within_literal(starts[number]):
            continue
        depth = _depth(above)
        if _FUNCTION.match(above):
            return True
        if _PYTHON_CLASS.match(above):
            return not has_bases(above)
    return True


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _finding(code: ChangedCode, line: ChangedLine, found: re.Match[str], convention: Prevalence) -> Finding:
    name, wanted = found[1], in_style(found[1], convention.rule)
    span = line.span(found.start(1), found.end(1))
    is_alone = code.target.text.count(name) == 1  # else a part of another name may do: nothing is lost but the fix
    can_be_renamed = is_alone and not code.defines(wanted) and style_of(wanted) == convention.rule
    return Finding(
        path=code.target.path,
        span=span,
        severity="suggestion",
        reviewer="conventions",
        code=NAMING_STYLE,
        subject=name,
        message=(
            f"`{name}` is {style_of(name)}; {in_numbers(convention)} {convention.role} "
            f"here are {convention.rule}, as `{wanted}` would be."
        ),
        fix=(Edit(span=span, text=wanted),) if can_be_renamed else (),
    )
