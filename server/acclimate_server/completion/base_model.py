"""Which base model serves, and its prompts. Downloads are left to `acclimate adapt` and `acclimate model fetch`."""

from dataclasses import dataclass, field
from pathlib import Path

from acclimate_indexer.errors import ModelMissing
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel, local_model, local_models
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_training.model_store.choose import AUTO, resolve_model_name

from ..runtime.hardware import gpu_choice, gpus


def chosen_model_name(home: Home, name: str, device: str) -> tuple[str, str]:
    """What `auto` means with this machine's GPU, and a sentence where there is something to say; may ask the hub.

    Raises:
        UsageError: No model is called `name`.
    """
    gpu = gpu_choice(gpus()).gpu if device == "cuda" else None
    return resolve_model_name(name, home=home, device=device, gpu_memory_gb=None if gpu is None else gpu.total_gb)


def installed_model(home: Home, name: str, device: str = "cpu") -> LocalModel:
    """The model called `name`; for `auto` what `acclimate adapt` takes, else whatever is on this machine.

    Raises:
        ModelMissing: It is not on this machine, or `auto` and there is none at all.
        ModelCorrupt: It is damaged.
    """
    if name != AUTO:
        return local_model(home, Path(name).name.lower() if "/" in name else name)
    here = {model.name: model for model in local_models(home)}
    if not here:
        raise ModelMissing(
            "No base model is on this machine yet. `acclimate adapt` fetches one; `acclimate model` lists them."
        )
    preferred, _ = resolve_model_name(AUTO, home=home, device=device, hub_reachable=lambda: False)
    return here.get(preferred) or max(here.values(), key=lambda model: model.parameters)


@dataclass(slots=True, kw_only=True)
class Prompts:
    """Prompt builders of one model, one a budget; loading one takes about a second, so call it off the event loop."""

    model: LocalModel
    _built: dict[PromptBudget, PromptBuilder] = field(default_factory=dict)

    def of(self, budget: PromptBudget) -> PromptBuilder:
        """The builder with this budget."""
        if budget not in self._built:
            self._built[budget] = PromptBuilder.load(self.model.folder, self.model.fim, budget)
        return self._built[budget]
