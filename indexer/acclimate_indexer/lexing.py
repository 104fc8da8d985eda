"""Strings, comments, brackets and block openers by regular expressions, one line of left context.

Approximate, so that it costs well under a millisecond and survives anything that is half written.
"""

import re
from functools import cache
from typing import cast

from .languages.language import Lexer
from .languages.registry import language_named

TAB_COLUMNS = 4  # only compared within one file, so any width that keeps the order will do
OPENS, CLOSES = "([{", ")]}"
_COLON_OPENERS = frozenset(
    "async case class def default elif else except finally for if match try while with".split()  # noqa: SIM905 - a sentence of words reads better
)

_BRACKETS = r"|(?P<bracket>[()\[\]{}])|(?P<newline>\n)"
_DOUBLE = r'"(?:[^"\\\n]|\\.)*+"?'
_SINGLE = r"'(?:[^'\\\n]|\\.)*+'?"
_TRIPLE_DOUBLE = r'"""(?:[^"\\]|\\.?|"(?!""))*+(?:""")?'
_TRIPLE_SINGLE = r"'''(?:[^'\\]|\\.?|'(?!''))*+(?:''')?"
_CHARACTER = r"'(?:[^'\\\n]|\\[^\n']{1,10}|\\')(?:'|\Z)"  # a Rust lifetime or a C++ digit separator opens nothing
_BACKTICK = r"`(?:[^`\\]|\\.?)*+`?"
_SLASH_COMMENTS = r"//[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/)?"
_LEXERS: dict[Lexer, str] = {
    "python": "|".join((_TRIPLE_DOUBLE, _TRIPLE_SINGLE, _DOUBLE, _SINGLE, r"\#[^\n]*")),
    "script": "|".join((_SLASH_COMMENTS, _DOUBLE, _SINGLE, _BACKTICK)),
    "go": "|".join((_SLASH_COMMENTS, _DOUBLE, _CHARACTER, r"`[^`]*+`?")),
    "rust": "|".join((_SLASH_COMMENTS, r'"(?:[^"\\]|\\.?)*+"?', _CHARACTER)),
    "java": "|".join((_SLASH_COMMENTS, _TRIPLE_DOUBLE, _DOUBLE, _CHARACTER)),
    "c": "|".join((_SLASH_COMMENTS, _DOUBLE, _CHARACTER)),
    "php": "|".join((_SLASH_COMMENTS, _DOUBLE, _SINGLE, r"\#(?!\[)[^\n]*")),
    "ruby": "|".join((_DOUBLE, _SINGLE, _BACKTICK, r"\#[^\n]*")),
    "lua": "|".join((r"--\[\[.*?(?:\]\]|\Z)", r"--[^\n]*", r"\[\[.*?(?:\]\]|\Z)", _DOUBLE, _SINGLE)),
    "bash": "|".join((r"(?<!\S)\#[^\n]*", r"\$\#", r'"(?:[^"\\]|\\.?)*+"?', r"'[^']*+'?")),
    "plain": "|".join((_DOUBLE, _CHARACTER)),  # an apostrophe may be a comment, or a sign of its own
}
_SAME = {"javascriptreact": "javascript"}  # what editors call `.jsx`


def lexer_family(language: str, prefix: str, before: str) -> str:
    """Which lexer fits; `prose` inside a comment or a docstring, where an apostrophe opens no string."""
    family, marks = _lexing(language)
    if before.lstrip().startswith(marks):
        return "prose"
    return "prose" if family == "python" and _in_docstring(prefix) else family


def _in_docstring(prefix: str) -> bool:
    """Whether the last triple quote opens a string that began on an earlier line; judged by its own line alone."""
    at = max(prefix.rfind('"""'), prefix.rfind("'''"))
    if at < 0 or "\n" not in prefix[at:]:
        return False
    head = prefix[prefix.rfind("\n", 0, at) + 1 : at]
    tail = prefix[at + 3 : prefix.index("\n", at)].strip()
    if prefix[at : at + 3] in head:
        return False
    if head.strip().lower() in ("", "r", "f", "b", "rb", "rf"):
        above = last_line(prefix[: at - len(head)])
        return bool(tail and tail[0] not in CLOSES + ".,:;") or not above or above.endswith((":", "(", "=", ","))
    return not tail and head.rstrip("rfbRFB").endswith(("=", "(", ",", ", ", "= ", "return "))


def last_line(text: str) -> str:
    """The last line that is not blank, stripped."""
    text = text.rstrip()
    return text[text.rfind("\n") + 1 :].strip()


def brackets(text: str, family: str) -> list[str]:
    return [token[0] for token in lexer(family).finditer(text) if token.lastgroup == "bracket"]


def opens_block(line: str) -> bool:
    return line.endswith("{") or opens_colon_block(line)


def opens_colon_block(line: str) -> bool:
    """Whether a line ends like `if x:`; `key:` in a mapping over several lines does not."""
    line = line.split("#", 1)[0].strip() if "#" in line and not line.rstrip().endswith(":") else line.strip()
    if not line.endswith(":"):
        return False
    word = _WORD.match(line)
    return line[0] in CLOSES or (word is not None and word[0] in _COLON_OPENERS)


def columns_of(line: str) -> int:
    """How deep a line is indented; of a blank line, how long it is."""
    line = line.expandtabs(TAB_COLUMNS)
    return len(line) - len(line.lstrip())


@cache
def _lexing(language: str) -> tuple[str, tuple[str, ...]]:
    """Whose strings and comments a language has, and what its comments begin with."""
    known = language_named(_SAME.get(language, language))
    if known is None:
        return ("plain", ("//", "#"))
    block = ("* ", "/*") if known.comment == "//" else ()
    return known.lexer, (known.comment, *block)


@cache
def literals(family: Lexer) -> re.Pattern[str]:
    """What finds strings and comments alone: 20,000 lines take a hundredth of a second."""
    return re.compile(_LEXERS[family], re.DOTALL)


@cache
def lexer(family: str) -> re.Pattern[str]:
    if family == "prose":
        return re.compile(r"(?P<newline>\n)")  # in a comment brackets need not balance, nor apostrophes
    return re.compile(_LEXERS[cast("Lexer", family)] + _BRACKETS, re.DOTALL)


_WORD = re.compile(r"\w+")
