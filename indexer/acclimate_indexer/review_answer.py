"""What a model says about a hunk: one JSON value, so that the engine can hold it to a schema.

`null` says that nothing is wrong, which is what most hunks deserve; an object is a comment. Keys come in the order in
which a reader would decide: where, how bad, what, and what instead.
"""

import json
from dataclasses import asdict
from typing import Any, get_args

from .pairs import ReviewComment, Severity

COMMENT_KEYS = ("line", "lines", "severity", "message", "suggestion")


def answer_text(comment: ReviewComment | None) -> str:
    """The answer that says this; the text that a model is trained to give."""
    if comment is None:
        return "null"
    said = asdict(comment)
    return json.dumps({key: said[key] for key in COMMENT_KEYS}, ensure_ascii=False)


def parsed_answer(text: str, *, line_count: int) -> ReviewComment | None:
    """The comment in an answer about a hunk of so many lines; None for "nothing is wrong".

    Raises:
        ValueError: The text is no answer, or points outside the hunk.
    """
    try:
        said: Any = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if said is None:
        return None
    if not isinstance(said, dict) or not all(key in said for key in COMMENT_KEYS):
        raise ValueError("no comment")
    numbers, texts = (said["line"], said["lines"]), (said["message"], said["suggestion"])
    if not all(type(number) is int for number in numbers) or not all(isinstance(each, str) for each in texts):
        raise ValueError("a field of the wrong type")
    if said["severity"] not in get_args(Severity) or not texts[0].strip():
        raise ValueError("no severity or no message")
    if not (numbers[0] >= 1 and numbers[1] >= 1 and sum(numbers) - 1 <= line_count):
        raise ValueError(f"lines outside the hunk's {line_count}")
    return ReviewComment(
        line=numbers[0], lines=numbers[1], severity=said["severity"], message=texts[0], suggestion=texts[1]
    )
