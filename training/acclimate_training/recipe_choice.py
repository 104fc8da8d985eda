"""The recipe for this model, these pairs and this memory, with a reason for every choice.

What was measured here is said beside the recipe's fields; the rest follows published experience, and is a guess about
this repository. Every choice can be overridden (`training.*`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from acclimate_indexer.errors import RuntimeMissing, UsageError

from .memory import GB, SPARE_SHARE, Load, ModelShape, activation_bytes, adapter_bytes, base_bytes
from .recipe import VLLM_RANKS, Device, Method, Recipe

Wanted = Literal["auto", "lora", "qlora"]
Kind = TypeVar("Kind", bound=str)

ENOUGH_PAIRS = 500  # fewer teach mostly the format; below that a training is worth a warning
MANY_PAIRS = 100_000  # only with so many does a rank above 16 show
FEW_STEPS = 100  # a recipe should get at least so many out of its epochs
LARGE_MODEL = 2_000_000_000  # parameters; above, a lower learning rate
MANY_WORDS = 40_000  # that the labels around a middle may be compared with (`shortlist`): what a large repository has
BATCHES = (32, 16, 8, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a recipe is chosen for.

    Attributes:
        pairs: Of the training part.
        free_bytes: Memory that base, adapter and activations may take together.
        max_rank: What the engine was started for (`--max-lora-rank`).
        max_length: The same of prompt and answer together, in tokens (`--max-model-len`).
        has_bitsandbytes: Without it there are no 4 bits.
    """

    device: Device
    shape: ModelShape
    parameters: int
    pairs: int
    free_bytes: int
    max_rank: int = 16
    max_length: int = 4096
    has_bitsandbytes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenRecipe:
    """`reasons`: a field of the recipe and why it is as it is, in sentences fit to be shown."""

    recipe: Recipe
    reasons: Mapping[str, str] = field(default_factory=dict)

    def lines(self) -> list[str]:
        return [f"{name} {_shown(self.recipe, name)}: {reason}" for name, reason in self.reasons.items()]


def chosen_recipe(
    circumstances: Circumstances, wanted: Wanted = "auto", overrides: Mapping[str, Any] | None = None
) -> ChosenRecipe:
    """The recipe, with what was set by hand replaced.

    Raises:
        UsageError: 4 bits were asked for without a GPU, or the model has no such layers, or the engine does not serve
            the rank or the length.
        RuntimeMissing: 4 bits were asked for, and what computes with them is not installed.
    """
    given = dict(overrides or {})
    wanted = given.pop("method", wanted)
    reasons: dict[str, str] = {}
    fields: dict[str, Any] = {}

    def choose(name: str, value: Any, reason: str) -> None:
        fields[name], reasons[name] = value, reason

    choose("method", *_method(circumstances, wanted, given))
    choose("rank", *_rank(circumstances))
    rank = given.get("rank", fields["rank"])
    choose("alpha", 2 * rank, "twice the rank, the usual choice")
    choose("targets", *_targets(circumstances.shape))
    reasons["layers"] = "fewer steps than with the upper ones alone, and as much learnt in the same time"
    choose("learning_rate", *_learning_rate(circumstances))
    choose("max_epochs", *_epochs(circumstances.pairs))
    if circumstances.device == "cuda":
        choose("batch", *_batch(circumstances.pairs, fields["max_epochs"]))
        reasons["micro_batch"] = "cut into fewer rows where memory asks"
    else:
        reasons["batch"] = "a run is short on a processor, and needs steps more than steady ones"
    reasons |= dict.fromkeys(given, "set by hand")
    recipe = Recipe.for_device(circumstances.device, fields | given)
    _require_served(recipe, circumstances)
    if "context_length" in reasons:
        reasons["budget"] = reasons.pop("context_length")
    reasons.setdefault("budget", _budget_reason(circumstances.device, recipe))
    return ChosenRecipe(recipe=recipe, reasons=reasons)


def _require_served(recipe: Recipe, circumstances: Circumstances) -> None:
    if recipe.rank > circumstances.max_rank:
        raise UsageError(
            f"The engine serves adapters up to rank {circumstances.max_rank}, not {recipe.rank}. Lower `training.rank`."
        )
    others = sorted(set(recipe.targets) - circumstances.shape.linears.keys())
    if others or not recipe.targets:
        raise UsageError(
            f"`training.targets` names {', '.join(others) or 'none'}; an engine serves adapters of "
            f"this model's linear layers {', '.join(circumstances.shape.linears)}."
        )
    longest = recipe.budget.total + recipe.budget.context + recipe.max_target_tokens  # prompting takes more context
    if longest > circumstances.max_length:
        most = (
            recipe.budget.total
            * (circumstances.max_length - recipe.max_target_tokens)
            // (recipe.budget.total + recipe.budget.context)
        )
        raise UsageError(
            f"The engine reads {circumstances.max_length} tokens at a time; a prompt of {recipe.budget.total} is too "
            f"long to be compared with prompting. Set `training.context_length` to {most} at most."
        )


def data_words(counts: Mapping[Kind, int]) -> list[str]:
    """What is to be said about few pairs: those actually trained on, by their kind. Nothing about kinds without any."""
    total = sum(counts.values())
    words = []
    if total < ENOUGH_PAIRS:
        words.append(
            f"Only {total} pairs are trained on: fewer than {ENOUGH_PAIRS} teach mostly the format, and retrieval "
            "alone may do as well. `acclimate advise` measures what is left to gain."
        )
    few = {kind: count for kind, count in counts.items() if 0 < count < ENOUGH_PAIRS <= total}
    words += [
        f"Of the kind {kind!r} only {count} pairs are trained on: expect little there."
        for kind, count in sorted(few.items())
    ]
    return words


def _method(circumstances: Circumstances, wanted: str, given: Mapping[str, Any]) -> tuple[Method, str]:
    if wanted not in ("auto", "lora", "qlora"):
        raise UsageError(f"There is no recipe {wanted!r}. `training.recipe` takes auto, lora or qlora.")
    if wanted == "qlora":
        return "qlora", _four_bits_allowed(circumstances)
    if wanted == "lora" or circumstances.device == "cpu":
        return "lora", "asked for" if wanted == "lora" else "a processor does not compute with 4 bits"
    needed = needed_bytes(circumstances, Recipe.for_device("cuda", {**given, "method": "lora"}))
    if needed <= circumstances.free_bytes:
        return (
            "lora",
            f"the base fits as it is served: {needed / GB:.1f} of {circumstances.free_bytes / GB:.1f} GB free",
        )
    if not circumstances.has_bitsandbytes:
        return "lora", f"needs {needed / GB:.1f} GB, more than is free, and there is no bitsandbytes for 4 bits"
    return "qlora", (
        f"with the base in 16 bits {needed / GB:.1f} GB are needed, {circumstances.free_bytes / GB:.1f} GB are free; "
        "the base that is served then differs a little from the one that was trained against"
    )


def needed_on_gpu(shape: ModelShape, overrides: Mapping[str, Any]) -> int:
    """What a training takes on a GPU, in bytes, before anything else is known of it."""
    circumstances = Circumstances(device="cuda", shape=shape, parameters=0, pairs=0, free_bytes=0)
    return needed_bytes(circumstances, Recipe.for_device("cuda", dict(overrides)))


def needed_bytes(circumstances: Circumstances, recipe: Recipe) -> int:
    """Base, adapter and one row with blocks computed twice: the least that a training takes."""
    shape, bytes_per_value = circumstances.shape, 2 if circumstances.device == "cuda" else 4
    budget = recipe.budget
    longest = budget.prefix + budget.suffix + budget.context + recipe.max_target_tokens
    around = longest if recipe.around_weight else 0
    load = Load(
        longest_tokens=longest,
        labelled_tokens=recipe.max_target_tokens,
        around_tokens=around,
        around_words=MANY_WORDS,
    )
    activations = activation_bytes(shape, recipe, load, rows=1, checkpointing=True, bytes_per_value=bytes_per_value)
    base = base_bytes(shape, recipe, bytes_per_weight=bytes_per_value)
    return int((base + adapter_bytes(shape, recipe) + activations) / (1 - SPARE_SHARE))


def _four_bits_allowed(circumstances: Circumstances) -> str:
    if circumstances.device != "cuda":
        raise UsageError("The recipe 'qlora' needs a CUDA device. Set `training.recipe` to \"lora\".")
    if not circumstances.has_bitsandbytes:
        raise RuntimeMissing(
            "The recipe 'qlora' needs bitsandbytes in the runtime. Install it there, or set `training.recipe` to "
            '"lora".'
        )
    return "asked for; the base that is served differs a little from the 4 bits that are trained against"


def _rank(circumstances: Circumstances) -> tuple[int, str]:
    best = 32 if circumstances.pairs > MANY_PAIRS else 16
    rank = max(rank for rank in VLLM_RANKS if rank <= min(best, circumstances.max_rank))
    if rank < best:
        return rank, f"the engine's `--max-lora-rank` is {circumstances.max_rank}"
    return rank, "many pairs fill it" if best > 16 else "does as well as 256 on little data"


def _targets(shape: ModelShape) -> tuple[tuple[str, ...], str]:
    return tuple(shape.linears), "all linear layers of a block do better than attention alone; never the head"


def _learning_rate(circumstances: Circumstances) -> tuple[float, str]:
    is_large = circumstances.parameters > LARGE_MODEL
    rate = 1e-4 if is_large else 2e-4
    why = "ten times that of full fine-tuning" + (", lower for a large model" if is_large else "")
    if circumstances.device == "cpu":
        return 2 * rate, f"{why}, doubled: on a processor a run is short"
    return rate, why


def _epochs(pairs: int) -> tuple[float, str]:
    if pairs > MANY_PAIRS:
        return 1.0, "so many pairs need not be seen twice"
    return 3.0, "a pair seen more often is learnt by heart"


def _batch(pairs: int, epochs: float) -> tuple[int, str]:
    for batch in BATCHES:
        if pairs * epochs / batch >= FEW_STEPS:
            return batch, f"the largest that leaves {FEW_STEPS} steps in {epochs:g} epochs of {pairs} pairs"
    return BATCHES[-1], "few pairs: steps matter more than steady ones"


def _budget_reason(device: Device, recipe: Recipe) -> str:
    budget = recipe.budget
    size = f"{budget.prefix} before the cursor, {budget.suffix} after, {budget.context} retrieved"
    return f"{size}: " + ("what a processor reads in half a second" if device == "cpu" else "what a GPU reads at once")


def _shown(recipe: Recipe, name: str) -> str:
    value = getattr(recipe, name)
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
