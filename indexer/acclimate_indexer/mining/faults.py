"""The faults that are seeded: how each is made of good code, and what a reviewer says about it.

A pattern runs over the whole lines of one function, from the start of a line, and only ever looks at a few lines.
`put` is a template of the match, or makes the text; what it puts is what the author of the fault would have written.
The kinds are the usual ones of mutation testing (swapped and inverted conditions, boundaries, lost statements) and
those that security linters warn of.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from acclimate_indexer.pairs import Severity

PYTHON = frozenset({"python"})
SCRIPT = frozenset({"javascript", "javascriptreact", "typescript", "typescriptreact"})
GO = frozenset({"go"})
BRACED = SCRIPT | {"java", "csharp", "c", "cpp", "php"}  # conditions in parentheses, `!` for not
CURLY = BRACED | {"go", "rust", "kotlin", "scala", "swift"}
_OPPOSITE = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "and": "or", "or": "and", "&&": "||", "||": "&&"}
_QUIET = r"[^\n\"'`#]"  # no string begins before what is changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to spoil code.

    Attributes:
        kind: As in the pair's source, `seeded:<kind>`. Several faults may make one kind.
        message: A template of the pattern's named groups.
        is_in_head: Whether it belongs before the function's body, and nowhere else.
    """

    kind: str
    languages: frozenset[str]
    pattern: re.Pattern[str]
    put: str | Callable[[re.Match[str]], str]
    severity: Severity
    message: str
    is_in_head: bool = False

    def made(self, match: re.Match[str]) -> str:
        return match.expand(self.put) if isinstance(self.put, str) else self.put(match)

    def words(self, match: re.Match[str]) -> str:
        return self.message.format_map(match.groupdict(""))


def _opposite(match: re.Match[str]) -> str:
    return f"{match['head']}{_OPPOSITE[match['op']]}{match['tail']}"


def _swapped(match: re.Match[str]) -> str:
    return f"{match['head']}{match['b']}, {match['a']})"


def _unmanaged(match: re.Match[str]) -> str:
    """A `with` block opened by hand, its body moved out by its own indentation."""
    lines = match["body"].split("\n")
    step = len(lines[0]) - len(lines[0].lstrip()) - len(match["indent"])
    body = "\n".join(line[: len(match["indent"])] + line[len(match["indent"]) + step :] for line in lines)
    return f"{match['indent']}{match['name']} = {match['call']}\n{body}"


def _fault(
    kind: str,
    languages: frozenset[str],
    pattern: str,
    put: str | Callable[[re.Match[str]], str],
    severity: Severity,
    message: str,
    *,
    is_in_head: bool = False,
) -> Fault:
    return Fault(
        kind=kind,
        languages=languages,
        pattern=re.compile(pattern, re.MULTILINE),
        put=put,
        severity=severity,
        message=message,
        is_in_head=is_in_head,
    )


_SQL = (
    r"^(?P<head>[^\n]{0,120}?\.(?:execute|fetch\w{0,8}|query|raw|Query|QueryRow|Exec)\()(?P<q>[\"'])"
    r"(?P<sql>(?:SELECT|INSERT|UPDATE|DELETE)\b[^\"'\n%?$]{0,300})(?:%s|\?|\$1)(?P<rest>[^\"'\n%?$]{0,200})(?P=q), "
)
_GUARD_END = r"(?P=indent)[ \t]+(?:return|raise|continue|throw)\b[^\n]*(?<![(\[{,\\])\n"

FAULTS = (
    _fault(
        "sql_interpolation",
        PYTHON,
        _SQL + r"[(\[](?P<name>[\w.]+),?[)\]]",
        r"\g<head>f\g<q>\g<sql>{\g<name>}\g<rest>\g<q>",
        "critical",
        "SQL injection: {name} is interpolated into the query",
    ),
    _fault(
        "sql_interpolation",
        SCRIPT,
        _SQL + r"\[(?P<name>[\w.]+)\]",
        r"\g<head>`\g<sql>${\g<name>}\g<rest>`",
        "critical",
        "SQL injection: {name} is interpolated into the query",
    ),
    _fault(
        "sql_interpolation",
        GO,
        _SQL + r"(?P<name>[\w.]+)(?=\))",
        r'\g<head>"\g<sql>" + \g<name> + "\g<rest>"',
        "critical",
        "SQL injection: {name} is concatenated into the query",
    ),
    _fault(
        "swapped_comparison",
        PYTHON | CURLY,
        rf"^(?P<head>[ \t]*(?:\}} else )?(?:if|elif|while)\b{_QUIET}{{0,120}}?[\w)\]] )"
        r"(?P<op><=|>=|<|>)(?P<tail> [\w(-])",
        _opposite,
        "warning",
        "The comparison is the wrong way round: {op} is meant",
    ),
    _fault(
        "off_by_one",
        PYTHON,
        rf"^(?P<head>{_QUIET}{{0,120}}?\brange\(len\((?P<name>[\w.]+)\))\)",
        r"\g<head> + 1)",
        "critical",
        "Off by one: the last index lies beyond the end of {name}",
    ),
    _fault(
        "off_by_one",
        PYTHON,
        rf"^(?P<head>{_QUIET}{{0,120}}?\brange\([\w.]+, (?P<name>[\w.]+)) \+ 1\)",
        r"\g<head>)",
        "warning",
        "Off by one: {name} itself is left out",
    ),
    _fault(
        "off_by_one",
        CURLY,
        rf"^(?P<head>[ \t]*for\b{_QUIET}{{0,80}}?; \w+ )< (?P<name>[^\n;=<>]{{1,60}});",
        r"\g<head><= \g<name>;",
        "critical",
        "Off by one: the last turn lies beyond {name}",
    ),
    _fault(
        "inverted_condition",
        PYTHON,
        r"^(?P<head>[ \t]*(?:if|elif|while) )not (?P<name>[\w.]+(?:\([^()\n]{0,60}\))?):",
        r"\g<head>\g<name>:",
        "warning",
        "The condition is inverted: this is meant for when {name} is not true",
    ),
    _fault(
        "inverted_condition",
        PYTHON,
        r"^(?P<head>[ \t]*(?:if|elif|while) (?P<name>[\w.]+) is )not None\b",
        r"\g<head>None",
        "warning",
        "The condition is inverted: this is meant for when {name} is not None",
    ),
    _fault(
        "inverted_condition",
        BRACED,
        r"^(?P<head>[ \t]*(?:\} else )?(?:if|while) \()!(?P<name>[\w.]+(?:\([^()\n]{0,60}\))?)\)",
        r"\g<head>\g<name>)",
        "warning",
        "The condition is inverted: this is meant for when {name} is not true",
    ),
    _fault(
        "inverted_condition",
        CURLY - BRACED,
        r"^(?P<head>[ \t]*(?:\} else )?(?:if|while) )!(?P<name>[\w.]+(?:\([^()\n]{0,60}\))?) \{",
        r"\g<head>\g<name> {",
        "warning",
        "The condition is inverted: this is meant for when {name} is not true",
    ),
    _fault(
        "missing_await",
        PYTHON | SCRIPT | {"csharp"},
        r"^(?P<head>[ \t]*(?:(?:const|let|var) )?(?:[\w., ()\[\]{}]{1,80} = )?)await (?P<name>[\w.]+)\(",
        r"\g<head>\g<name>(",
        "critical",
        "{name} is not awaited",
    ),
    _fault(
        "missing_await",
        frozenset({"rust"}),
        rf"^(?P<head>{_QUIET}{{0,80}}?\b(?P<name>\w+)\([^()\n\"]{{0,80}}\))\.await\b",
        r"\g<head>",
        "critical",
        "{name} is not awaited",
    ),
    _fault(
        "missing_null_check",
        PYTHON,
        rf"^(?P<indent>[ \t]*)if (?P<name>[\w.]+) is None:\n{_GUARD_END}(?=\n*(?P=indent)(?!else|elif)\S)",
        "",
        "critical",
        "{name} may be None here",
    ),
    _fault(
        "missing_null_check",
        BRACED,
        rf"^(?P<indent>[ \t]*)if \((?P<name>[\w.$]+) ={{2,3}} (?:null|undefined|nullptr|NULL)\) \{{\n{_GUARD_END}"
        r"(?P=indent)\}\n",
        "",
        "critical",
        "{name} may be null here",
    ),
    _fault(
        "unchecked_error",
        GO,
        rf"^(?P<indent>[ \t]*)if err != nil \{{\n{_GUARD_END}(?P=indent)\}}\n",
        "",
        "critical",
        "The error is not checked",
    ),
    _fault(
        "mutable_default",
        PYTHON,
        r"^(?P<head>[^\n#\"']{0,160}?\b(?P<name>\w+): (?:Optional\[)?(?P<type>list|List|dict|Dict)\b[^\n=,]{0,60} = )"
        r"None\b",
        lambda match: match["head"] + ("{}" if match["type"].lower() == "dict" else "[]"),
        "warning",
        "The default of {name} is mutable, and shared by all calls",
        is_in_head=True,
    ),
    _fault(
        "swapped_arguments",
        PYTHON | CURLY,
        r"^(?P<head>[ \t]*(?:return |await |(?:(?:const|let|var) )?[\w.]{1,40} :?= ){0,2}"
        r"(?!(?:isinstance|issubclass|getattr|hasattr|min|max|print|zip|range|super|if|for|while|switch|function|def|func|fn)\b)"
        r"(?P<name>[a-zA-Z_][\w.]{2,60})\()(?P<a>[a-z_]\w{1,30}), (?P<b>(?!(?P=a)\b)[a-z_]\w{1,30})\)",
        _swapped,
        "warning",
        "{name} takes its arguments the other way round",
    ),
    _fault(
        "swallowed_exception",
        PYTHON,
        r"^(?P<head>(?P<indent>[ \t]*)except (?P<name>[\w.]+)(?: as \w+)?:\n(?P<deep>(?P=indent)[ \t]+))raise\b"
        r"[^\n]*(?<![(\[{,\\])\n(?!(?P=deep))",
        "\\g<head>pass\n",
        "warning",
        "{name} is swallowed: callers never learn what went wrong",
    ),
    _fault(
        "swallowed_exception",
        SCRIPT | {"java", "csharp", "php"},
        r"^(?P<head>[ \t]*\}? ?catch \([^()\n]{1,60}\) \{\n)[ \t]*throw\b[^\n]*;\n(?=[ \t]*\})",
        r"\g<head>",
        "warning",
        "The error is swallowed: callers never learn what went wrong",
    ),
    _fault(
        "resource_not_closed",
        PYTHON,
        r"^(?P<indent>[ \t]*)with (?P<call>(?:[\w.]{0,30}\.)?open\([^\n()]{0,80}(?:\([^\n()]{0,80}\)[^\n()]{0,80})?\))"
        r" as (?P<name>\w+):\n"
        r"(?P<body>(?:(?P=indent)[ \t]+[^\n]*\n)+)",
        _unmanaged,
        "warning",
        "{name} is never closed if something fails in between",
    ),
    _fault(
        "resource_not_closed",
        GO,
        r"^[ \t]*defer (?P<name>[\w.]+)\.(?:Close|Unlock|RUnlock)\(\)\n",
        "",
        "warning",
        "{name} is never released",
    ),
    _fault(
        "resource_not_closed",
        frozenset({"csharp"}),
        r"^(?P<head>[ \t]*)using (?P<tail>var (?P<name>\w+) = )",
        r"\g<head>\g<tail>",
        "warning",
        "{name} is never disposed",
    ),
    _fault(
        "wrong_operator",
        PYTHON | CURLY,
        rf"^(?P<head>[ \t]*(?:\}} else )?(?:if|elif|while)\b{_QUIET}{{1,120}}? )(?P<op>and|or|&&|\|\|)(?P<tail> )",
        _opposite,
        "warning",
        "The conditions are joined wrongly: {op} is meant",
    ),
    _fault(
        "assignment_in_condition",
        BRACED - {"java", "csharp"},
        r"^(?P<head>[ \t]*(?:\} else )?if \((?P<name>[\w.$]{1,60}) )={2,3}(?P<tail> [\w.'\"]{1,60}\))",
        r"\g<head>=\g<tail>",
        "critical",
        "Assigns to {name} instead of comparing it",
    ),
    _fault(
        "identity_comparison",
        PYTHON,
        r"^(?P<head>[ \t]*(?:if|elif|while|assert|return) (?P<name>[\w.]{1,60}) )==(?P<tail> [\"'\d])",
        r"\g<head>is\g<tail>",
        "warning",
        "Compares {name} by identity: equal values may be different objects",
    ),
    _fault(
        "identity_comparison",
        SCRIPT,
        rf"^(?P<head>{_QUIET}{{0,120}}?[\w)\]] )===(?P<tail> (?!null|undefined)[\w'\"])",
        r"\g<head>==\g<tail>",
        "suggestion",
        "Compares loosely: values of different types may count as equal",
    ),
    _fault(
        "unsafe_call",
        PYTHON,
        r"^(?P<head>[^\n#\"']{0,120}?\byaml\.)safe_load\(",
        r"\g<head>unsafe_load(",
        "critical",
        "Unsafe deserialisation: the document can create any object",
    ),
    _fault(
        "unsafe_call",
        PYTHON,
        r"^(?P<head>[^\n#\"']{0,120}?)(?:hmac|secrets)\.compare_digest\((?P<a>[\w.]{1,60}), (?P<b>[\w.]{1,60})\)",
        r"\g<head>\g<a> == \g<b>",
        "critical",
        "Timing attack: how long {a} is compared tells how much of it is right",
    ),
    _fault(
        "unsafe_call",
        SCRIPT,
        r"^(?P<head>[^\n\"'`]{0,120}?\w\.)textContent = ",
        r"\g<head>innerHTML = ",
        "critical",
        "Cross-site scripting: text is put in as markup",
    ),
    _fault(
        "missing_return",
        PYTHON,
        r"^(?P<indent>[ \t]+)return (?P<name>[a-z_][\w.]*\([^\n]{0,100}\))\n\Z",
        "\\g<indent>\\g<name>\n",
        "critical",
        "The result is not returned",
    ),
    _fault(
        "missing_return",
        SCRIPT,
        r"^(?P<indent>[ \t]+)return (?P<name>(?:await )?[a-z_][\w.]*\([^\n]{0,100}\);?)\n(?P<end>[ \t]*\}[;,]?\n)\Z",
        "\\g<indent>\\g<name>\n\\g<end>",
        "critical",
        "The result is not returned",
    ),
    _fault(
        "broad_except",
        PYTHON,
        r"^(?P<head>[ \t]*except )(?P<name>(?:\w+\.){0,3}[A-Z]\w*Error)(?P<tail>(?: as \w+)?:)",
        r"\g<head>Exception\g<tail>",
        "suggestion",
        "Catches every exception, and hides faults other than {name}",
    ),
    _fault(
        "wrong_variable",
        PYTHON | SCRIPT | {"java"},
        r"^(?P<head>[ \t]+(?P<me>self|this)\.(?P<a>\w+) = (?P=a);?\n[ \t]+(?P=me)\.(?P<b>\w+) = )(?P=b)\b(?=;?\n)",
        r"\g<head>\g<a>",
        "warning",
        "Wrong variable: {b} is meant",
    ),
)
