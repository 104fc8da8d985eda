"""What a training depends on, and what is written beside an adapter about where it came from."""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil

from acclimate_indexer.dataset import Dataset
from acclimate_indexer.errors import AdapterError
from acclimate_indexer.models import LocalModel
from acclimate_indexer.prompts import PromptBuilder

from .job import Job
from .memory import ModelShape
from .recipe import Device, Recipe
from .recipe_choice import Circumstances, chosen_recipe
from .registry import Adapter
from .start import Origin, start_record

if TYPE_CHECKING:
    from .trainer import Trained
    from .validation import CurvePoint

LIBRARIES = ("torch", "transformers", "peft", "tokenizers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """All that a training depends on. Two trainings of one fingerprint give one adapter.

    `repository` is the name in the prompt's header; `reasons` says of the recipe's fields why they are as they are.
    """

    repository: str
    dataset: Dataset
    model: LocalModel
    recipe: Recipe
    builder: PromptBuilder
    device: Device
    minutes: float
    max_pairs: int | None
    seed: int
    reasons: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, job: Job, *, repository: str, dataset: Dataset, model: LocalModel, device: Device) -> Self:
        chosen = chosen_recipe(_circumstances(dataset, model, device), overrides=job.recipe)
        recipe = chosen.recipe
        return cls(
            repository=repository,
            dataset=dataset,
            model=model,
            recipe=recipe,
            builder=PromptBuilder.load(model.folder, model.fim, recipe.budget),
            device=device,
            minutes=job.minutes,
            max_pairs=job.max_pairs,
            seed=job.seed,
            reasons=chosen.reasons,
        )

    def as_trained(self, adapter: Adapter) -> Self:
        """With the prompts that the adapter was trained with.

        Raises:
            AdapterError: The adapter is for another base model.
        """
        if adapter.base_identity != self.model.identity:
            raise AdapterError(
                f"The adapter {adapter.version!r} was trained for {adapter.base_identity!r}, "
                f"but the model is {self.model.identity!r}. Choose its model, or train again."
            )
        builder = PromptBuilder.load(self.model.folder, self.model.fim, adapter.prompt_budget)
        return replace(self, builder=builder, repository=adapter.repository)

    @property
    def fingerprint(self) -> str:
        parts = [
            self.repository,
            self.dataset.hash,
            self.model.identity,
            self.recipe.fingerprint(),
            self.device,
            self.minutes,
            self.max_pairs,
            self.seed,
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def lineage(
    setting: Setting, trained: "Trained", *, version: str, created: datetime, begun_at: Origin | None = None
) -> dict[str, Any]:
    """The part of `adapter.json` that is known before anything was measured.

    Args:
        begun_at: What the training began from, if it did not go on from an earlier adapter.
    """
    model = setting.model
    return {
        "version": version,
        "created": created.isoformat(timespec="seconds"),
        "repository": setting.repository,
        "base": {
            "name": model.name,
            "identity": model.identity,
            "source_sha256": model.source_sha256,
            "converter": model.converter,
            "variant": model.variant,
            "precision": model.precision,
        },
        "dataset": {
            "hash": setting.dataset.hash,
            "commit": setting.dataset.manifest.get("commit"),
            "split_commit": setting.dataset.manifest.get("split_commit"),
        },
        "fingerprint": setting.fingerprint,
        "minutes": setting.minutes,
        "max_pairs": setting.max_pairs,
        "seed": setting.seed,
        "device": setting.device,
        "hardware": hardware_words(setting.device),
        "steps": trained.steps,
        "stopped_at": trained.stopped_at,
        "best_step": trained.best_step,
        "skipped_steps": trained.skipped,
        "resumed_at": trained.resumed_at,
        "seconds": round(trained.seconds, 1),
        "tokens": trained.tokens,
        "tokens_per_second": round(trained.tokens_per_second, 1),
        "final_training_loss": round(trained.final_loss, 4),
        "curve": [_point(point) for point in trained.curve],
        "recipe": setting.recipe.to_json(),
        "recipe_reasons": dict(setting.reasons),
        "recipe_fingerprint": setting.recipe.fingerprint(),
        "prompt_budget": setting.recipe.budget.to_json(),
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
        **start_record(trained.start, steps=trained.steps, dataset=setting.dataset.hash, begun_at=begun_at),
    }


def _circumstances(dataset: Dataset, model: LocalModel, device: Device) -> Circumstances:
    from .hardware import free_bytes  # torch, which is loaded by now

    shape = ModelShape.read(model.folder)
    return Circumstances(
        device=device,
        shape=shape,
        parameters=shape.blocks * shape.block_weights + shape.outer_weights,
        pairs=sum(counts.get("train", 0) for counts in dataset.counts.values()),
        free_bytes=free_bytes(device),
        has_bitsandbytes=find_spec("bitsandbytes") is not None,
    )


def hardware_words(device: Device) -> str:
    """The processor and its memory, and the GPU where it trained, as a reader would name them; no machine's name."""
    memory = psutil.virtual_memory().total / 1e9
    words = f"{processor_name()}, {psutil.cpu_count(logical=False) or 1} cores, {memory:.0f} GB"
    if device == "cpu":
        return words
    from .hardware import gpu_words  # torch, which is loaded by now

    return f"{gpu_words()}; {words}"


def processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.machine()


def _point(point: "CurvePoint") -> dict[str, float]:
    found = {"step": point.step, "loss": round(point.training, 4)}
    return found if point.validation is None else found | {"validation_loss": round(point.validation, 4)}
