"""Files that nobody typed: generated, vendored, minified, or data in the shape of code."""

import re

HEAD_CHARACTERS = 2_000  # a generator signs in the first lines
MAX_LINE_CHARACTERS = 1_000
MAX_MEAN_LINE_CHARACTERS = 110  # of lines that are not blank; what people write stays under 60
MAX_TAG_SHARE = 0.3  # of the lines that are not blank
MIN_LETTERS = 0.25  # of the characters that are not white space: tables of numbers have fewer

_VENDORED_FOLDERS = re.compile(
    r"(?:^|/)(?:node_modules|bower_components|jspm_packages|vendor|vendored|_vendor|third[_-]?party|external|"
    r"site-packages|\.venv|venv|\.tox|\.eggs|\.yarn|Pods|Carthage)/",
    re.IGNORECASE,
)
_GENERATED_FOLDERS = re.compile(
    r"(?:^|/)(?:dist|build|out|target|__generated__|generated|__snapshots__|\.next|DerivedData)/", re.IGNORECASE
)
_MINIFIED_NAMES = re.compile(r"(?:[.-]min\.[cm]?js|\.bundle\.[cm]?js)$", re.IGNORECASE)
_GENERATED_NAMES = re.compile(
    r"(?:[._-]generated\.\w+|\.g\.\w+|_pb2(?:_grpc)?\.pyi?|"
    r"\.pb(?:\.gw|\.validate)?\.go|\.pb\.(?:cc|h)|_string\.go|\.designer\.\w+|"
    r"(?:^|/)_version\.py|(?:^|/)moc_\w+\.cpp)$",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(
    r"""
    ^[ \t]*(?:\#|//|/?\*|--|;|<!--|\"\"\")  # in a comment
    .*?
    (?: @generated\b
      | \bDO[ ]NOT[ ](?:EDIT|MODIFY)\b
      | \b(?:file|code)[ ](?:is|was|has[ ]been)[ ](?:auto\w*[ -]?)?generated\b
      | (?<=[#/*])\s*auto-?(?:matically[ ])?generated\b
      | \bgenerated[ ](?:by|from|with|using)\b.{0,80}
        (?:protoc|swagger|openapi|thrift|antlr|bison|flex|cython|codegen|generator)
    )
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


def unwanted_path(path: str) -> str:
    """Why a path says that its file is not to be learnt from: `vendored`, `generated`, `minified`; else empty."""
    if _VENDORED_FOLDERS.search(path):
        return "vendored"
    if _GENERATED_FOLDERS.search(path) or _GENERATED_NAMES.search(path):
        return "generated"
    return "minified" if _MINIFIED_NAMES.search(path) else ""


def unwanted_text(text: str) -> str:
    """Why a file's text is not to be learnt from: `generated`, `minified`, `long_lines`, `data`; else empty."""
    if _SIGNATURE.search(text[:HEAD_CHARACTERS]):
        return "generated"
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return ""
    characters = sum(map(len, lines))
    if characters / len(lines) > MAX_MEAN_LINE_CHARACTERS:
        return "minified"
    if max(map(len, lines)) > MAX_LINE_CHARACTERS:
        return "long_lines"
    visible = "".join(text.split())
    return "data" if _letters(visible) < MIN_LETTERS * len(visible) else ""


def is_markup(text: str) -> bool:
    """Whether a text is written in tags, as XML and templates are: a good part of its lines begin with one."""
    lines = [line.lstrip() for line in text.splitlines() if line.strip()]
    return sum(line.startswith("<") for line in lines) > MAX_TAG_SHARE * len(lines)


def _letters(text: str) -> int:
    """How many letters there are; of ASCII text without a look at each character."""
    if text.isascii():
        return len(text.translate(_NO_LETTERS))
    return sum(map(str.isalpha, text))


_NO_LETTERS = {code: None for code in range(128) if not chr(code).isalpha()}
