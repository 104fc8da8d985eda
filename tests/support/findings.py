"""Findings of reviewers, made by hand."""

from typing import Any

from acclimate_indexer.review.finding import Edit, Finding
from acclimate_indexer.syntax import Span


def found(text: str, marked: str, *, new: str | None = None, **more: Any) -> Finding:
    """Something that is said about the first place where the marked text stands."""
    span = Span(text.index(marked), text.index(marked) + len(marked))
    given = {"severity": "warning", "reviewer": "conventions", "code": "replaced-name", "subject": marked}
    return Finding(
        path="a.py",
        span=span,
        fix=() if new is None else (Edit(span=span, text=new),),
        **(given | {"message": f"`{marked}` was replaced."} | more),
    )
