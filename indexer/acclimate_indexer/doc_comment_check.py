"""Whether what a model wrote may be put into a file as a definition's doc-comment: it must be that and nothing else.

The parser says so: with it the definition has just this comment, and without comments the file is what it was. What
compilers and parsers read differently is refused first.
"""

import re

from .filters.personal import personal_spans
from .filters.secrets import secret_spans
from .languages.language import Language
from .mining.documentation import MAX_CHARACTERS, doc_flaw
from .syntax import Outline, Span, outline_of
from .undocumented import DocPlace

NO_COMMENT = "What the model wrote is no doc-comment."
_FLAWS = {
    "doc_too_long": f"The model's doc-comment is longer than {MAX_CHARACTERS:,} characters.",
    "doc_licence": "The model wrote about a licence.",
    "doc_directive": "The model wrote a directive to a tool.",
    "doc_too_short": "The model's doc-comment says nothing.",
    "doc_code": "The model's doc-comment is mostly code.",
}
# Control characters, line ends that only some languages take for one, and marks that turn the reading direction.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_ESCAPE = re.compile(r"\\u+[0-9a-fA-F]{4}")  # Java reads it before it knows of comments: `\u000a` ends one
_COMPUTED = re.compile(r"[A-Za-z]*[fFbBtT][A-Za-z]*[\"']")  # a string that is no docstring, and that may hold code
_OF_WHAT_IS_AROUND = ("//!", "/*!")  # Rust's inner comments


def why_no_doc_comment(comment: str, place: DocPlace, text: str, outline: Outline, language: Language) -> str:
    """Why a comment is not put in at a place of a text with this outline; empty if it may be."""
    if not comment.strip():
        return "The model proposed nothing here."
    if _UNSEEN.search(comment) or _ESCAPE.search(comment) or _COMPUTED.match(comment):
        return NO_COMMENT
    if language.lexer == "rust" and comment.startswith(_OF_WHAT_IS_AROUND):
        return NO_COMMENT
    if not _documents(comment, place, text, outline, language):
        return NO_COMMENT
    if secret_spans(comment) or personal_spans(comment):
        return "The model's doc-comment looks as if it held a secret or somebody's address."
    flaw = doc_flaw(comment)
    return _FLAWS[flaw] if flaw else ""


def _documents(comment: str, place: DocPlace, text: str, outline: Outline, language: Language) -> bool:
    after = place.with_comment(text, comment)
    start = place.offset + len(place.indentation)
    moved = place.symbol_start if place.symbol_start < place.offset else place.symbol_start + len(after) - len(text)
    found = outline_of(after, language)
    is_its_own = any(
        each.name == place.name and each.span.start == moved and each.doc == Span(start, start + len(comment))
        for each in found.symbols
    )
    return is_its_own and words_of_code(after, found) == words_of_code(text, outline)


def words_of_code(text: str, outline: Outline) -> list[str]:
    """What stands in a file beside comments and documentation, word by word."""
    kept, end = [], 0
    for prose in outline.prose:
        kept.append(text[end : max(end, prose.start)])
        end = max(end, prose.end)
    return " ".join((*kept, text[end:])).split()
