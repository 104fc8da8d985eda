"""The recipe that is chosen, why, and what is said about few pairs."""

from dataclasses import replace
from typing import Any

import pytest
from tests.training.test_memory import HALF_B, ONE_AND_A_HALF_B

from acclimate_indexer.errors import RuntimeMissing, UsageError
from acclimate_indexer.prompts import PromptBudget
from acclimate_training.memory import ModelShape
from acclimate_training.recipe import Recipe
from acclimate_training.recipe_choice import Circumstances, chosen_recipe, data_words

SEVEN_B = HALF_B | {
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "vocab_size": 152064,
    "tie_word_embeddings": False,
}
LAPTOP = Circumstances(
    device="cpu", shape=ModelShape.of(HALF_B), parameters=494_032_768, pairs=800, free_bytes=16 * 10**9
)
CARD = Circumstances(
    device="cuda", shape=ModelShape.of(SEVEN_B), parameters=7_615_616_512, pairs=20_000, free_bytes=24 * 10**9
)


def test_a_processor_gets_the_recipe_that_was_measured_on_one() -> None:
    chosen = chosen_recipe(LAPTOP)

    assert chosen.recipe == Recipe()
    assert "a processor does not compute with 4 bits" in chosen.reasons["method"]


@pytest.mark.parametrize("circumstances", [LAPTOP, CARD])
def test_every_choice_has_its_reason(circumstances: Circumstances) -> None:
    told = [line.partition(" ")[0] for line in chosen_recipe(circumstances).lines()]

    chosen = {"method", "rank", "alpha", "targets", "layers", "learning_rate", "max_epochs", "batch", "budget"}
    assert set(told) - {"micro_batch"} == chosen


def test_a_reason_stands_beside_its_value() -> None:
    lines = chosen_recipe(CARD).lines()

    assert "learning_rate 0.0001: ten times that of full fine-tuning, lower for a large model" in lines


@pytest.mark.parametrize(
    ("free_gb", "has_bitsandbytes", "method"),
    [(80, True, "lora"), (24, True, "lora"), (12, True, "qlora"), (12, False, "lora")],
)
def test_four_bits_are_for_what_does_not_fit_otherwise(free_gb: int, has_bitsandbytes: bool, method: str) -> None:
    chosen = chosen_recipe(replace(CARD, free_bytes=free_gb * 10**9, has_bitsandbytes=has_bitsandbytes))

    assert chosen.recipe.method == method
    assert "GB" in chosen.reasons["method"]


def test_four_bits_without_a_gpu_or_their_library_are_refused() -> None:
    with pytest.raises(UsageError, match="'qlora' needs a CUDA device"):
        chosen_recipe(LAPTOP, "qlora")
    with pytest.raises(RuntimeMissing, match="needs bitsandbytes"):
        chosen_recipe(CARD, "qlora")
    with pytest.raises(UsageError, match="no recipe 'dora'"):
        chosen_recipe(LAPTOP, "dora")  # type: ignore[arg-type]  # what a settings file may say


def test_four_bits_on_request_say_what_they_cost() -> None:
    chosen = chosen_recipe(replace(CARD, has_bitsandbytes=True), "qlora")

    assert chosen.recipe.method == "qlora"
    assert "served differs" in chosen.reasons["method"]


@pytest.mark.parametrize(
    ("pairs", "batch", "epochs"),
    [(150, 4, 3.0), (300, 8, 3.0), (600, 16, 3.0), (20_000, 32, 3.0), (200_000, 32, 1.0)],
)
def test_few_pairs_get_small_batches(pairs: int, batch: int, epochs: float) -> None:
    recipe = chosen_recipe(replace(CARD, pairs=pairs)).recipe

    assert (recipe.batch, recipe.max_epochs) == (batch, epochs)
    assert recipe.batch % recipe.micro_batch == 0


@pytest.mark.parametrize(
    ("pairs", "max_rank", "rank"), [(800, 16, 16), (200_000, 16, 16), (200_000, 64, 32), (9, 8, 8)]
)
def test_the_rank_is_one_that_the_engine_serves(pairs: int, max_rank: int, rank: int) -> None:
    chosen = chosen_recipe(replace(CARD, pairs=pairs, max_rank=max_rank)).recipe

    assert (chosen.rank, chosen.alpha) == (rank, 2 * rank)


@pytest.mark.parametrize(("rank", "said"), [(32, "up to rank 16, not 32"), (24, "rank 24 cannot be served")])
def test_a_rank_that_no_engine_serves_is_refused(rank: int, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        chosen_recipe(LAPTOP, overrides={"rank": rank})


def test_what_is_set_by_hand_wins_and_is_said() -> None:
    overrides: dict[str, Any] = {"rank": 8, "learning_rate": 1e-3, "method": "lora", "batch": 2}

    chosen = chosen_recipe(LAPTOP, overrides=overrides)

    assert (chosen.recipe.rank, chosen.recipe.alpha, chosen.recipe.learning_rate) == (8, 16, 1e-3)
    assert chosen.reasons["learning_rate"] == "set by hand"
    assert chosen.reasons["method"] == "asked for"


def test_the_length_of_a_prompt_is_shared_out_as_usual() -> None:
    chosen = chosen_recipe(LAPTOP, overrides={"context_length": 432})

    assert chosen.recipe.budget == PromptBudget(prefix=128, suffix=48, context=256)
    assert chosen.reasons["budget"] == "set by hand"
    assert "context_length" not in chosen.reasons


@pytest.mark.parametrize("batch", [1, 12, 30, 32])
def test_any_batch_set_by_hand_can_be_divided(batch: int) -> None:
    assert chosen_recipe(CARD, overrides={"batch": batch}).recipe.batch == batch


def test_a_prompt_that_the_engine_cannot_read_is_refused_and_what_fits_is_said() -> None:
    with pytest.raises(UsageError, match=r"Set `training.context_length` to 2410 at most\."):
        chosen_recipe(LAPTOP, overrides={"context_length": 2500})

    assert chosen_recipe(LAPTOP, overrides={"context_length": 2410}).recipe.budget.total <= 2410


@pytest.mark.parametrize(("targets", "said"), [(["lm_head", "q_proj"], "names lm_head"), ([], "names none")])
def test_a_layer_that_no_engine_serves_is_refused(targets: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        chosen_recipe(LAPTOP, overrides={"targets": targets})


def test_a_larger_model_learns_more_slowly() -> None:
    larger = replace(LAPTOP, shape=ModelShape.of(ONE_AND_A_HALF_B), parameters=3_000_000_000)

    assert chosen_recipe(larger).recipe.learning_rate == Recipe().learning_rate / 2


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"completion": 120}, ["Only 120 pairs"]),
        ({"completion": 800}, []),
        ({"completion": 800, "review": 0}, []),
        ({"completion": 800, "documentation": 40, "review": 30}, ["'documentation' only 40", "'review' only 30"]),
        ({"completion": 300, "review": 60}, ["Only 360 pairs"]),
    ],
)
def test_few_pairs_are_worth_a_warning_by_their_kind(counts: dict[str, int], said: list[str]) -> None:
    words = data_words(counts)

    assert len(words) == len(said)
    for word, part in zip(words, said, strict=True):
        assert part in word
