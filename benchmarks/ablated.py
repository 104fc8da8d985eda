"""One variant of the recipe: trained for its time by the product's own trainer, then asked the held-out pairs.

As in the product, it begins from a primer, which knows the format already: one for each shape that an adapter may have.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.held_out import measured
from benchmarks.material import Material, file_mark

from acclimate_indexer.models import LocalModel
from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.prompts import PromptBuilder
from acclimate_training.batches import collated
from acclimate_training.encoding import Example, encoded, schedule
from acclimate_training.learning import PAIRS_PER_SECOND
from acclimate_training.mix import lessons
from acclimate_training.parentage import SHAPE
from acclimate_training.primer import PRIMER_STEPS
from acclimate_training.recipe import Device, ExampleKind, Recipe

BASE, PRIMER = "base", "primer"  # what is not trained here
FEWEST_PAIRS = 24  # so that even a test's fraction of a second has some to choose from
UNTIMED, TIMED = 4, 12  # micro-batches of the warm-up
CLOCKS: dict[Device, tuple[str, Callable[[], float]]] = {
    "cpu": ("of the processor", time.process_time),
    "cuda": ("on the clock", time.monotonic),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The default with some fields changed; those called `base` and `primer` are not trained any further."""

    name: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all variants have in common: `seconds` of training, and held-out pairs as they are asked, by form.

    `primers` is the folder where those are kept.
    """

    material: Material
    local: LocalModel
    where: Device
    seconds: float
    default: Recipe
    primers: Path
    held_out: Mapping[str, Sequence[tuple[str, Example]]]

    @classmethod
    def of(cls, material: Material, local: LocalModel, where: Device, seconds: float, primers: Path) -> "Bench":
        default = Recipe.for_device(where)
        bench = cls(
            material=material, local=local, where=where, seconds=seconds, default=default, primers=primers, held_out={}
        )
        forms = {"plain": bench.asked(default), "retrieval": bench.asked(default, with_context=True)}
        return replace(bench, held_out=forms)

    @property
    def setting(self) -> dict[str, Any]:
        """Results of the same setting can be compared."""
        asked = "".join(example.digest() for form in self.held_out.values() for _, example in form)
        return {
            "repository": self.material.name,
            "commit": self.material.commit,
            "model": self.local.identity,
            "device": self.where,
            "seconds": self.seconds,
            "default": self.default.fingerprint(),
            "primer_pairs": len(self.material.general),
            "held_out_pairs": len(self.material.held_out),
            "held_out": hashlib.sha256(asked.encode()).hexdigest()[:16],
        }

    def builder(self, recipe: Recipe) -> PromptBuilder:
        return PromptBuilder.load(self.local.folder, self.local.fim, recipe.budget)

    def asked(self, recipe: Recipe, *, with_context: bool = False) -> list[tuple[str, Example]]:
        """The held-out pairs in prompts of a recipe, each with its file's mark."""
        builder, name = self.builder(recipe), self.material.name
        return [
            (
                file_mark(pair.path),
                encoded(pair, builder, repository=name, context=pair.context if with_context else ()),
            )
            for pair in self.material.held_out
        ]

    def primer(self, recipe: Recipe) -> Path:
        """The folder of the primer for adapters of this shape; trained if it is not there."""
        shape = {name: getattr(recipe, name) for name in SHAPE}
        asked = hashlib.sha256(json.dumps([self.setting | {"seconds": None}, shape], sort_keys=True).encode())
        folder = self.primers / asked.hexdigest()[:16]
        if not folder.exists():
            self._train_primer(replace(self.default, **shape), folder)
        return folder

    def _train_primer(self, recipe: Recipe, folder: Path) -> None:
        from acclimate_training.trainer import load_base, save_adapter, train, with_new_adapter

        pairs: dict[ExampleKind, Sequence[CompletionPair]] = {"completion": self.material.general}
        builder, at_most = self.builder(recipe), len(self.material.general)
        examples = lessons(pairs, (), builder, recipe, repository=self.material.name, at_most=at_most)
        model = with_new_adapter(load_base(self.local, self.where), recipe, 0)
        with TemporaryDirectory() as checkpoints:
            train(
                model,
                examples,
                recipe=recipe,
                minutes=0.0,
                seed=0,
                fingerprint="primer",
                checkpoints=Path(checkpoints),
                pad_id=0,
                report=lambda _step: None,
                steps=min(PRIMER_STEPS, len(examples) // recipe.batch),
            )
        partial = folder.with_name(f".partial-{folder.name}")
        shutil.rmtree(partial, ignore_errors=True)
        save_adapter(model, partial, self.local.name)
        partial.replace(folder)

    def lessons(self, recipe: Recipe) -> list[Example]:
        """What the product would train on, but for code of other repositories."""
        return lessons(
            self.material.pairs,
            self.material.reviews,
            self.builder(recipe),
            recipe,
            repository=self.material.name,
            at_most=most_pairs(self.seconds, self.where),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """On one training: `learnt` are the examples in their order, `seconds` on the clock that counts."""

    steps: int = 0
    learnt: Sequence[Example] = ()
    seconds: float = 0.0
    wall_seconds: float = 0.0


def most_pairs(seconds: float, where: Device) -> int:
    """More than are trained on in so many seconds."""
    return max(FEWEST_PAIRS, int(seconds * PAIRS_PER_SECOND[where]))


def ablated(bench: Bench, variant: Variant) -> dict[str, Any]:
    """The record of one variant, fit for a line of JSON."""
    from acclimate_training.trainer import load_base, with_new_adapter
    from acclimate_training.two_starts import take_weights

    recipe = replace(bench.default, **variant.changes)
    recipe = replace(recipe, micro_batch=min(recipe.micro_batch, recipe.batch)).checked()
    primer = None if variant.name == BASE else bench.primer(recipe)
    model = with_new_adapter(load_base(bench.local, bench.where), recipe, variant.seed)
    if primer is not None:
        take_weights(model, primer)
    spent = Spent() if variant.name in (BASE, PRIMER) else _train(model, bench, recipe, variant.seed)
    asked = dict(bench.held_out)
    if recipe.budget != bench.default.budget:
        asked["own prompt"] = bench.asked(recipe)
    return {
        "schema": 2,
        "name": variant.name,
        "setting": bench.setting,
        "date": datetime.now(UTC).date().isoformat(),
        "steps": spent.steps,
        "pairs": len({example.digest() for example in spent.learnt}),
        "tokens": sum(example.length for example in spent.learnt),
        "labelled_tokens": sum(len(example.target) + len(example.around) for example in spent.learnt),
        "seconds": round(spent.seconds, 1),
        "wall_seconds": round(spent.wall_seconds, 1),
        "losses": {form: [each.to_json() for each in measured(model, pairs)] for form, pairs in asked.items()},
    }


def _train(model: Any, bench: Bench, recipe: Recipe, seed: int) -> Spent:
    from acclimate_training.trainer import train

    examples, clock = bench.lessons(recipe), CLOCKS[bench.where][1]
    steps = max(1, int(bench.seconds / _seconds_a_step(model, examples, recipe, clock)))
    started, began = clock(), time.monotonic()
    with TemporaryDirectory() as folder:
        train(
            model,
            examples,
            recipe=recipe,
            minutes=0.0,
            seed=seed,
            fingerprint="ablation",
            checkpoints=Path(folder),
            pad_id=0,
            report=lambda _step: None,
            steps=steps,
        )
    return Spent(
        steps=steps,
        learnt=schedule(examples, steps=steps, batch=recipe.batch, micro_batch=recipe.micro_batch, seed=seed),
        seconds=clock() - started,
        wall_seconds=time.monotonic() - began,
    )


def _seconds_a_step(model: Any, examples: Sequence[Example], recipe: Recipe, clock: Callable[[], float]) -> float:
    """By a few micro-batches of the training's first examples, on the clock that counts; the weights stay."""
    from acclimate_training.evaluation.loss import labelled_nats
    from acclimate_training.shortlist import Shortlist

    model.train()
    shortlist = Shortlist.of(model, examples)
    rows, tokens, started = recipe.micro_batch, 0, clock()
    for number in range(UNTIMED + TIMED):
        if number == UNTIMED:
            tokens, started = 0, clock()
        some = [examples[(number * rows + each) % len(examples)] for each in range(rows)]
        batch = {name: tensor.to(model.device) for name, tensor in collated(some, 0).items()}
        nats, weights = labelled_nats(model, batch, shortlist)
        ((nats * weights).sum() / weights.sum()).backward()
        float(nats.detach().sum())  # waits for a GPU
        tokens += sum(example.length for example in some)
    seconds = clock() - started
    model.zero_grad()
    mean_length = sum(example.length for example in examples) / len(examples)
    return seconds / tokens * mean_length * recipe.batch
