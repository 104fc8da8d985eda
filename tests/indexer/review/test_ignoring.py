"""Comments that silence a review, and what only looks like one."""

import pytest

from acclimate_indexer.languages.go import GO
from acclimate_indexer.languages.python import PYTHON
from acclimate_indexer.review.ignoring import ignore_comment, is_ignored


@pytest.mark.parametrize(
    "text",
    [
        "x = 1  # acclimate: ignore",
        "x = 1  # noqa: E1  # acclimate: ignore[other, replaced-name] for a reason",
        "# acclimate: ignore\nx = 1",
        "    # acclimate:ignore[replaced-name]\nx = 1",
        "x = (  # acclimate: ignore[replaced-name]\n    1)",
    ],
)
def test_a_comment_on_the_line_or_above_silences(text: str) -> None:
    lines = text.split("\n")
    where = range(1 if lines[0].lstrip().startswith("#") else 0, len(lines))

    assert is_ignored(lines, where, "replaced-name", PYTHON)


@pytest.mark.parametrize(
    "text",
    [
        "x = 1",
        "x = 1  # acclimate: ignore[other]",
        "x = 1  # acclimate: ignore[]",
        "x = 1  # acclimate: ignored",
        "x = 'acclimate: ignore'",
        "y = 2  # acclimate: ignore\nx = 1",
        "# acclimate: ignore\n\nx = 1",
    ],
)
def test_what_stands_elsewhere_or_is_no_comment_does_not(text: str) -> None:
    lines = text.split("\n")

    assert not is_ignored(lines, range(len(lines) - 1, len(lines)), "replaced-name", PYTHON)


def test_a_family_of_codes_is_silenced_by_its_name() -> None:
    assert is_ignored(["x  # acclimate: ignore[ruff]"], range(1), "ruff:B006", PYTHON)
    assert not is_ignored(["x  # acclimate: ignore[ruff]"], range(1), "ruffian", PYTHON)


def test_the_comment_is_one_in_its_language() -> None:
    assert is_ignored([f"x := 1 {ignore_comment('a', GO)}"], range(1), "a", GO)
    assert is_ignored(["x := 1 /* acclimate: ignore */"], range(1), "a", GO)
    assert not is_ignored(["x := 1 # acclimate: ignore"], range(1), "a", GO)
