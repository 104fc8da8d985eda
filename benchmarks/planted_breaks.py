"""A repository's strongest conventions, each broken once in a real file, to see whether the break is commented on."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import PurePosixPath

from acclimate_indexer.languages.registry import extension_of
from acclimate_indexer.mining.conventions.named import is_compound, is_import, names_in
from acclimate_indexer.mining.conventions.prevalence import ALTERNATIVE_MODULES, LEVELS, LOGGERS, inner_folder, style_of
from acclimate_indexer.mining.conventions.record import Conventions, Prevalence, Replacement
from acclimate_indexer.mining.conventions.wrappers import stem_of
from acclimate_indexer.mining.source import Source
from acclimate_indexer.mining.state import CommitState
from acclimate_indexer.repository import Repository
from acclimate_indexer.review.conventions import convention_findings
from acclimate_indexer.review.finding import Finding, fixed
from acclimate_indexer.review.lasting import still_holds
from acclimate_indexer.review.naming_style import in_style
from acclimate_indexer.review.target import ReviewTarget
from acclimate_indexer.syntax import Span

BREAKS = 10
_NO_USE = re.compile(r"[\"'`]|\b(?:class|def|func)\b[^(]*\Z")  # before a name: it stands in quotes, or is defined here
_DEFINED = re.compile(r"\s*(?::[^=\n]*)?=(?!=)|\s*:")  # after a name that begins a line: a parameter, a field
OTHER_STYLE = {"snake_case": "camelCase", "camelCase": "snake_case", "PascalCase": "snake_case"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A convention that was broken, and what the review said.

    Attributes:
        support: In how many places the convention is followed.
        outcome: `restored`: the comment's fix gives the original back; `named`: a comment on the line, without a fix;
            `silent`.
        others: Comments on other lines, or about something else.
    """

    convention: str
    support: int
    outcome: str
    others: int = 0


def planted_breaks(repository: Repository, state: CommitState, conventions: Conventions) -> Iterator[Break]:
    """Breaks the ten conventions that most places follow, of those that can be broken in a line, one at a time."""
    holds = partial(still_holds, repository, commit=state.commit)
    review = partial(convention_findings, conventions=conventions, still_holds=holds)
    found = ((convention, next(_places(state, convention), None)) for convention in strongest(conventions))
    for convention, (source, span, instead) in islice(((each, place) for each, place in found if place), BREAKS):
        name, support = _named(convention)
        outcome, others = _reviewed(source, span, instead, review)
        yield Break(convention=name, support=support, outcome=outcome, others=others)


def _named(convention: Replacement | Prevalence) -> tuple[str, int]:
    """What a convention is called in the figures, and how many places follow it."""
    if isinstance(convention, Replacement):
        return f"{convention.old} -> {convention.new}", convention.places
    return f"{convention.role}: {convention.rule}", convention.count


def strongest(conventions: Conventions) -> list[Replacement | Prevalence]:
    """Those that most places follow, of whatever kind."""
    every: list[Replacement | Prevalence] = [*conventions.replacements, *conventions.prevalence]
    return sorted(every, key=lambda each: -_named(each)[1])


def _reviewed(
    source: Source, span: Span, instead: str, review: Callable[[ReviewTarget], list[Finding]]
) -> tuple[str, int]:
    """What is said of the file with the break; the lines of the definition around it count as new."""
    text = source.text[: span.start] + instead + source.text[span.end :]
    number = source.line_of(span.start)
    target = ReviewTarget(path=source.path, language=source.language, text=text, changed=(range(number, number + 2),))
    found = review(target)
    on_line = [each for each in found if target.source.line_of(each.span.start) == number]
    if any(each.fix and fixed(text, each.fix) == source.text for each in on_line):
        return "restored", len(found) - 1
    without_fix = [each for each in on_line if not each.fix]
    return ("named", len(found) - 1) if without_fix else ("silent", len(found))


def _places(state: CommitState, convention: Replacement | Prevalence) -> Iterator[tuple[Source, Span, str]]:
    """Where a convention is followed in code, and what breaks it there; by path."""
    extensions = convention.extensions if isinstance(convention, Replacement) else ()
    for file in sorted(state.files, key=lambda each: each.path):
        if extensions and extension_of(file.path) not in extensions:
            continue
        source = state.source(file)
        found = _replaced(source, convention) if isinstance(convention, Replacement) else _broken(source, convention)
        for span, instead in found:
            if not any(start <= span.start < end for start, end in source.outline.prose):
                yield source, span, instead


def _replaced(source: Source, replacement: Replacement) -> Iterator[tuple[Span, str]]:
    """The new name where code uses it, to become the old one; a plain word only where the miner would see it, too."""
    for found in re.finditer(rf"(?<!\w){re.escape(replacement.new)}(?!\w)", source.text):
        start = source.line_start(found.start())
        before, line = source.text[start : found.start()], source.text[start : source.line_end(found.start())]
        is_use = not _NO_USE.search(before) and (before.strip() or not _DEFINED.match(source.text, found.end()))
        if is_import(line):
            is_use = is_use and (replacement.kind == "import" or is_compound(replacement.old))
        elif replacement.position:
            is_use = is_use and before.endswith(".") == (replacement.position == "later")
        if is_use and replacement.old in names_in(f"{before}{replacement.old}{line[len(before) + len(found[0]) :]}"):
            yield Span(*found.span()), replacement.old


def _broken(source: Source, convention: Prevalence) -> Iterator[tuple[Span, str]]:
    language, _, what = convention.role.rpartition(" ")
    if what in ("functions", "classes") and language == source.language.name:
        yield from _renamed(source, convention, "function" if what == "functions" else "class")
    elif convention.role.startswith("decorator "):
        yield from _decorated(source, convention.rule)
    elif what == "logging" and language == source.language.name:
        other = next(name for name in LOGGERS if name != convention.rule)
        for found in re.finditer(rf"(?<![\w.]){convention.rule}(?=\.(?:{'|'.join(sorted(LEVELS))})\()", source.text):
            yield Span(*found.span()), other
    elif convention.role in ALTERNATIVE_MODULES:
        other = next(name for name in ALTERNATIVE_MODULES[convention.role] if name != convention.rule)
        for found in re.finditer(rf"^(?:import|from) ({re.escape(convention.rule)})\b", source.text, re.MULTILINE):
            yield Span(*found.span(1)), other
    elif convention.role == "own libraries":
        yield from _bypassed(source, convention)
    elif convention.role == "folders":
        yield from _turned(source, convention)


def _renamed(source: Source, convention: Prevalence, kind: str) -> Iterator[tuple[Span, str]]:
    """The name of a top-level definition, of several words, in another style."""
    for symbol in source.outline.symbols:
        at = source.text.find(symbol.name, symbol.signature.start)
        is_inner = source.text[source.line_start(at)].isspace()
        if symbol.kind != kind or is_inner or style_of(symbol.name) != convention.rule:
            continue
        wrong = in_style(symbol.name, OTHER_STYLE.get(convention.rule, "snake_case"))
        if wrong != symbol.name and in_style(wrong, convention.rule) == symbol.name:
            yield Span(at, at + len(symbol.name)), wrong


def _decorated(source: Source, rule: str) -> Iterator[tuple[Span, str]]:
    name, parenthesis, _ = rule.partition("(")
    for found in re.finditer(rf"^[ \t]*@({re.escape(rule)})$", source.text, re.MULTILINE):
        yield Span(*found.span(1)), name if parenthesis else f"{name}()"


def _bypassed(source: Source, convention: Prevalence) -> Iterator[tuple[Span, str]]:
    """The import of an own file, to become one of the library that it wraps."""
    own, _, library = convention.rule.partition(" rather than ")
    if PurePosixPath(source.path).parent == PurePosixPath(own).parent:
        return  # beside it the library may be needed
    name = stem_of(own.removeprefix("src/")).replace("/", ".")
    for found in re.finditer(rf"^(?:import|from) ({re.escape(name)})(?=[ \n])", source.text, re.MULTILINE):
        yield Span(*found.span(1)), library


def _turned(source: Source, convention: Prevalence) -> Iterator[tuple[Span, str]]:
    """The first import of a file, preceded by one of the folder that imports it."""
    upper, _, rest = convention.rule.partition(" imports ")
    if inner_folder(source.path) != rest.partition(",")[0]:
        return
    first = re.search(r"^(?:import|from) ", source.text, re.MULTILINE)
    if first is not None:
        yield Span(first.start(), first.start()), f"import {upper.replace('/', '.')}.part\n"
