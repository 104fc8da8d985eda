"""An adapter that no training made: rank 16 on all seven linear layers of a Qwen2 model, every matrix random.

Written in peft's format without peft, so that tests and benchmarks of the engine need only torch and safetensors.
"""

import json
from pathlib import Path

RANK = 16
SCALE = (
    0.03  # of the weights: at 0.02 the 0.5B model writes what its base does, at 0.06 rounding decides what it writes
)


def write_random_adapter(model_folder: Path, folder: Path, *, seed: int) -> Path:
    """Writes a peft folder for the model; the same seed gives the same adapter."""
    import torch
    from safetensors.torch import save_file

    config = json.loads((model_folder / "config.json").read_text(encoding="utf-8"))
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for layer in range(config["num_hidden_layers"]):
        for module, (inputs, outputs) in _linear_layers(config).items():
            name = f"base_model.model.model.layers.{layer}.{module}"
            a = torch.randn(RANK, inputs, generator=generator) * SCALE
            b = torch.randn(outputs, RANK, generator=generator) * SCALE
            tensors[f"{name}.lora_A.weight"] = a.bfloat16()
            tensors[f"{name}.lora_B.weight"] = b.bfloat16()
    folder.mkdir(parents=True)
    save_file(tensors, folder / "adapter_model.safetensors")
    record = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": str(model_folder),
        "r": RANK,
        "lora_alpha": RANK,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": sorted(name.rpartition(".")[2] for name in _linear_layers(config)),
    }
    (folder / "adapter_config.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def _linear_layers(config: dict[str, int]) -> dict[str, tuple[int, int]]:
    """Inputs and outputs of each linear layer by its name in a block."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    key_value = hidden // config["num_attention_heads"] * config["num_key_value_heads"]
    return {
        "self_attn.q_proj": (hidden, hidden),
        "self_attn.k_proj": (hidden, key_value),
        "self_attn.v_proj": (hidden, key_value),
        "self_attn.o_proj": (hidden, hidden),
        "mlp.gate_proj": (hidden, inner),
        "mlp.up_proj": (hidden, inner),
        "mlp.down_proj": (inner, hidden),
    }
