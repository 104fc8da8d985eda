"""Faults put into the repository's own code, each beside its clean twin: history alone shows few kinds of mistakes.

A fault changes one line in a way that parses and that somebody could have written. The comment says what is wrong, and
the suggestion is the line as it stood.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from acclimate_indexer.languages.language import Language
from acclimate_indexer.pairs import ReviewComment, ReviewPair, Severity

from .hunks import Read, is_private, piece_around

PYTHON = frozenset(("python",))
BRACED = frozenset(
    "javascript typescript typescriptreact java go rust c cpp csharp kotlin scala php swift".split()  # noqa: SIM905
)
SCRIPTS = frozenset(("javascript", "typescript", "typescriptreact"))
ANY: frozenset[str] = frozenset()
MAX_PER_KIND_SHARE = 0.2  # of all seeded faults, so that no kind is all of them
MAX_LINE_CHARACTERS = 160

_COMMENT = re.compile(r"^\s*(?:#|//|/?\*|--|\"\"\"|''')")


@dataclass(frozen=True, slots=True)
class Fault:
    """A way to spoil a line. `message` may use the groups of `pattern`, as does `spoilt`."""

    kind: str
    languages: frozenset[str]
    pattern: re.Pattern[str]
    spoilt: str
    severity: Severity
    message: str


def _fault(kind: str, languages: frozenset[str], pattern: str, spoilt: str, severity: Severity, message: str) -> Fault:
    return Fault(kind, languages, re.compile(pattern), spoilt, severity, message)


FAULTS: tuple[Fault, ...] = (
    _fault(
        "sql_injection",
        PYTHON,
        r"(execute\()(\"|')([^\"'%]*?)(?:%s|\?)([^\"'%?]*)\2, [\(\[](\w+),?[\)\]]\)",
        r"\1f\2\3{\5}\4\2)",
        "critical",
        r"SQL injection: `\5` is interpolated into the query",
    ),
    _fault(
        "inverted_condition",
        ANY,
        r"^(\s*(?:\} )?(?:if|elif|while|else if)\b.*?)([\w.\])]+) == (?=[\w\"'])",
        r"\1\2 != ",
        "warning",
        r"The comparison of `\2` is inverted",
    ),
    _fault(
        "boundary",
        ANY,
        r"^(\s*(?:\} )?(?:if|elif|while|else if|return|assert)\b.*?)([\w.\])]+) (<|>)= (?=[\w\"'(-])",
        r"\1\2 \3 ",
        "warning",
        r"Off by one: `\2` may equal the limit, which `\3` leaves out",
    ),
    _fault(
        "off_by_one",
        PYTHON,
        r"\brange\((len\(\w+\)|\w+)\)",
        r"range(\1 + 1)",
        "warning",
        r"Off by one: the last index is beyond `\1`",
    ),
    _fault(
        "off_by_one_loop",
        BRACED,
        r"(for ?\(.*?; ?\w+) < (?=[\w.]+; ?\w+\+\+)",
        r"\1 <= ",
        "warning",
        r"Off by one: the loop runs once too often",
    ),
    _fault(
        "missing_not",
        PYTHON,
        r"^(\s*(?:if|elif|while)) not (?=[\w.]+(?:\([^()]*\))?:$)",
        r"\1 ",
        "warning",
        "The condition is the opposite of what the branch does",
    ),
    _fault(
        "missing_negation",
        BRACED,
        r"^(\s*(?:\} else )?if ?\(?)!(?=[\w.]+(?:\([^()]*\))?\)? \{$)",
        r"\1",
        "warning",
        "The condition is the opposite of what the branch does",
    ),
    _fault(
        "wrong_operator",
        PYTHON,
        r"^(\s*(?:if|elif|while|return)\b.*?\S) and (?=\S)",
        r"\1 or ",
        "warning",
        "`or` accepts what only both conditions together allow",
    ),
    _fault(
        "wrong_operator_braces",
        BRACED,
        r"^(\s*(?:\} )?(?:if|while|return|else if)\b.*?\S) && (?=\S)",
        r"\1 || ",
        "warning",
        "`||` accepts what only both conditions together allow",
    ),
    _fault(
        "missing_await",
        PYTHON | SCRIPTS,
        r"^(.*?\S |\s*)await (?=[\w.]+\()",
        r"\1",
        "warning",
        "The call is not awaited, so it is never finished here",
    ),
    _fault(
        "mutable_default",
        PYTHON,
        r"^(\s*(?:async )?def .*?)(\w+): (list|dict|set)(\[[^=]*\])? \| None = None",
        r"\1\2: \3\4 = \3()",
        "warning",
        r"The default of `\2` is shared by all calls",
    ),
    _fault(
        "swapped_arguments",
        ANY,
        r"^(\s*(?:[\w.]+ (?::?=) )?(?:return )?(?:await )?[\w.]+\()([a-z]\w{2,}), ([a-z]\w{2,})\)(;?)$",
        r"\1\3, \2)\4",
        "warning",
        r"`\2` and `\3` are passed in the wrong order",
    ),
    _fault(
        "unsafe_load",
        PYTHON,
        r"\byaml\.safe_load\(",
        "yaml.load(",
        "critical",
        "`yaml.load` runs code that the document names",
    ),
    _fault(
        "missing_return",
        PYTHON | SCRIPTS,
        r"^(\s+)return (?=[\w.]+\([^()]*\);?$)",
        r"\1",
        "warning",
        "The result is computed and thrown away",
    ),
    _fault(
        "swallowed_exception",
        PYTHON,
        r"^(\s+)raise$",
        r"\1pass",
        "warning",
        "The exception is swallowed",
    ),
    _fault(
        "identity_comparison",
        PYTHON,
        r"^(\s*(?:if|elif|while|return|assert)\b.*?[\w.\])]) == (\"|')",
        r"\1 is \2",
        "warning",
        "`is` compares identity; equal strings may be different objects",
    ),
)


def seeded_faults(
    files: Sequence[tuple[str, str]],
    *,
    commit: str,
    read: Read,
    language_of: Callable[[str], Language | None],
    choice: random.Random,
    limit: int,
) -> Iterator[tuple[ReviewPair, ReviewPair]]:
    """At most `limit` faults with their clean twins, at most one a file, of as many kinds as there are."""
    order = list(files)
    choice.shuffle(order)
    made = dict.fromkeys((fault.kind for fault in FAULTS), 0)
    most = max(1, int(MAX_PER_KIND_SHARE * limit))
    for path, blob in order:
        if sum(made.values()) >= limit:
            return
        text, language = read(blob), language_of(path)
        if text is None or language is None:
            continue
        rare = sorted((fault for fault in FAULTS if made[fault.kind] < most), key=lambda fault: made[fault.kind])
        found = next(filter(None, (_seeded(fault, path, text, language, commit, choice) for fault in rare)), None)
        if found is not None:
            made[found[0].source.partition(":")[2]] += 1
            yield found


def _seeded(
    fault: Fault, path: str, text: str, language: Language, commit: str, choice: random.Random
) -> tuple[ReviewPair, ReviewPair] | None:
    """The file with one fault, and without; None where it has no line for it."""
    if fault.languages and language.name not in fault.languages:
        return None
    lines = text.split("\n")
    fitting = [at for at, line in enumerate(lines) if _fits(fault, line)]
    if not fitting:
        return None
    at = choice.choice(fitting)
    spoilt = fault.pattern.sub(fault.spoilt, lines[at], count=1)
    match = fault.pattern.search(lines[at])
    assert match is not None
    before = piece_around(text, at, 1)
    after = piece_around("\n".join([*lines[:at], spoilt, *lines[at + 1 :]]), at, 1)
    if before is None or after is None or is_private(before.text):
        return None
    comment = ReviewComment(
        line=after.line, severity=fault.severity, message=match.expand(fault.message), suggestion=lines[at]
    )
    named = {"language": language.name, "path": path, "commit": commit}
    return (
        ReviewPair(**named, hunk=after.text, comment=comment, source=f"seeded:{fault.kind}"),
        ReviewPair(**named, hunk=before.text, comment=None, source=f"seeded:{fault.kind}"),
    )


def _fits(fault: Fault, line: str) -> bool:
    if len(line) > MAX_LINE_CHARACTERS or _COMMENT.match(line):
        return False
    return fault.pattern.search(line) is not None and fault.pattern.sub(fault.spoilt, line, count=1) != line
