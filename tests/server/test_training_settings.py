"""What was set about the recipe reaches the trainer's job, and nothing else does."""

from pathlib import Path
from typing import Any

import pytest

from acclimate_indexer.home import Home
from acclimate_server.pipeline_process import resolved_job
from acclimate_server.settings import Settings
from acclimate_server.settings_sources import load_settings
from acclimate_training.recipe import Recipe


def recipe_for(home: Home, training: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    settings, warnings = load_settings(home, editor_options={"training": training}, environ={})
    job = resolved_job(run="1", home=home, repository=Path("/shop"), settings=settings, model="tiny", phases=("train",))
    return job.recipe, warnings


@pytest.mark.parametrize(
    ("training", "recipe"),
    [
        ({}, {}),
        ({"recipe": "auto", "rank": 0, "learning_rate": 0, "epochs": 0}, {}),
        ({"recipe": "qlora"}, {"method": "qlora"}),
        (
            {"recipe": " lora ", "rank": 8, "learning_rate": 1e-4, "epochs": 2},
            {"method": "lora", "rank": 8, "learning_rate": 1e-4, "max_epochs": 2.0},
        ),
        ({"alpha": 8, "targets": ["q_proj"], "batch": 2}, {"alpha": 8, "targets": ["q_proj"], "batch": 2}),
        ({"layers": "all", "context_length": 400}, {"layers": "all", "context_length": 400}),
        ({"layers": "auto", "targets": [], "alpha": 0}, {}),
    ],
)
def test_only_what_was_set_by_hand_overrides_the_recipe(
    home: Home, training: dict[str, Any], recipe: dict[str, Any]
) -> None:
    overrides, warnings = recipe_for(home, training)

    assert overrides == recipe
    assert warnings == []
    Recipe.for_device("cpu", overrides)  # which knows all these names


@pytest.mark.parametrize("name", ["recipe", "gpu_policy", "layers"])
def test_a_word_that_is_not_among_the_choices_is_named(home: Home, name: str) -> None:
    settings, warnings = load_settings(home, editor_options={"training": {name: "fast"}}, environ={})

    assert settings == Settings()
    assert len(warnings) == 1
    assert f"training.{name} must be one of auto, " in warnings[0]
    assert "not 'fast'" in warnings[0]
