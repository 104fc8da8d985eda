"""What a training takes of memory, estimated before it begins, and what is given up when that is too much.

Sums over the sizes in the model's `config.json`; no tensor library. A test compares them with what autograd keeps on a
processor (`tests/training/test_memory.py`): a tenth above in bfloat16, a third in float32. On an H200 a 0.5B model took
25 GB where 34 had been estimated for 8 rows of 1,800 tokens, and 48 of 67 for 16.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from acclimate_indexer.errors import ModelCorrupt

from .recipe import Recipe

ADAPTER_BYTES = 16  # a trained weight: itself, its gradient, two moments of AdamW, each in float32
NF4_BYTES = 0.56  # a weight in 4 bits, with its doubly quantised scales
BUSY_TOKENS = 2048  # at a time; fewer leave a GPU idle, so that computing blocks twice is the smaller loss
SPARE_SHARE = 0.15  # of what is free: buffers of the libraries, and what an allocator cannot use
GB = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """The sizes of a decoder, as `config.json` names them."""

    kind: str
    hidden: int
    intermediate: int
    blocks: int
    heads: int
    key_value_heads: int
    head_width: int
    vocabulary: int
    ties_head: bool
    longest: int

    @classmethod
    def read(cls, folder: Path) -> Self:
        """From a model folder.

        Raises:
            ModelCorrupt: Its `config.json` cannot be read.
        """
        try:
            return cls.of(json.loads((folder / "config.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelCorrupt(
                f"{str(folder / 'config.json')!r} does not say the model's sizes ({error!r}). Fetch the model again."
            ) from error

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self:
        """From the content of `config.json`; raises KeyError where a size is missing."""
        heads = int(config["num_attention_heads"])
        hidden = int(config["hidden_size"])
        return cls(
            kind=str(config.get("model_type", "")),
            hidden=hidden,
            intermediate=int(config["intermediate_size"]),
            blocks=int(config["num_hidden_layers"]),
            heads=heads,
            key_value_heads=int(config.get("num_key_value_heads") or heads),
            head_width=int(config.get("head_dim") or hidden // heads),
            vocabulary=int(config["vocab_size"]),
            ties_head=bool(config.get("tie_word_embeddings", False)),
            longest=int(config.get("max_position_embeddings") or 4096),
        )

    @property
    def linears(self) -> dict[str, tuple[int, int]]:
        """Inputs and outputs of a block's linear layers, by their names."""
        queries, keys = self.heads * self.head_width, self.key_value_heads * self.head_width
        attention = {
            "q_proj": (self.hidden, queries),
            "k_proj": (self.hidden, keys),
            "v_proj": (self.hidden, keys),
            "o_proj": (queries, self.hidden),
        }
        if self.kind == "starcoder2":
            return attention | {"c_fc": (self.hidden, self.intermediate), "c_proj": (self.intermediate, self.hidden)}
        up, down = (self.hidden, self.intermediate), (self.intermediate, self.hidden)
        return attention | {"gate_proj": up, "up_proj": up, "down_proj": down}

    @property
    def block_weights(self) -> int:
        return sum(inputs * outputs for inputs, outputs in self.linears.values())

    @property
    def outer_weights(self) -> int:
        """Of the embeddings and the head, which are never quantised."""
        return self.vocabulary * self.hidden * (1 if self.ties_head else 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What goes through the model at a time: the longest rows, and how many tokens of each carry a label.

    Attributes:
        labelled_tokens: That are compared with all words.
        around_tokens: That are compared with `around_words` alone.
    """

    longest_tokens: int
    labelled_tokens: int
    around_tokens: int = 0
    around_words: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPlan:
    """How a micro-batch goes through the model; the arithmetic is the same in every case.

    Attributes:
        rows: Of a micro-batch at a time.
        checkpointing: Blocks are computed twice, so that their insides need not be kept.
        needed_bytes: Beside the base's weights.
    """

    rows: int
    checkpointing: bool
    needed_bytes: int
    reason: str


def base_bytes(shape: ModelShape, recipe: Recipe, *, bytes_per_weight: int) -> int:
    """The frozen base in memory."""
    inner = NF4_BYTES if recipe.method == "qlora" else bytes_per_weight
    return int(shape.blocks * shape.block_weights * inner + shape.outer_weights * bytes_per_weight)


def adapter_bytes(shape: ModelShape, recipe: Recipe) -> int:
    """The adapter with its gradient and its optimizer's state."""
    chosen = [sizes for name, sizes in shape.linears.items() if name in recipe.targets]
    a_block = recipe.rank * sum(inputs + outputs for inputs, outputs in chosen)
    return ADAPTER_BYTES * a_block * _trained_blocks(shape, recipe)


def activation_bytes(
    shape: ModelShape, recipe: Recipe, load: Load, *, rows: int, checkpointing: bool, bytes_per_value: int
) -> int:
    """What the backward pass needs kept of `rows` of the longest rows."""
    tokens = rows * load.longest_tokens
    a_block = tokens * _kept_bytes_per_token(shape, recipe, bytes_per_value)
    blocks = _trained_blocks(shape, recipe)
    entries = tokens * shape.hidden * bytes_per_value * blocks
    inside = a_block + entries if checkpointing else a_block * blocks
    # the head: logits at every labelled position for every row, twice in the base's precision, and twice in float32
    # for what is compared
    labelled = min(rows * load.labelled_tokens, load.longest_tokens)
    head = shape.vocabulary * (rows * labelled * 2 * bytes_per_value + rows * load.labelled_tokens * 8)
    around = rows * load.around_tokens * load.around_words * (2 * bytes_per_value + 8)
    return inside + head + around


def memory_plan(shape: ModelShape, recipe: Recipe, load: Load, *, free_bytes: int, bytes_per_value: int) -> MemoryPlan:
    """The fastest way that fits into what is free beside the base; the thriftiest if none does."""
    room = free_bytes * (1 - SPARE_SHARE)
    rows = _halvings(recipe.micro_batch)
    busy = [count for count in rows if count == rows[0] or count * load.longest_tokens >= BUSY_TOKENS]
    tries = [(count, False) for count in busy] + [(count, True) for count in rows]
    plan = MemoryPlan(rows=1, checkpointing=True, needed_bytes=0, reason="")
    for count, checkpointing in tries:
        needed = adapter_bytes(shape, recipe) + activation_bytes(
            shape, recipe, load, rows=count, checkpointing=checkpointing, bytes_per_value=bytes_per_value
        )
        plan = MemoryPlan(rows=count, checkpointing=checkpointing, needed_bytes=needed, reason="")
        if needed <= room:
            break
    return replace(plan, reason=_said(plan, recipe, free_bytes, fits=plan.needed_bytes <= room))


def _said(plan: MemoryPlan, recipe: Recipe, free_bytes: int, *, fits: bool) -> str:
    way = f"{plan.rows} of {recipe.micro_batch} rows at a time"
    way += ", computing blocks twice" if plan.checkpointing else ""
    sentence = f"{way}: about {plan.needed_bytes / GB:.1f} GB beside the base, {free_bytes / GB:.1f} GB are free"
    return sentence if fits else f"{sentence}, which may not be enough"


def _halvings(count: int) -> list[int]:
    found = [count]
    while count > 1:
        count = (count + 1) // 2
        found.append(count)
    return found


def _trained_blocks(shape: ModelShape, recipe: Recipe) -> int:
    numbers = recipe.layer_numbers(shape.blocks)
    return shape.blocks if numbers is None else len(numbers)


def _kept_bytes_per_token(shape: ModelShape, recipe: Recipe, bytes_per_value: int) -> int:
    """Of one block, counted among what autograd keeps of a Qwen2 with an adapter on all its linear layers."""
    queries, keys = shape.heads * shape.head_width, shape.key_value_heads * shape.head_width
    values = 4 * shape.intermediate + 6 * shape.hidden + 2 * queries + 2 * keys + len(recipe.targets) * recipe.rank
    in_float32 = 4 * 2 * shape.hidden  # both norms
    return values * bytes_per_value + in_float32
