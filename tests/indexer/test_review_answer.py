"""What a model says about a hunk: written for training, read when it was generated."""

import json

import pytest

from acclimate_indexer.pairs import SEVERITIES, ReviewComment
from acclimate_indexer.review_answer import COMMENT_KEYS, answer_text, parsed_answer

COMMENT = ReviewComment(
    line=2,
    severity="critical",
    message="SQL injection: user input is interpolated into the query. 😋",
    suggestion='    cursor.execute("SELECT 1 WHERE name = ?", (name,))',
)


def said(**changes: object) -> str:
    whole = {"line": 2, "lines": 1, "severity": "critical", "message": "Wrong.", "suggestion": ""}
    return json.dumps(whole | changes)


def test_nothing_wrong_is_null() -> None:
    assert answer_text(None) == "null"
    assert parsed_answer(" null\n", line_count=1) is None


def test_a_comment_is_read_as_it_was_written() -> None:
    text = answer_text(COMMENT)

    assert parsed_answer(text, line_count=3) == COMMENT
    assert list(json.loads(text)) == list(COMMENT_KEYS) == ["line", "lines", "severity", "message", "suggestion"]
    assert "😋" in text
    assert "\n" not in text


@pytest.mark.parametrize("severity", SEVERITIES)
def test_every_severity_is_known(severity: str) -> None:
    found = parsed_answer(said(severity=severity), line_count=2)

    assert found is not None
    assert found.severity == severity


def test_the_last_line_of_a_hunk_may_be_meant() -> None:
    found = parsed_answer(said(line=3, lines=2), line_count=4)

    assert found is not None
    assert (found.line, found.lines) == (3, 2)


def test_more_keys_do_no_harm() -> None:
    assert parsed_answer(said(confidence=0.7), line_count=2) is not None


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "nul",
        "none",
        "[]",
        "{}",
        '"null"',
        "true",
        said()[:-1],
        said() + said(),
        json.dumps({"line": 1, "severity": "critical", "message": "m", "suggestion": ""}),
        said(line="2"),
        said(line=True),
        said(line=1.0),
        said(line=0),
        said(line=-1, lines=3),
        said(lines=0),
        said(line=3),
        said(line=2, lines=2),
        said(severity="catastrophic"),
        said(severity=None),
        said(severity=["critical"]),
        said(message="  "),
        said(message=None),
        said(suggestion=None),
        said(line=10**400),
        "[" * 100_000,
        '{"line": ' + "9" * 5000 + "}",
        "NaN",
        "\ud800",
        "\0",
    ],
)
def test_what_is_no_answer_is_refused(answer: str) -> None:
    with pytest.raises(ValueError):
        parsed_answer(answer, line_count=2)
