"""Answers that end where they should, and are no good all the same."""

import pytest

from acclimate_indexer.answer_checks import is_echo

ABOVE = "def f():\n    total = price(order)\n"


@pytest.mark.parametrize(
    ("prefix", "answer"),
    [
        (f"{ABOVE}    ", "total = price(order)"),
        (f"{ABOVE}\n    ", "total = price(order)"),
        (f"{ABOVE}    tot", "al = price(order)"),
        (f"{ABOVE}    ", "total = price(order)\n    total = price(order)"),
        (f"{ABOVE}    total = price(order)", "\n    total = price(order)"),
    ],
)
def test_an_answer_that_says_the_line_above_again_is_an_echo(prefix: str, answer: str) -> None:
    assert is_echo(answer, prefix)


@pytest.mark.parametrize(
    ("prefix", "answer"),
    [
        (f"{ABOVE}    ", "total = price(others)"),
        (f"{ABOVE}    ", "total = price(order)\n    return total"),
        (f"{ABOVE}    total += 1\n    ", "total = price(order)"),  # it was said before, but not just now
        ("if a:\n    if b:\n        return price(a)\n    ", "return price(a)"),  # less deep it is another branch
        ("if a:\n        }\n    ", "}"),
        ("if a:\n    pass\n    ", "pass"),
        (f"{ABOVE}    total = price(order)", ""),
        ("", "total = price(order)"),
        ("total = price(order)", "\ntotal = price(order)"),  # nothing stands above the cursor's line
    ],
)
def test_an_answer_that_says_something_else_is_none(prefix: str, answer: str) -> None:
    assert not is_echo(answer, prefix)
