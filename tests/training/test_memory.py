"""What is estimated of memory, against what autograd really keeps; and what is given up when it is short."""

from pathlib import Path
from typing import Any

import pytest

from acclimate_indexer.errors import ModelCorrupt
from acclimate_training.memory import (
    Load,
    ModelShape,
    activation_bytes,
    adapter_bytes,
    base_bytes,
    memory_plan,
)
from acclimate_training.recipe import Recipe

# The sizes that the catalogue's 0.5B and 1.5B models publish.
HALF_B = {
    "model_type": "qwen2",
    "hidden_size": 896,
    "intermediate_size": 4864,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "vocab_size": 151936,
    "tie_word_embeddings": True,
}
ONE_AND_A_HALF_B = HALF_B | {
    "hidden_size": 1536,
    "intermediate_size": 8960,
    "num_hidden_layers": 28,
    "num_attention_heads": 12,
}
LOAD = Load(longest_tokens=2560, labelled_tokens=64)


def test_a_models_size_follows_from_its_configuration() -> None:
    recipe = Recipe()

    half, larger = ModelShape.of(HALF_B), ModelShape.of(ONE_AND_A_HALF_B)

    assert base_bytes(half, recipe, bytes_per_weight=2) == pytest.approx(2 * 494_032_768, rel=0.001)
    assert base_bytes(larger, recipe, bytes_per_weight=2) == pytest.approx(2 * 1_543_714_304, rel=0.001)
    assert adapter_bytes(half, Recipe(layers="all")) == 16 * 8_798_208  # as peft counts them
    assert adapter_bytes(half, Recipe(layers="upper_half")) == 8 * 8_798_208


def test_four_bits_leave_the_embeddings_as_they_are() -> None:
    shape = ModelShape.of(ONE_AND_A_HALF_B)

    assert base_bytes(shape, Recipe(method="qlora"), bytes_per_weight=2) == pytest.approx(
        0.56 * 1_310_000_000 + 2 * 233_000_000, rel=0.01
    )


def test_starcoders_blocks_have_linear_layers_of_their_own() -> None:
    assert set(ModelShape.of(HALF_B | {"model_type": "starcoder2"}).linears) == {
        *("q_proj", "k_proj", "v_proj", "o_proj"),
        *("c_fc", "c_proj"),
    }


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"hidden_size": 1}'])
def test_a_model_without_its_sizes_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content, encoding="utf-8")

    with pytest.raises(ModelCorrupt, match=r"config\.json' does not say the model's sizes"):
        ModelShape.read(tmp_path)


@pytest.mark.parametrize(
    ("free_gb", "rows", "checkpointing"),
    [(120, 8, False), (45, 4, False), (15, 1, False), (9, 8, True), (3, 2, True), (0.1, 1, True)],
)
def test_what_is_given_up_first_costs_least(free_gb: float, rows: int, checkpointing: bool) -> None:
    recipe = Recipe(layers="all", batch=32, micro_batch=8)

    plan = memory_plan(ModelShape.of(ONE_AND_A_HALF_B), recipe, LOAD, free_bytes=int(free_gb * 1e9), bytes_per_value=2)

    assert (plan.rows, plan.checkpointing) == (rows, checkpointing), plan.reason
    assert ("may not be enough" in plan.reason) == (free_gb < 1)


def test_the_default_recipe_fits_a_small_machine() -> None:
    load = Load(longest_tokens=700, labelled_tokens=256)

    plan = memory_plan(ModelShape.of(HALF_B), Recipe(), load, free_bytes=4 * 10**9, bytes_per_value=4)

    assert (plan.rows, plan.checkpointing) == (1, False), plan.reason


@pytest.mark.tensor
@pytest.mark.parametrize(("dtype", "above"), [("bfloat16", 1.2), ("float32", 1.5)])
@pytest.mark.parametrize("layers", ["all", "upper_half"])
def test_the_estimate_is_a_little_above_what_autograd_keeps(dtype: str, above: float, layers: Any) -> None:
    torch = pytest.importorskip("torch", reason="the runtime is not installed")
    transformers = pytest.importorskip("transformers", reason="the runtime is not installed")
    from acclimate_training.batches import collated, rounded
    from acclimate_training.encoding import Example
    from acclimate_training.evaluation.loss import labelled_nats
    from acclimate_training.trainer import with_new_adapter

    config = transformers.Qwen2Config(
        **HALF_B
        | {"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 4, "vocab_size": 2000}
        | {"num_attention_heads": 4}
    )
    recipe = Recipe(batch=4, micro_batch=4, layers=layers)
    base = transformers.Qwen2ForCausalLM(config).to(getattr(torch, dtype))
    model = with_new_adapter(base, recipe, seed=0).train()
    batch = collated([Example(prompt=tuple(range(3, 183)), target=tuple(range(5, 25)))] * 4, pad_id=0)
    own = {value.untyped_storage().data_ptr() for value in model.parameters()}
    kept: dict[int, Any] = {}

    def keep(tensor: Any) -> Any:
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        nats, _ = labelled_nats(model, batch)  # held, as its graph is while the backward pass has not been
    real = sum(tensor.untyped_storage().nbytes() for at, tensor in kept.items() if at not in own)
    estimate = activation_bytes(
        ModelShape.of(config.to_dict()),
        recipe,
        Load(longest_tokens=rounded(200), labelled_tokens=20),
        rows=4,
        checkpointing=False,
        bytes_per_value=getattr(torch, dtype).itemsize,
    )

    assert nats.requires_grad
    assert 1.0 <= estimate / real <= above
