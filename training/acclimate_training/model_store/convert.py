"""GGUF to safetensors, in a child of the runtime: `python -P -m acclimate_training.model_store.convert GGUF FOLDER`.

transformers dequantises the tensors to bf16 and rebuilds the tokenizer.
"""

import json
import sys
from pathlib import Path
from typing import Any

# One matrix in two quantisations differs by about 2% of its size (Qwen2.5-Coder-0.5B: 0.0081 at most); two matrices
# that were trained apart are not alike at all.
SAME_MATRIX = 0.05


def convert(gguf: Path, folder: Path) -> None:
    """Writes config, weights and tokenizer of `gguf` into `folder`."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
    )
    tie_to_head(model)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(folder)
    _forget_name(folder / "config.json")


def tie_to_head(model: Any) -> bool:
    """Ties the embeddings to the output head where both hold one matrix; the head is quantised more precisely."""
    embeddings, head = model.get_input_embeddings(), model.get_output_embeddings()
    if (
        embeddings.weight.shape != head.weight.shape
        or relative_difference(embeddings.weight, head.weight) > SAME_MATRIX
    ):
        return False
    embeddings.weight = head.weight
    model.config.tie_word_embeddings = True
    return True


def relative_difference(one: Any, other: Any) -> float:
    """How far two matrices lie apart, as a part of the second's norm."""
    difference = (one.detach().float() - other.detach().float()).norm()
    return float(difference / other.detach().float().norm())


def _forget_name(config: Path) -> None:
    """Drops the name that the GGUF's author gave the model: it is loaded from its folder, and never asked for."""
    record: dict[str, Any] = json.loads(config.read_text(encoding="utf-8"))
    record.pop("_name_or_path", None)
    record.pop("_model_name_or_path", None)
    config.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
