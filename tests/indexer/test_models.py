"""The catalogue of base models, and what counts as whole on this machine."""

import json
import re
from pathlib import Path

import pytest

from acclimate_indexer.errors import ModelCorrupt, ModelMissing, UsageError
from acclimate_indexer.home import Home
from acclimate_indexer.models import MANIFEST, LocalModel, catalogue, catalogue_entry, local_model, local_models

MANIFEST_RECORD = {
    "schema": 1,
    "name": "shop-model",
    "variant": "base",
    "precision": "bf16",
    "licence": "apache-2.0",
    "source": "Shop/Model",
    "revision": None,
    "source_sha256": "ab" * 32,
    "verified": False,
    "converter": "",
    "parameters": 1,
    "fim": {"prefix": "<p>", "middle": "<m>", "suffix": "<s>", "end_of_text": "<e>", "stops": ["<x>"]},
    "a key of a later version": True,
}


def test_the_catalogue_names_qwen_by_size_and_variant() -> None:
    for size in ("0.5b", "1.5b", "3b", "7b", "14b", "32b"):
        assert catalogue()[f"qwen2.5-coder-{size}"].variant == "base"
        assert catalogue()[f"qwen2.5-coder-{size}-instruct"].variant == "instruct"


def test_licences_that_restrict_use_are_marked() -> None:
    restricted = {entry.name for entry in catalogue().values() if entry.restricted}

    assert restricted == {
        "qwen2.5-coder-3b",
        "qwen2.5-coder-3b-instruct",
        "starcoder2-3b",
        "deepseek-coder-1.3b-base",
    }


def test_the_fallback_comes_from_the_hub_or_from_wheels_with_one_checksum() -> None:
    for name in ("qwen2.5-coder-0.5b-instruct-gguf", "qwen2.5-coder-1.5b-instruct-gguf"):
        hub, wheels = catalogue()[name].sources

        assert (hub.kind, wheels.kind) == ("gguf", "wheels")
        assert hub.sha256 == wheels.sha256
        assert "{part}" in wheels.location
        assert re.search(r"==[\d.]+$", wheels.location), "an exact version"


def test_a_stated_checksum_or_revision_is_a_whole_one() -> None:
    for source in (source for entry in catalogue().values() for source in entry.sources):
        assert source.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", source.sha256)
        assert source.revision is None or re.fullmatch(r"[0-9a-f]{40}", source.revision)
        assert source.kind == "hub" or source.sha256 is not None, "one file without a checksum cannot be trusted"


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"No model is called 'gpt'.*qwen2\.5-coder-0\.5b"):
        catalogue_entry("gpt")


def test_a_folder_without_a_manifest_is_no_model(home: Home) -> None:
    home.model("shop-model").mkdir(parents=True)

    assert local_models(home) == []
    with pytest.raises(ModelMissing, match="acclimate model fetch shop-model"):
        local_model(home, "shop-model")


@pytest.mark.parametrize("text", ["{", "", "\x00"])
def test_a_manifest_that_cannot_be_read_is_a_corrupt_model(home: Home, text: str) -> None:
    _write(home.model("shop-model"), text)

    with pytest.raises(ModelCorrupt, match="Fetch the model again"):
        local_model(home, "shop-model")


def test_a_manifest_gives_the_model_and_ignores_what_it_does_not_know(home: Home) -> None:
    _write(home.model("shop-model"), json.dumps(MANIFEST_RECORD))

    model = local_model(home, "shop-model")

    assert model.fim.stops == ("<x>",)
    assert local_models(home) == [model]


def test_identity_is_of_the_weights_not_of_the_folder(tmp_path: Path) -> None:
    for folder, converter in (("a", ""), ("b", ""), ("c", "acclimate-gguf-1")):
        _write(tmp_path / folder, json.dumps(MANIFEST_RECORD | {"converter": converter}))

    one, same, converted = (LocalModel.from_manifest(tmp_path / folder).identity for folder in ("a", "b", "c"))

    assert one == same != converted


def _write(folder: Path, manifest: str) -> None:
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_text(manifest, encoding="utf-8")
