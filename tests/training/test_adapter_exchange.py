"""Adapters out and in as plain peft folders, and what sets two apart."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.adapter_folder import BLOCKS, CONFIG, HIDDEN, all_layers, layer, publish, write_peft_folder
from tests.support.tiny_model import TINY, write_manifest

from acclimate_indexer.errors import AdapterError
from acclimate_indexer.home import Home, RepositoryHome
from acclimate_indexer.models import LocalModel
from acclimate_indexer.prompts import PromptBudget
from acclimate_training.adapter_difference import difference
from acclimate_training.adapter_files import LINEAGE, WEIGHTS
from acclimate_training.registry import Adapter, AdapterRegistry

METRICS = {"split": "test", "contenders": {"base": {"exact_match": 0.1, "n": 80}, "adapter": {"exact_match": 0.25}}}


@pytest.fixture
def registry(tmp_path: Path) -> AdapterRegistry:
    return AdapterRegistry(RepositoryHome(root=tmp_path / "shop-12345678"))


@pytest.fixture
def model(home: Home) -> LocalModel:
    """A base model without weights: only its manifest and its sizes are asked for."""
    folder = home.model(TINY)
    folder.mkdir(parents=True)
    sizes = {"hidden_size": HIDDEN, "num_hidden_layers": BLOCKS}
    (folder / "config.json").write_text(json.dumps(sizes), encoding="utf-8")
    return write_manifest(folder, TINY)


def trained(registry: AdapterRegistry, model: LocalModel, version: str = "shop-1", **changes: Any) -> Adapter:
    base = {"name": model.name, "identity": model.identity, "precision": "fp32"}
    return publish(registry, version, **{"base": base, "metrics": METRICS, "fingerprint": "f", "steps": 50} | changes)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_export_is_a_peft_folder_with_all_that_is_known(
    registry: AdapterRegistry, model: LocalModel, tmp_path: Path
) -> None:
    adapter = trained(registry, model)
    target = tmp_path / "away/shop"
    registry.export("shop-1", target)

    assert names(target) == ["README.md", "adapter.json", "adapter_config.json", "adapter_model.safetensors"]
    assert json.loads((target / LINEAGE).read_text(encoding="utf-8")) == adapter.record
    for name, checksum in adapter.files.items():
        assert (target / name).read_bytes() == (adapter.folder / name).read_bytes(), checksum
    card = (target / "README.md").read_text(encoding="utf-8")
    assert card.startswith('---\nbase_model: "tiny"\nlibrary_name: peft\n')
    assert "| adapter | 0.250 |" in card
    assert "--max-lora-rank 8" in card
    assert "Verdict: **trial**. lower" in card
    assert "Review comments: **off**. Its reviews were not measured on held-out code yet" in card
    assert names(target.parent) == ["shop"]


def test_an_export_goes_into_an_empty_folder_only(registry: AdapterRegistry, model: LocalModel, tmp_path: Path) -> None:
    trained(registry, model)
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").write_text("mine", encoding="utf-8")
    registry.export("shop-1", tmp_path / "empty")

    for target in (tmp_path / "full", tmp_path / "full/mine.txt"):
        with pytest.raises(AdapterError, match="is not empty"):
            registry.export("shop-1", target)
    assert names(tmp_path / "full") == ["mine.txt"]


def test_a_damaged_adapter_is_not_exported(registry: AdapterRegistry, model: LocalModel, tmp_path: Path) -> None:
    (trained(registry, model).folder / WEIGHTS).write_bytes(b"")

    with pytest.raises(AdapterError, match="corrupt"):
        registry.export("shop-1", tmp_path / "away")
    assert not (tmp_path / "away").exists()


def test_our_own_export_comes_back_as_another_version_that_is_not_measured(
    registry: AdapterRegistry, model: LocalModel, tmp_path: Path
) -> None:
    trained(registry, model, prompt_budget=PromptBudget(prefix=99).to_json(), repository="our shop")
    registry.export("shop-1", tmp_path / "away")
    adapter = registry.import_(tmp_path / "away", repository="shop", models=[model])

    assert adapter.version.startswith("shop-") and adapter.version != "shop-1"
    assert (adapter.state, "metrics" in adapter.record, adapter.tag) == ("rejected", False, "v2")
    assert "Not measured" in adapter.reason
    assert (adapter.prompt_budget.prefix, adapter.repository, adapter.record["steps"]) == (99, "our shop", 50)
    assert adapter.record["base"]["stated"] is False
    assert adapter.record["imported"]["version"] == "shop-1"
    assert "fingerprint" not in adapter.record  # it stands in for no training
    assert [event.action for event in registry.history()] == ["import"]
    adapter.verify()


def test_a_strangers_adapter_needs_its_base_stated_and_is_marked(
    registry: AdapterRegistry, model: LocalModel, tmp_path: Path
) -> None:
    folder = write_peft_folder(tmp_path / "theirs")
    (folder / "optimizer.pt").write_bytes(b"a pickle that nobody opens")
    with pytest.raises(AdapterError, match=r"names 'somebody/tiny'.*--base NAME"):
        registry.import_(folder, repository="shop", models=[model])
    adapter = registry.import_(folder, repository="shop", models=[model], base=model)

    assert adapter.record["base"] == {
        "name": TINY,
        "identity": model.identity,
        "source_sha256": model.source_sha256,
        "converter": model.converter,
        "variant": model.variant,
        "precision": model.precision,
        "stated": True,
    }
    assert (adapter.state, adapter.prompt_budget, adapter.repository) == ("rejected", PromptBudget(), "shop")
    assert names(adapter.folder) == ["adapter.json", "adapter_config.json", "adapter_model.safetensors"]
    config = json.loads((adapter.folder / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["base_model_name_or_path"] == TINY
    assert names(adapter.folder.parent) == [adapter.version]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"peft_type": "LOHA"}, "its type is 'LOHA'"),
        ({"use_dora": True}, "'use_dora'"),
        ({"bias": "all"}, "it trains biases"),
        ({"lora_bias": True}, "'lora_bias'"),
        ({"modules_to_save": ["lm_head"]}, "'modules_to_save'"),
        ({"r": 12}, "its rank is 12, not one of 1, 8, 16"),
        ({"rank_pattern": {"q_proj": 7}}, "its rank is 7"),
        ({"init_lora_weights": "pissa"}, "'pissa', which changes the base's weights"),
        ({"trainable_token_indices": [1]}, "'trainable_token_indices'"),
    ],
)
def test_what_the_engine_does_not_serve_stays_outside(
    registry: AdapterRegistry, model: LocalModel, tmp_path: Path, config: dict[str, Any], said: str
) -> None:
    folder = write_peft_folder(tmp_path / "theirs", **config)

    with pytest.raises(AdapterError, match="cannot be served") as raised:
        registry.import_(folder, repository="shop", models=[model], base=model)
    assert said in str(raised.value)
    assert registry.versions() == []


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ({}, "holds no weights"),
        ({"base_model.model.lm_head.lora_A.weight": (8, HIDDEN)}, "not on a linear layer of a block"),
        ({"base_model.model.model.embed_tokens.lora_embedding_A": (8, 512)}, "not on a linear layer"),
        ({"base_model.model.model.layers.0.mlp.up_proj.weight": (64, HIDDEN)}, "not on a linear layer"),
        (layer(0, "q_proj", rank=16), "has rank 16, and its configuration says 8"),
        (layer(BLOCKS, "q_proj"), f"is for block {BLOCKS}, and the base model has {BLOCKS}"),
        (layer(0, "q_proj", hidden=HIDDEN * 2), f"reads {HIDDEN * 2} values, and the base model has {HIDDEN}"),
    ],
)
def test_weights_that_are_not_what_they_should_be_stay_outside(
    registry: AdapterRegistry, model: LocalModel, tmp_path: Path, shapes: dict[str, tuple[int, ...]], said: str
) -> None:
    folder = write_peft_folder(tmp_path / "theirs", shapes)

    with pytest.raises(AdapterError) as raised:
        registry.import_(folder, repository="shop", models=[model], base=model)
    assert said in str(raised.value)


def cut(folder: Path) -> None:
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[:-1])


def boast(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(b"\xff" * 8 + b"{}")


def pickle(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "adapter_model.bin")


def remove(folder: Path) -> None:
    (folder / WEIGHTS).unlink()


def replace_by_a_folder(folder: Path) -> None:
    remove(folder)
    (folder / WEIGHTS).mkdir()


def spoil_config(folder: Path) -> None:
    (folder / "adapter_config.json").write_text("[]", encoding="utf-8")


def spoil_lineage(folder: Path) -> None:
    (folder / LINEAGE).write_text('{"base": "x"}', encoding="utf-8")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (cut, "no whole safetensors file"),
        (boast, "no whole safetensors file"),
        (pickle, "only safetensors are taken"),
        (remove, "no whole adapter"),
        (replace_by_a_folder, "is a folder"),
        (spoil_config, "no peft configuration"),
        (spoil_lineage, "cannot be read"),
    ],
)
def test_a_damaged_folder_stays_outside(
    registry: AdapterRegistry, model: LocalModel, tmp_path: Path, harm: Callable[[Path], None], said: str
) -> None:
    folder = write_peft_folder(tmp_path / "theirs")
    harm(folder)

    with pytest.raises(AdapterError, match=said):
        registry.import_(folder, repository="shop", models=[model], base=model)
    assert registry.versions() == []


def test_an_export_that_was_changed_on_the_way_stays_outside(
    registry: AdapterRegistry, model: LocalModel, tmp_path: Path
) -> None:
    trained(registry, model)
    registry.export("shop-1", tmp_path / "away")
    weights = tmp_path / "away" / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")

    with pytest.raises(AdapterError, match="is corrupt"):
        registry.import_(tmp_path / "away", repository="shop", models=[model])


def test_another_base_model_is_named(registry: AdapterRegistry, model: LocalModel, tmp_path: Path) -> None:
    trained(registry, model, base={"name": TINY, "identity": "tiny@other+original"})
    registry.export("shop-1", tmp_path / "away")

    with pytest.raises(AdapterError, match=rf"made for 'tiny@other\+original'.*{TINY}@.*has other weights"):
        registry.import_(tmp_path / "away", repository="shop", models=[model])
    with pytest.raises(AdapterError, match="acclimate model fetch tiny"):
        registry.import_(tmp_path / "away", repository="shop", models=[])
    with pytest.raises(AdapterError, match="`--base` is"):
        registry.import_(tmp_path / "away", repository="shop", models=[model], base=model)


def test_two_adapters_are_told_apart(registry: AdapterRegistry, model: LocalModel) -> None:
    recipe = {"rank": 16, "learning_rate": 4e-4}
    first = trained(registry, model, recipe=recipe, seed=0)
    second = trained(
        registry,
        model,
        "shop-2",
        recipe=recipe | {"rank": 32},
        seed=0,
        steps=100,
        metrics={"contenders": {"adapter": {"exact_match": 0.3, "exact_match_interval": [0.2, 0.4]}}},
        verdict={"state": "rejected", "reason": "lower", "candidate": None},
    )

    assert difference(first.record, first.record) == {"from": "shop-1", "to": "shop-1"}
    assert difference(first.record, second.record) == {
        "from": "shop-1",
        "to": "shop-2",
        "recipe": {"rank": [16, 32]},
        "training": {"steps": [50, 100]},
        "verdict": {"state": ["trial", "rejected"]},
        "metrics": {
            "base exact_match": [0.1, None],
            "base n": [80, None],
            "adapter exact_match": [0.25, 0.3],
        },
    }


@pytest.mark.tensor
def test_an_export_is_loaded_by_peft_alone(registry: AdapterRegistry, home: Home, tmp_path: Path) -> None:
    from peft import PeftModel
    from tests.support.random_adapter import write_random_adapter
    from tests.support.tiny_model import tiny_model
    from transformers import AutoModelForCausalLM

    base = tiny_model(home)
    theirs = write_random_adapter(base.folder, tmp_path / "theirs", seed=0)
    adapter = registry.import_(theirs, repository="shop", models=[base], base=base)
    registry.export(adapter.version, tmp_path / "away")
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base.folder), tmp_path / "away")

    assert model.peft_config["default"].base_model_name_or_path == TINY
    assert all_layers().keys() & {name.replace(".default", "") for name, _ in model.named_parameters()}
    assert CONFIG["peft_type"] == model.peft_config["default"].peft_type.value
