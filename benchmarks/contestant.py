"""One of the trainers that are compared, in a process of its own: `python -m benchmarks.contestant JOB`.

It trains in rounds (see `turns`), then measures the held-out loss when it is told to.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, Self, TextIO, get_args

from benchmarks.held_out import PairLoss, measured
from benchmarks.turns import Turns

from acclimate_indexer.models import LocalModel
from acclimate_training.encoding import Example, schedule
from acclimate_training.recipe import Recipe

Name = Literal["ours", "plain", "trl"]
NAMES: tuple[Name, ...] = get_args(Name)

TRL_VARIABLE = "ACCLIMATE_TRL"  # a folder with TRL and what it needs beside the runtime
SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a contestant does: learns all examples once. `held_out` are marks of files, and examples that are of them.

    `recipe` holds the fields that differ from the device's default.
    """

    name: Name
    model: Path
    recipe: Mapping[str, Any]
    examples: Sequence[Example]
    steps: int
    steps_a_round: int
    held_out: Sequence[tuple[str, Example]]

    def write(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self) | {"model": str(self.model)}), encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> Self:
        record = json.loads(file.read_text(encoding="utf-8"))
        record["model"] = Path(record["model"])
        record["examples"] = [_example(each) for each in record["examples"]]
        record["held_out"] = [(mark, _example(each)) for mark, each in record["held_out"]]
        return cls(**{item.name: record[item.name] for item in fields(cls)})


def main(file: Path) -> None:
    """Trains and measures, in turns with the others."""
    channel = _own_stdout()
    import torch
    from benchmarks.public_trainers import train_plain, train_with_trl

    from acclimate_training.hardware import device

    job = Job.read(file)
    trainers: dict[Name, Callable[..., Any]] = {"ours": train_ours, "plain": train_plain, "trl": train_with_trl}
    turns = Turns(channel, steps_a_round=job.steps_a_round, steps=job.steps)
    torch.manual_seed(SEED)
    model = trainers[job.name](
        LocalModel.from_manifest(job.model),
        job.examples,
        Recipe.for_device(device(), dict(job.recipe)),
        turns,
        file.parent / job.name,
    )
    turns.begin()
    losses = {"after": measured(model, job.held_out)}
    if job.name == "ours":
        with model.disable_adapter():
            losses["before"] = measured(model, job.held_out)
    turns.tell(losses={when: _listed(found) for when, found in losses.items()})


def train_ours(local: LocalModel, examples: Sequence[Example], recipe: Recipe, turns: Turns, folder: Path) -> Any:
    """By the product's own `train`, checkpoints included."""
    from acclimate_training.hardware import device
    from acclimate_training.trainer import Step, load_base, train, with_new_adapter

    model = with_new_adapter(load_base(local, device()), recipe, SEED)
    steps = len(examples) // recipe.batch
    ordered = schedule(examples, steps=steps, batch=recipe.batch, micro_batch=recipe.micro_batch, seed=SEED)

    def hear(step: Step) -> None:
        rows = ordered[(step.step - 1) * recipe.batch : step.step * recipe.batch]
        turns.count(sum(example.length for example in rows))
        turns.step_done()

    turns.ready()
    train(
        model,
        examples,
        recipe=recipe,
        minutes=0.0,
        seed=SEED,
        fingerprint="benchmark",
        checkpoints=folder,
        pad_id=0,
        report=hear,
        steps=steps,
    )
    turns.end()
    return model


def _example(record: Mapping[str, Any]) -> Example:
    ids = {name: tuple(record[name]) for name in ("prompt", "target", "around")}
    return Example(**ids, around_weight=record["around_weight"], kind=record["kind"])


def _listed(found: Sequence[PairLoss]) -> list[list[Any]]:
    return [each.to_json() for each in found]


def _own_stdout() -> TextIO:
    """What was standard output; what libraries print goes to the log instead."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return channel


if __name__ == "__main__":
    main(Path(sys.argv[1]))
