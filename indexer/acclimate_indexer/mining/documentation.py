"""Documentation pairs of one file: a definition, and the comment that documents it as people write them here."""

import re

from acclimate_indexer.syntax import Span

from .completion import Candidate, Candidates, Drop, windowed
from .source import Source

PLACE = "doc_comment"
MIN_WORDS = 3  # fewer repeat the name
MAX_CHARACTERS = 1_500  # about 400 tokens: longer ones are chapters
MAX_CODE_SHARE = 0.4  # of a comment's lines that look like code: more was commented out

_WORD = re.compile(r"[^\W\d_]{2,}")
_TAG_LINE = re.compile(r"^[\s*/#-]*(?:@\w+|:\w+[^:]*:|\\\w+|</?\w+[^>]*>)[^\n]*$", re.MULTILINE)
_LICENCE = re.compile(r"copyright|licen[cs]ed?|spdx-|all rights reserved|permission is hereby", re.IGNORECASE)
_DIRECTIVE = re.compile(
    r"\b(?:eslint|noqa|type:|pylint|mypy|prettier|istanbul|nolint|go:|clang-|cspell|tslint|region)\b"
)
_CODE_LINE = re.compile(
    r"[;{}]\s*$|^\s*(?:if|for|while|return|import|var|let|const|def|func)\b.*[:;({]|^\s*[\w.]+\(.*\);?$"
)
_MARKS = re.compile(r"^[\s/*#-]+|[\s*/]+$")
_TEST = re.compile(r"^(?:test_?|it_|should_)|Test$")


def documentation_candidates(source: Source) -> Candidates:
    """The doc-comments of a file that say something, in the order of the file."""
    found: dict[Span, Candidate] = {}
    drops: list[Drop] = []
    for symbol in source.syntax.symbols:
        if symbol.doc is None or symbol.doc in found or _TEST.search(symbol.name):
            continue
        reason = doc_flaw(source.text[symbol.doc.start : symbol.doc.end])
        candidate = reason or windowed(source, PLACE, symbol.doc)
        if isinstance(candidate, str):
            drops.append(Drop(source.line_of(symbol.doc.start), PLACE, candidate))
        else:
            found[symbol.doc] = candidate
    return Candidates(tuple(found.values()), tuple(drops))


def doc_flaw(comment: str) -> str:
    """Why a comment teaches nothing about documenting; empty if it does."""
    if len(comment) > MAX_CHARACTERS:
        return "doc_too_long"
    if _LICENCE.search(comment):
        return "doc_licence"
    if _DIRECTIVE.search(comment):
        return "doc_directive"
    if len(_WORD.findall(_TAG_LINE.sub("", comment))) < MIN_WORDS:
        return "doc_too_short"
    lines = [stripped for line in comment.split("\n") if (stripped := _MARKS.sub("", line))]
    if sum(bool(_CODE_LINE.search(line)) for line in lines) > MAX_CODE_SHARE * len(lines):
        return "doc_code"
    return ""
