"""Which model `auto` means, and folders of one's own."""

import json
import struct
from pathlib import Path

import pytest
from tests.support.tiny_model import TOKENS, write_tokenizer

from acclimate_indexer.errors import UsageError
from acclimate_indexer.home import Home
from acclimate_indexer.models import MANIFEST, local_models
from acclimate_training.model_store.choose import FALLBACK, resolve_model_name
from acclimate_training.model_store.folder import add_folder

HARDWARE = [
    ("cpu", None, "qwen2.5-coder-0.5b"),
    ("cuda", 6.0, "qwen2.5-coder-0.5b"),
    ("cuda", 7.6, "qwen2.5-coder-1.5b"),  # what a card sold as 8 GB reports
    ("cuda", 16.0, "qwen2.5-coder-1.5b"),
    ("cuda", 23.6, "qwen2.5-coder-7b"),
    ("cuda", 80.0, "qwen2.5-coder-7b"),
]


@pytest.mark.parametrize(("device", "gpu_memory_gb", "expected"), HARDWARE)
def test_auto_takes_base_weights_by_hardware(
    home: Home, device: str, gpu_memory_gb: float | None, expected: str
) -> None:
    name, sentence = resolve_model_name(
        "auto", home=home, device=device, gpu_memory_gb=gpu_memory_gb, hub_reachable=lambda: True
    )

    assert (name, sentence) == (expected, "")


def test_without_the_hub_auto_takes_the_fallback_and_says_so(home: Home) -> None:
    name, sentence = resolve_model_name("auto", home=home, hub_reachable=lambda: False)

    assert name == FALLBACK
    assert "hub cannot be reached" in sentence
    assert "instruct" in sentence


@pytest.mark.parametrize("name", ["qwen2.5-coder-0.5b", FALLBACK])
def test_what_auto_chose_before_is_taken_again_without_a_look_at_the_network(
    home: Home, tmp_path: Path, name: str
) -> None:
    model = add_folder(own_folder(tmp_path), home)
    record = json.loads((model.folder / MANIFEST).read_text(encoding="utf-8"))
    model.folder.rename(home.model(name))
    (home.model(name) / MANIFEST).write_text(json.dumps(record | {"name": name}), encoding="utf-8")

    assert resolve_model_name("auto", home=home, hub_reachable=unasked) == (name, "")


def test_a_model_asked_for_by_name_is_taken(home: Home, tmp_path: Path) -> None:
    own = add_folder(own_folder(tmp_path), home)

    assert resolve_model_name("qwen2.5-coder-3b", home=home, hub_reachable=unasked) == ("qwen2.5-coder-3b", "")
    assert resolve_model_name(own.name, home=home, hub_reachable=unasked) == (own.name, "")
    with pytest.raises(UsageError, match="No model is called 'gpt'"):
        resolve_model_name("gpt", home=home, hub_reachable=unasked)


def test_a_folder_of_ones_own_is_linked_not_copied_and_not_written_to(home: Home, tmp_path: Path) -> None:
    folder = own_folder(tmp_path)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    model = add_folder(folder, home)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert (model.folder / "model.safetensors").resolve() == folder / "model.safetensors"
    assert not (model.folder / "modeling_own.py").exists()
    assert (model.name, model.parameters, model.precision, model.verified) == ("my-model", 6, "bf16", False)
    assert model.fim.prefix == TOKENS.prefix
    assert local_models(home) == [model]


def test_a_folder_that_changed_is_read_again(home: Home, tmp_path: Path) -> None:
    folder = own_folder(tmp_path)
    first = add_folder(folder, home)
    write_weights(folder / "model.safetensors", [4, 3])

    changed = add_folder(folder, home)

    assert changed.parameters == 12
    assert changed.identity != first.identity
    assert add_folder(folder, home) == changed


@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_folder_without_a_needed_file_is_refused(home: Home, tmp_path: Path, missing: str) -> None:
    folder = own_folder(tmp_path)
    (folder / missing).unlink()

    with pytest.raises(UsageError, match="is no model folder"):
        add_folder(folder, home)


def test_a_folder_with_unknown_fill_in_the_middle_tokens_is_refused(home: Home, tmp_path: Path) -> None:
    folder = own_folder(tmp_path)
    path = folder / "tokenizer.json"
    path.write_text(path.read_text(encoding="utf-8").replace("fim_middle", "other"), encoding="utf-8")

    with pytest.raises(UsageError, match="no fill-in-the-middle tokens that are known"):
        add_folder(folder, home)


def test_weights_that_are_no_safetensors_are_refused(home: Home, tmp_path: Path) -> None:
    folder = own_folder(tmp_path)
    (folder / "model.safetensors").write_bytes(b"\xff" * 100)

    with pytest.raises(UsageError, match="is no safetensors file"):
        add_folder(folder, home)


def own_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "My Model"
    folder.mkdir()
    write_tokenizer(folder)
    (folder / "config.json").write_text("{}", encoding="utf-8")
    (folder / "modeling_own.py").write_text("raise SystemExit", encoding="utf-8")
    write_weights(folder / "model.safetensors", [2, 3])
    return folder


def write_weights(path: Path, shape: list[int]) -> None:
    size = 2 * shape[0] * shape[1]
    header = json.dumps({"w": {"dtype": "BF16", "shape": shape, "data_offsets": [0, size]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(size))


def unasked() -> bool:
    raise AssertionError("the network was looked at")
