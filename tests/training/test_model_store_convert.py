"""GGUF to safetensors, with a tiny Qwen2 written as a real GGUF file."""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.support.tiny_model import TOKENS, write_tokenizer

from acclimate_indexer.errors import ModelError
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_training.model_store.conversion import converted
from acclimate_training.model_store.space import silent

pytestmark = pytest.mark.tensor

WIDTH, HIDDEN, LAYERS, HEADS = 64, 128, 2, 4


def test_a_gguf_becomes_safetensors_with_the_embeddings_tied_to_the_head(tmp_path: Path) -> None:
    gguf, head = _write_gguf(tmp_path, noise=0.01)

    converted(gguf, tmp_path / "out", runtime_python=Path(sys.executable), report=silent)

    config = json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))
    assert config["tie_word_embeddings"] is True
    weights = _weights(tmp_path / "out")
    assert "lm_head.weight" not in weights, "one matrix is stored once"
    assert float((weights["model.embed_tokens.weight"].float() - head).abs().max()) < 0.01, "it is the head"


def test_matrices_that_differ_stay_apart(tmp_path: Path) -> None:
    gguf, _ = _write_gguf(tmp_path, noise=1.0)

    converted(gguf, tmp_path / "out", runtime_python=Path(sys.executable), report=silent)

    assert "lm_head.weight" in _weights(tmp_path / "out")


def test_the_converted_tokenizer_knows_the_fill_in_the_middle_tokens(tmp_path: Path) -> None:
    gguf, _ = _write_gguf(tmp_path, noise=0.01)

    converted(gguf, tmp_path / "out", runtime_python=Path(sys.executable), report=silent)

    builder = PromptBuilder.load(tmp_path / "out", TOKENS, PromptBudget())
    original = PromptBuilder.load(tmp_path, TOKENS, PromptBudget())
    assert builder.stop_ids == original.stop_ids


def test_a_file_that_is_no_gguf_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF is not what this is")

    with pytest.raises(ModelError, match=r"'bad\.gguf' could not be converted"):
        converted(tmp_path / "bad.gguf", tmp_path / "out", runtime_python=Path(sys.executable), report=silent)


def _weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(folder / "model.safetensors"))


def _write_gguf(folder: Path, *, noise: float) -> tuple[Path, Any]:
    """A file whose embeddings are the head plus relative noise, as another quantisation of it would be."""
    import torch

    tokenizer = write_tokenizer(folder)
    path = folder / "tiny.gguf"
    writer = import_module("gguf").GGUFWriter(path, "qwen2")  # not installed beside the core, where types are checked
    writer.add_block_count(LAYERS)
    writer.add_context_length(256)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(10000.0)
    _add_tokenizer(writer, json.loads((folder / "tokenizer.json").read_text(encoding="utf-8")))
    torch.manual_seed(0)
    head = torch.randn(tokenizer.get_vocab_size(), WIDTH)
    writer.add_tensor("output.weight", head.numpy())
    writer.add_tensor("token_embd.weight", (head + noise * torch.randn_like(head)).numpy())
    for name, shape in _shapes().items():
        writer.add_tensor(name, (torch.randn(*shape) * 0.02).numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path, head


def _add_tokenizer(writer: Any, record: dict[str, Any]) -> None:
    special = {token["content"] for token in record["added_tokens"]}
    words = sorted(record["model"]["vocab"], key=lambda word: record["model"]["vocab"][word])
    words += [token["content"] for token in record["added_tokens"] if token["content"] not in record["model"]["vocab"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(words)
    writer.add_token_types([3 if word in special else 1 for word in words])
    merges = record["model"]["merges"]
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    writer.add_eos_token_id(words.index(TOKENS.end_of_text))


def _shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"output_norm.weight": (WIDTH,)}
    for layer in range(LAYERS):
        shapes |= {
            f"blk.{layer}.attn_norm.weight": (WIDTH,),
            f"blk.{layer}.ffn_norm.weight": (WIDTH,),
            f"blk.{layer}.attn_q.weight": (WIDTH, WIDTH),
            f"blk.{layer}.attn_q.bias": (WIDTH,),
            f"blk.{layer}.attn_k.weight": (WIDTH // 2, WIDTH),
            f"blk.{layer}.attn_k.bias": (WIDTH // 2,),
            f"blk.{layer}.attn_v.weight": (WIDTH // 2, WIDTH),
            f"blk.{layer}.attn_v.bias": (WIDTH // 2,),
            f"blk.{layer}.attn_output.weight": (WIDTH, WIDTH),
            f"blk.{layer}.ffn_gate.weight": (HIDDEN, WIDTH),
            f"blk.{layer}.ffn_up.weight": (HIDDEN, WIDTH),
            f"blk.{layer}.ffn_down.weight": (WIDTH, HIDDEN),
        }
    return shapes
