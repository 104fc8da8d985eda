"""Which base model serves, and its prompts. Downloads are left to `acclimate adapt` and `acclimate model fetch`."""

from dataclasses import dataclass, field
from pathlib import Path

from acclimate_indexer.errors import ModelMissing
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel, local_model, local_models
from acclimate_indexer.prompts import PromptBudget, PromptBuilder

AUTO = "auto"


def installed_model(home: Home, name: str) -> LocalModel:
    """The model called `name`; for `auto` the best that is on this machine.

    Best is what `acclimate adapt` fetched last: the choice by hardware was made there, where a download can follow.

    Raises:
        ModelMissing: It is not on this machine, or `auto` and there is none at all.
        ModelCorrupt: It is damaged.
    """
    if name != AUTO:
        return local_model(home, Path(name).name if "/" in name else name)
    models = local_models(home)
    if not models:
        raise ModelMissing(
            "No base model is on this machine yet. `acclimate adapt` fetches one; `acclimate model` lists them."
        )
    return max(models, key=lambda model: (model.folder.stat().st_mtime, model.name))


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
