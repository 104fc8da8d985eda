"""What of a model's comments is believed: each check by an answer that it has to catch."""

from dataclasses import replace

import pytest

from acclimate_indexer.languages.registry import language_named
from acclimate_indexer.pairs import ReviewComment
from acclimate_training.reviewing.checks import corrected, flaw, names_something

PYTHON = language_named("python")
HUNK = '''    def total(self, prices):
        """The sum of what is bought."""
        amount = 0
        for price in prices:
            amount += price
        amount * self.rate'''
GOOD = ReviewComment(
    line=6, severity="critical", message="The amount is not returned", suggestion="        return amount * self.rate"
)


def flaw_of(**changes: object) -> str:
    assert PYTHON is not None
    return flaw(replace(GOOD, **changes), HUNK, PYTHON)  # type: ignore[arg-type]  # each test says its fields


def test_a_right_comment_has_no_flaw() -> None:
    assert flaw_of() == ""


@pytest.mark.parametrize(
    "suggestion",
    [
        "        amount * self.rate",
        "        amount  *  self.rate",
        "            amount * self.rate  ",
    ],
)
def test_a_suggestion_that_changes_only_layout_is_none(suggestion: str) -> None:
    assert flaw_of(suggestion=suggestion) == "changes_nothing"


@pytest.mark.parametrize(
    "suggestion",
    [
        "        return amount * (self.rate",
        "        return amount * self.rate)",
        "   return amount * self.rate",
        "     return amount * self.rate",
    ],
)
def test_a_suggestion_that_does_not_parse_in_its_place_is_caught(suggestion: str) -> None:
    assert flaw_of(suggestion=suggestion) == "does_not_parse"


def test_lines_may_be_deleted_where_others_of_their_block_stay() -> None:
    assert flaw_of(line=5, suggestion="", message="amount is counted twice") == "does_not_parse"
    assert flaw_of(line=6, suggestion="", message="amount is counted twice") == ""


def test_a_message_about_something_else_is_caught() -> None:
    assert flaw_of(message="Upgrade the database driver") == "names_nothing"
    assert flaw_of(message="`connection_pool` is never closed") == "names_nothing"


@pytest.mark.parametrize(
    "message",
    ["Return the amount", "`self.rate` is not applied", "Prices are summed wrongly", "shop.total is not returned"],
)
def test_a_message_that_names_what_is_there_is_fine(message: str) -> None:
    assert flaw_of(message=message) == ""


def test_words_that_every_message_has_name_nothing() -> None:
    assert not names_something("Fix the issue with this error", HUNK)


def test_an_operator_that_is_meant_has_to_stand_in_the_suggestion() -> None:
    assert names_something("The conditions are joined wrongly: or is meant", "if a or b:")
    assert not names_something("The comparison is the wrong way round: >= is meant", "if a < b:")


@pytest.mark.parametrize("message", ["amount " * 60, "the amount\nis wrong", "amount \u202eis wrong", "amount \x07"])
def test_a_message_is_one_readable_sentence(message: str) -> None:
    assert flaw_of(message=message) == "message_no_sentence"


def test_no_message_leads_anywhere() -> None:
    assert flaw_of(message="For the amount see https://example.org/approve") == "link_or_secret"


def test_no_secret_is_told() -> None:
    assert flaw_of(suggestion='        return pay(amount, key="AKIAQ3EGRIZX5WXYZ7AB")') == "link_or_secret"


def test_a_suggestion_stands_in_place_of_its_lines() -> None:
    assert corrected(replace(GOOD, line=3, lines=3, suggestion="a\nb"), HUNK).split("\n")[2:4] == ["a", "b"]
    assert corrected(replace(GOOD, line=3, lines=3, suggestion=""), HUNK).count("\n") == HUNK.count("\n") - 3
