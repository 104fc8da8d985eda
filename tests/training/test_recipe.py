"""The recipe: overrides, fingerprints, and minutes as steps."""

import pytest

from acclimate_indexer.errors import UsageError
from acclimate_indexer.prompts import PromptBudget
from acclimate_training.recipe import Recipe, steps_for


@pytest.mark.parametrize(
    ("minutes", "seconds_per_step", "steps"),
    [
        (10, 1.0, 560),
        (10, 1.1, 400),
        (10, 1.51, 280),
        (10, 2.2, 200),
        (10, 6.0, 100),
        (10, 6.01, 70),
        (10, 8.6, 50),
        (10, 20.0, 25),
        (1, 4.0, 10),
        (1, 7.0, 5),
        (1, 100.0, 5),
    ],
)
def test_minutes_are_rounded_down_to_the_ladder(minutes: float, seconds_per_step: float, steps: int) -> None:
    assert steps_for(minutes, seconds_per_step) == steps


def test_steps_never_repeat_few_pairs_too_often() -> None:
    assert steps_for(60, 0.1, max_steps=49) == 35
    assert steps_for(60, 0.1, max_steps=1) == 5


def test_a_fingerprint_changes_with_any_field() -> None:
    assert Recipe().fingerprint() == Recipe().fingerprint()
    assert Recipe(budget=PromptBudget(prefix=64)).fingerprint() != Recipe().fingerprint()
    assert Recipe(clip=1.0).fingerprint() != Recipe().fingerprint()


def test_overrides_come_from_json() -> None:
    recipe = Recipe.for_device("cpu", {"rank": 8, "budget": {"prefix": 10, "suffix": 5, "context": 0}})

    assert recipe.rank == 8
    assert recipe.budget.prefix == 10
    assert Recipe.for_device("cpu", {"targets": ["q_proj"]}).targets == ("q_proj",)


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(UsageError, match="no 'rankk'"):
        Recipe.for_device("cpu", {"rankk": 8})


def test_a_batch_that_cannot_be_divided_is_refused() -> None:
    with pytest.raises(UsageError, match="8 pairs cannot be taken 3 at a time"):
        Recipe.for_device("cpu", {"batch": 8, "micro_batch": 3})


def test_the_code_around_weighs_less_than_the_middle() -> None:
    with pytest.raises(UsageError, match="from 0 to less than 1, not 1"):
        Recipe.for_device("cpu", {"around_weight": 1.0})


def test_the_upper_blocks_are_the_last_ones() -> None:
    assert Recipe(layers="upper_half").layer_numbers(24) == list(range(12, 24))
    assert Recipe(layers="upper_three_quarters").layer_numbers(24) == list(range(6, 24))
    assert Recipe(layers="all").layer_numbers(24) is None
