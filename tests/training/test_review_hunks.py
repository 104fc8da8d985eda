"""Which pieces of a changed file a model is asked about."""

from pathlib import Path

import pytest
from tests.support.tiny_model import TOKENS, write_tokenizer

from acclimate_indexer.languages.registry import language_named
from acclimate_indexer.mining.reviews.surroundings import MAX_HUNK_LINES
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_indexer.review.target import ReviewTarget
from acclimate_training.reviewing.hunks import MAX_HUNKS, hunks_of

PYTHON = language_named("python")


def function(name: str, lines: int = 4) -> str:
    return "\n".join([f"def {name}(price):", *(f"    price += {number}" for number in range(lines - 1))])


@pytest.fixture
def builder(tmp_path: Path) -> PromptBuilder:
    write_tokenizer(tmp_path)
    return PromptBuilder.load(tmp_path, TOKENS, PromptBudget(prefix=1500, suffix=500))


def target(text: str, *changed: range, path: str = "shop/till.py") -> ReviewTarget:
    assert PYTHON is not None
    return ReviewTarget(path=path, language=PYTHON, text=text, changed=changed)


SHOP = "\n\n\n".join([function("buy"), function("sell"), function("give")]) + "\n"


def test_a_change_is_asked_about_in_its_definition(builder: PromptBuilder) -> None:
    (hunk,) = hunks_of(target(SHOP, range(8, 9)), builder)

    assert hunk.place.text == function("sell")
    assert hunk.is_changed(8)
    assert not hunk.is_changed(7)


def test_changes_in_one_definition_are_one_question(builder: PromptBuilder) -> None:
    (hunk,) = hunks_of(target(SHOP, range(7, 8), range(9, 10)), builder)

    assert hunk.place.text == function("sell")
    assert [hunk.is_changed(line) for line in (7, 8, 9)] == [True, False, True]


def test_neighbouring_definitions_are_several(builder: PromptBuilder) -> None:
    found = hunks_of(target(SHOP, range(2, 3), range(8, 9)), builder)

    assert [hunk.place.text for hunk in found] == [function("buy"), function("sell")]


def test_margins_that_overlap_are_one_question(builder: PromptBuilder) -> None:
    text = "\n".join(f"PRICE_{number} = {number}" for number in range(100))

    (hunk,) = hunks_of(target(text, range(30, 31), range(40, 41)), builder)

    assert (hunk.place.first, hunk.place.last) == (22, 48)


def test_a_new_file_is_asked_about_piece_by_piece(builder: PromptBuilder) -> None:
    text = "\n\n\n".join(function(f"step_{number}", 30) for number in range(6)) + "\n"

    found = hunks_of(target(text, range(text.count("\n"))), builder)

    assert [hunk.place.text for hunk in found[:5]] == [function(f"step_{number}", 30) for number in range(5)]
    assert function("step_5", 30) in found[5].place.text
    assert all(found[line // 32].is_changed(line) for line in range(text.count("\n")) if line % 32 < 30)


def test_a_huge_change_costs_no_more_than_a_few_questions(builder: PromptBuilder) -> None:
    text = "\n".join(f"PRICE_{number} = {number}" for number in range(20_000))

    found = hunks_of(target(text, range(20_000)), builder)

    assert len(found) == MAX_HUNKS
    assert all(hunk.place.text.count("\n") < MAX_HUNK_LINES for hunk in found)


def test_changed_lines_that_the_prompt_has_no_room_for_are_cut_out_of_their_definition(builder: PromptBuilder) -> None:
    text = function("long", 50)
    small = builder.with_budget(PromptBudget(prefix=300, suffix=50))
    last = small.reviewed_lines(text) + 5

    (hunk,) = hunks_of(target(text, range(last, last + 1)), small)

    assert hunk.place.first > 0
    assert last - hunk.place.first < small.reviewed_lines(hunk.place.text)


@pytest.mark.parametrize("path", ["tests/test_till.py", "examples/till.py", "shop/conftest.py"])
def test_nobody_is_asked_about_tests_and_examples(builder: PromptBuilder, path: str) -> None:
    assert hunks_of(target(SHOP, range(8, 9), path=path), builder) == []


def test_nobody_is_asked_about_code_with_a_secret(builder: PromptBuilder) -> None:
    text = SHOP.replace("price += 1", 'key = "AKIAQ3EGRIZX5WXYZ7AB"', 1)

    assert [hunk.place.text for hunk in hunks_of(target(text, range(2, 3), range(8, 9)), builder)] == [function("sell")]
