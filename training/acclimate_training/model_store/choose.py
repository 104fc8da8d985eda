"""Which base model `auto` means on this machine."""

from collections.abc import Callable

from acclimate_indexer.errors import ModelError
from acclimate_indexer.home import Home
from acclimate_indexer.models import catalogue, catalogue_entry, local_model

from .hub import hub_is_reachable

AUTO = "auto"
FALLBACK = "qwen2.5-coder-0.5b-instruct-gguf"  # the one that can be had without the hub
ON_CPU = "qwen2.5-coder-0.5b"
# Official base weights by the GPU's memory in GB, largest first: bf16 weights, KV cache and a training side by side.
BY_GPU_MEMORY = ((24.0, "qwen2.5-coder-7b"), (8.0, "qwen2.5-coder-1.5b"))
CARD_ROUNDING = 0.93  # a card sold as 24 GB reports 22.5 to 24


def resolve_model_name(
    name: str,
    *,
    home: Home,
    device: str = "cpu",
    gpu_memory_gb: float | None = None,
    hub_reachable: Callable[[], bool] = hub_is_reachable,
) -> tuple[str, str]:
    """The model's name, and a sentence about the choice where there is something to say.

    `auto` takes official base weights by hardware when the hub can be reached, else the embedded fallback. A model that
    `auto` chose before and is still whole is taken again without a look at the network.

    Raises:
        UsageError: No model is called `name`.
    """
    if name != AUTO:
        if name not in catalogue():
            _require_local(name, home)
        return name, ""
    wanted = _by_hardware(device, gpu_memory_gb)
    for known in (wanted, FALLBACK):
        if _is_whole(known, home):
            return known, ""
    if hub_reachable():
        return wanted, ""
    return FALLBACK, (
        "The model hub cannot be reached: using the 0.5B instruct model, converted from Qwen's GGUF file, instead of "
        f"the official base weights of {wanted!r}."
    )


def _by_hardware(device: str, gpu_memory_gb: float | None) -> str:
    if device != "cuda":
        return ON_CPU
    memory_gb = gpu_memory_gb or 0.0
    return next((model for needed, model in BY_GPU_MEMORY if memory_gb >= needed * CARD_ROUNDING), ON_CPU)


def _is_whole(name: str, home: Home) -> bool:
    try:
        local_model(home, name)
    except ModelError:
        return False
    return True


def _require_local(name: str, home: Home) -> None:
    """A model of one's own is not in the catalogue, only on this machine."""
    if not _is_whole(name, home):
        catalogue_entry(name)
