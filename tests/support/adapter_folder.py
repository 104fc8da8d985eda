"""Adapters without a tensor library: peft's configuration, and a safetensors file with a true header."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from acclimate_indexer.prompts import PromptBudget
from acclimate_training.registry import Adapter, AdapterRegistry

RANK, HIDDEN, BLOCKS = 8, 64, 2
CONFIG = {
    "peft_type": "LORA",
    "task_type": "CAUSAL_LM",
    "r": RANK,
    "lora_alpha": 16,
    "target_modules": ["q_proj", "v_proj"],
    "bias": "none",
    "base_model_name_or_path": "somebody/tiny",
    "peft_version": "0.21.0",
}


def layer(block: int, name: str, *, rank: int = RANK, hidden: int = HIDDEN) -> dict[str, tuple[int, int]]:
    """The two matrices of one layer."""
    prefix = f"base_model.model.model.layers.{block}.self_attn.{name}"
    return {f"{prefix}.lora_A.weight": (rank, hidden), f"{prefix}.lora_B.weight": (hidden, rank)}


def all_layers() -> dict[str, tuple[int, int]]:
    return {
        name: shape
        for block in range(BLOCKS)
        for kind in ("q_proj", "v_proj")
        for name, shape in layer(block, kind).items()
    }


def write_weights(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Zeros of these shapes, as float32."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in shapes.items():
        begin, size = end, 4
        for side in shape:
            size *= side
        end = begin + size
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(end))


def write_peft_folder(folder: Path, shapes: Mapping[str, tuple[int, ...]] | None = None, **config: Any) -> Path:
    """A stranger's adapter: no lineage beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps(CONFIG | config), encoding="utf-8")
    write_weights(folder / "adapter_model.safetensors", all_layers() if shapes is None else shapes)
    return folder


def record(version: str, **changes: Any) -> dict[str, Any]:
    """What a trainer says of an adapter when it publishes it."""
    return {
        "version": version,
        "created": "2026-05-01T12:00:00+00:00",
        "repository": "shop",
        "base": {"name": "tiny", "identity": "tiny@0+original"},
        "verdict": {"state": "trial", "reason": "lower"},
        "prompt_budget": PromptBudget().to_json(),
    } | changes


def publish(registry: AdapterRegistry, version: str, **changes: Any) -> Adapter:
    """A whole adapter of that version."""
    return registry.publish(write_peft_folder(registry.partial(version)), record(version, **changes))
