"""Names that this repository has given up, where they are written anew.

They are found as the miner found them: names with dots are read as whole tokens of the code, and what became what may
be a part of one. A name of a single plain word counts only in what is called or imported, since that is what the miner
saw of it, and not as a part of a module: `log.warn`, now `log.warning`, says nothing about `warnings.warn`. What the
team's rules give up counts everywhere.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from acclimate_indexer.languages.registry import are_related
from acclimate_indexer.mining.conventions.facts import NAME
from acclimate_indexer.mining.conventions.named import is_compound
from acclimate_indexer.mining.conventions.record import Replacement
from acclimate_indexer.syntax import Span

from .changed_code import ChangedCode, ChangedLine
from .finding import Edit, Evidence, Finding

REPLACED_NAME, TEAM_RULE = "replaced-name", "team-rule"
MAX_WORDS = 6  # of a name with dots, as the miner counts them
SHORT_SHA = 7  # characters of a commit that people quote
MAX_NAMED_PATHS = 3  # in a sentence

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedReplacement:
    """`old` is to become `new` because the team says so.

    Attributes:
        why: Its own words, or none.
        line: Of the file `path`, counted from 1.
    """

    old: str
    new: str
    why: str
    path: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _GivenUp:
    """A name that is given up, and what is said where it is written.

    Attributes:
        position: Where in a name with dots it counts: `first`, `later`, or anywhere.
        is_imported: It was given up in imports.
        is_plain: It counts only in what is called, or imported if it was given up there.
        is_module: It is named from its root on.
    """

    old: str
    new: str
    code: str
    message: str
    evidence: tuple[Evidence, ...] = ()
    position: str = ""
    is_imported: bool = True
    is_plain: bool = False
    is_module: bool = False


def replaced_name_findings(
    code: ChangedCode, replacements: Iterable[Replacement], pinned: Iterable[PinnedReplacement] = ()
) -> Iterator[Finding]:
    """One comment for each name of a line that was given up, with all its places in that line put right."""
    mined = [each for each in replacements if _is_of_language(each, code)]
    given_up = [each for each in (*map(_mined, mined), *map(_pinned, pinned)) if each.old]
    names = {each.old: each for each in given_up if NAME.fullmatch(each.old)}
    others = [each for each in given_up if each.old not in names]
    first_words = {name.partition(".")[0] for name in names}
    for line in code.lines if given_up else ():
        has_names = not first_words.isdisjoint(_WORD.findall(line.text))
        at_hand = [each for each in others if each.old in line.text]
        if not has_names and not at_hand:
            continue
        uses: dict[str, list[Span]] = defaultdict(list)
        is_import = code.is_import(line)
        text = line.text if is_import else code.code(line)  # a path that is imported may stand in quotes
        found = _uses(code, text, names, is_import=is_import)
        for each, span in (*found, *_literal_uses(text, at_hand)):
            uses[each.old].append(span)
        by_old = names | {each.old: each for each in at_hand}
        for old, spans in uses.items():
            if not code.defines(old.rpartition(".")[2]):
                yield _finding(code, line, by_old[old], spans)


def _uses(
    code: ChangedCode, text: str, names: Mapping[str, _GivenUp], *, is_import: bool
) -> Iterator[tuple[_GivenUp, Span]]:
    """The longest names that were given up, each at its place in a line."""
    for token in NAME.finditer(text):
        words = token[0].split(".")
        is_told = is_import or text[token.end() :].lstrip().startswith("(")
        at, start = 0, token.start()
        while at < len(words):
            found, size = None, 1
            for length in range(min(MAX_WORDS, len(words) - at), 0, -1):
                each = names.get(".".join(words[at : at + length]))
                if each is not None and _is_use(each, words, at, is_told=is_told, is_import=is_import):
                    is_anothers = each.is_plain and at > 0 and not is_import and code.imports_whole(words[0])
                    found, size = None if is_anothers else each, length
                    break
            end = start + len(".".join(words[at : at + size]))
            if found is not None:
                yield found, Span(start, end)
            at, start = at + size, end + 1


def _is_of_language(replacement: Replacement, code: ChangedCode) -> bool:
    """Whether it was made in such files: what is called so in another language is another thing."""
    extensions = replacement.extensions
    return not extensions or any(are_related(f"any{each}", code.language.name) for each in extensions)


def _is_use(given_up: _GivenUp, words: list[str], at: int, *, is_told: bool, is_import: bool) -> bool:
    """Whether this is the name that was given up, and not a part of what it became."""
    old, new = given_up.old.split("."), given_up.new.split(".")
    for shift in range(min(at, len(new) - len(old)) + 1):
        if new[shift : shift + len(old)] == old and words[at - shift : at - shift + len(new)] == new:
            return False
    if given_up.is_module and at > 0:
        return False
    if is_import and given_up.is_imported:
        return True
    if given_up.position and (given_up.position == "first") != (at == 0):
        return False  # `log.info` says nothing about `math.log`
    return not given_up.is_plain or (is_told and not is_import)


def _literal_uses(text: str, given_up: Iterable[_GivenUp]) -> Iterator[tuple[_GivenUp, Span]]:
    """What is no name, letter by letter: a path, a call with its parenthesis."""
    for each in given_up:
        old, new = re.escape(each.old), re.escape(each.new)
        before, after = (r"(?<!\w)" if each.old[0].isalnum() else ""), (r"(?!\w)" if each.old[-1].isalnum() else "")
        for match in re.finditer(rf"{new}|({before}{old}{after})", text):
            if match[1] is not None:
                yield each, Span(*match.span())


def _finding(code: ChangedCode, line: ChangedLine, given_up: _GivenUp, uses: list[Span]) -> Finding:
    return Finding(
        path=code.target.path,
        span=line.span(*uses[0]),
        severity="warning",
        reviewer="conventions",
        code=given_up.code,
        subject=given_up.old,
        message=given_up.message,
        fix=tuple(Edit(span=line.span(*use), text=given_up.new) for use in uses if _is_at_hand(code, line, given_up)),
        evidence=given_up.evidence,
        is_deprecated=True,
    )


def _is_at_hand(code: ChangedCode, line: ChangedLine, given_up: _GivenUp) -> bool:
    """Whether the new name can stand where the old one did; another root has to be imported, or the team says so."""
    root = given_up.new.partition(".")[0]
    is_from_elsewhere = "." in given_up.old and root not in given_up.old.split(".")
    if given_up.code == TEAM_RULE or not is_from_elsewhere or code.is_import(line):
        return True
    return code.defines(root) or code.imports_name(root)


def _mined(replacement: Replacement) -> _GivenUp:
    dates = (replacement.last, *[""] * len(replacement.evidence))
    is_dotted = "." in replacement.old
    return _GivenUp(
        old=replacement.old,
        new=replacement.new,
        code=REPLACED_NAME,
        message=(
            f"`{replacement.old}` was replaced by `{replacement.new}` in {_counted(replacement.places, 'place')} over "
            f"{_counted(replacement.commits, 'commit')}, last in {_last(replacement)}; {_remaining(replacement)}."
        ),
        evidence=tuple(
            Evidence(commit=commit, date=date) for commit, date in zip(replacement.evidence, dates, strict=False)
        ),
        position=replacement.position,
        is_imported=replacement.kind == "import",
        is_plain=not is_dotted and not is_compound(replacement.old),
        is_module=is_dotted and replacement.kind == "import",
    )


def _pinned(pinned: PinnedReplacement) -> _GivenUp:
    why = f", because {pinned.why}" if pinned.why else ""
    message = f"Use `{pinned.new}` instead of `{pinned.old}`{why} ({pinned.path}, line {pinned.line})."
    return _GivenUp(old=pinned.old, new=pinned.new, code=TEAM_RULE, message=message)


def _last(replacement: Replacement) -> str:
    """The commit that did it last, and when."""
    return f"{''.join(replacement.evidence[:1])[:SHORT_SHA]} ({replacement.last})".lstrip()


def _remaining(replacement: Replacement) -> str:
    if not replacement.remaining_uses:
        return "no other use is left"
    where = ", ".join(replacement.remaining[:MAX_NAMED_PATHS])
    are_left = "other use is left" if replacement.remaining_uses == 1 else "other uses are left"
    return f"{replacement.remaining_uses} {are_left}, in {where}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
