"""Files that nobody typed: generated, vendored, minified, or data in the shape of code."""

import re

HEAD_CHARACTERS = 2_000  # a generator signs in the first lines
MAX_LINE_CHARACTERS = 1_000
MAX_MEAN_LINE_CHARACTERS = 110  # of lines that are not blank; what people write stays under 60
MIN_LETTERS = 0.25  # of the characters that are not white space: tables of numbers have fewer

_FOREIGN_FOLDERS = re.compile(
    r"(?:^|/)(?:node_modules|bower_components|jspm_packages|vendor|vendored|_vendor|third[_-]?party|external|"
    r"site-packages|dist|build|out|target|\.venv|venv|\.tox|\.eggs|__generated__|generated|__snapshots__|"
    r"\.yarn|\.next|Pods|Carthage|DerivedData)/",
    re.IGNORECASE,
)
_GENERATED_NAMES = re.compile(
    r"(?:[.-]min\.[cm]?js|\.bundle\.[cm]?js|[._-]generated\.\w+|\.g\.\w+|_pb2(?:_grpc)?\.pyi?|"
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


def is_foreign_path(path: str) -> bool:
    """Whether a path says that its file is vendored, built or generated."""
    return bool(_FOREIGN_FOLDERS.search(path) or _GENERATED_NAMES.search(path))


def is_generated(text: str) -> bool:
    """Whether a file's text says that it was generated, minified, or is a table of data."""
    if _SIGNATURE.search(text[:HEAD_CHARACTERS]):
        return True
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return False
    characters = sum(map(len, lines))
    if max(map(len, lines)) > MAX_LINE_CHARACTERS or characters / len(lines) > MAX_MEAN_LINE_CHARACTERS:
        return True
    visible = "".join(text.split())
    return sum(map(str.isalpha, visible)) < MIN_LETTERS * len(visible)
