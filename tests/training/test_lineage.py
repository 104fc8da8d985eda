"""What makes two trainings one and the same."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.tiny_model import TINY, TOKENS, write_manifest, write_tokenizer

from acclimate_indexer.dataset import Dataset
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_training.lineage import Setting
from acclimate_training.recipe import Recipe


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    write_tokenizer(tmp_path)
    return Setting(
        repository="shop",
        dataset=Dataset(tmp_path, {"hash": "0123"}),
        model=write_manifest(tmp_path, TINY),
        recipe=Recipe(),
        builder=PromptBuilder.load(tmp_path, TOKENS, PromptBudget()),
        device="cpu",
        minutes=1.0,
        max_pairs=None,
        seed=0,
    )


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"minutes": 2.0},
        {"max_pairs": 700},
        {"device": "cuda"},
        {"repository": "stall"},
        {"recipe": Recipe(rank=8)},
        {"dataset": Dataset(Path(), {"hash": "4567"})},
    ],
)
def test_another_setting_is_another_training(setting: Setting, change: dict[str, Any]) -> None:
    assert replace(setting, **change).fingerprint != setting.fingerprint


def test_the_same_setting_is_the_same_training(setting: Setting) -> None:
    assert replace(setting).fingerprint == setting.fingerprint
