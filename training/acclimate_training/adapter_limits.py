"""Which peft folders the engine serves: plain LoRA on the linear layers of the blocks, and nothing that vLLM lacks.

The list is that of vLLM 0.32's own check (`vllm/lora/peft_helper.py`), asked before an adapter comes in and not when a
user waits for it. The ranks are those that `--max-lora-rank` takes.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from acclimate_indexer.errors import AdapterError

from .adapter_files import CONFIG, Tensor

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
# peft's fields that must be empty: each changes what the weights mean, in a way that vLLM does not compute.
NOT_SERVED = (
    "use_dora",
    "lora_bias",
    "modules_to_save",
    "alora_invocation_tokens",
    "layer_replication",
    "use_bdlora",
    "use_qalora",
    "target_parameters",
    "trainable_token_indices",
)
PLAIN_STARTS = ("gaussian", "eva", "orthogonal", "mica", "lora_ga")  # the other named ones change the base's weights
_LINEAR = re.compile(r"(?:^|\.)(?:layers|h|blocks)\.(?P<block>\d+)\..*?(?P<layer>\w+)\.lora_(?P<side>[AB])\.weight$")
_READ_HIDDEN = {"q_proj", "k_proj", "v_proj", "gate_proj", "up_proj"}  # layers as wide as the base, in every family


def served_config(folder: Path) -> dict[str, Any]:
    """The peft configuration of a folder whose adapter can be served.

    Raises:
        AdapterError: It cannot be read, or vLLM does not serve such an adapter; the message says what of it.
    """
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise AdapterError(f"{str(folder)!r} has no {CONFIG!r}: it is no peft folder.") from error
    except (OSError, ValueError) as error:
        raise AdapterError(f"{str(folder / CONFIG)!r} cannot be read ({error}). Get or save it again.") from error
    if not isinstance(config, dict):
        raise AdapterError(f"{str(folder / CONFIG)!r} is no peft configuration.")
    if problems := list(_problems(config)):
        raise AdapterError(
            f"The adapter in {str(folder)!r} cannot be served: {'; '.join(problems)}. vLLM serves plain LoRA only: "
            "train it so, or merge it into a model of its own."
        )
    return config


def check_tensors(tensors: Sequence[Tensor], config: Mapping[str, Any], base: Mapping[str, Any]) -> None:
    """Compares what the weights are with what they should be; `base` is the base model's `config.json`, or empty.

    Raises:
        AdapterError: They lie elsewhere than on linear layers of blocks, or do not fit the rank or the base.
    """
    ranks = {int(config["r"]), *map(int, (config.get("rank_pattern") or {}).values())}
    if not tensors:
        raise AdapterError("The adapter holds no weights.")
    for tensor in tensors:
        if problem := _tensor_problem(tensor, ranks, base):
            raise AdapterError(f"The adapter's weight {tensor.name!r} {problem}")


def _problems(config: Mapping[str, Any]) -> list[str]:
    found = []
    if config.get("peft_type") != "LORA":
        found.append(f"its type is {config.get('peft_type')!r} and not 'LORA'")
    found += [f"it has {name!r}" for name in NOT_SERVED if config.get(name)]
    if config.get("bias", "none") != "none":
        found.append("it trains biases")
    start = config.get("init_lora_weights", True)
    if isinstance(start, str) and start.lower() not in PLAIN_STARTS:
        found.append(f"it began with {start!r}, which changes the base's weights")
    pattern = config.get("rank_pattern") or {}
    ranks = [config.get("r"), *(pattern.values() if isinstance(pattern, dict) else [pattern])]
    if wrong := [rank for rank in ranks if rank not in RANKS]:
        found.append(f"its rank is {wrong[0]!r}, not one of {', '.join(map(str, RANKS))}")
    return found


def _tensor_problem(tensor: Tensor, ranks: set[int], base: Mapping[str, Any]) -> str | None:
    match = _LINEAR.search(tensor.name)
    if match is None or len(tensor.shape) != 2:
        return "is not on a linear layer of a block. Train without the head, the embeddings and other modules."
    rank, width = tensor.shape if match["side"] == "A" else reversed(tensor.shape)
    if rank not in ranks:
        return f"has rank {rank}, and its configuration says {', '.join(map(str, sorted(ranks)))}. It is damaged."
    blocks = base.get("num_hidden_layers")
    if isinstance(blocks, int) and int(match["block"]) >= blocks:
        return f"is for block {match['block']}, and the base model has {blocks}. It was made for another model."
    size = base.get("hidden_size")
    if match["side"] == "A" and match["layer"] in _READ_HIDDEN and isinstance(size, int) and width != size:
        return f"reads {width} values, and the base model has {size}. It was made for another model."
    return None
