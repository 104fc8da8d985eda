"""The trainer against a plain loop: same model, same pairs, same process, minutes apart at most.

The plain loop is what one writes first: adapters on every layer, the model's own loss over all positions, one pair at a
time. Ours differs in where the head runs, in the precision of the products and, by recipe, in which layers learn.
"""

import argparse
import inspect
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.support.tiny_model import tiny_model

from acclimate_indexer.dataset import mine
from acclimate_indexer.errors import ModelError
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel, local_model
from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.prompts import PromptBuilder
from acclimate_indexer.repository import Repository
from acclimate_training.encoding import Example, collated, training_examples
from acclimate_training.evaluation.questions import file_balanced
from acclimate_training.recipe import Recipe

MODEL = "qwen2.5-coder-0.5b-instruct-gguf"
MODEL_VARIABLE = "ACCLIMATE_TEST_MODEL"  # a folder; without it the model that `acclimate` itself would use
PAIRS = 8  # one step of the default recipe; a processor needs some 20 s for it in the plain loop
ROUNDS = 3  # in turn, so that a noisy neighbour disturbs each alike; the median counts


def main(repositories: list[Path]) -> dict[str, Any]:
    """Tokens a second of the plain loop, of ours with the same layers, and of ours by recipe."""
    if missing := [name for name in ("torch", "transformers", "peft") if find_spec(name) is None]:
        return {"skipped": f"{', '.join(missing)} not installed; `acclimate doctor --fix` installs them"}
    with tempfile.TemporaryDirectory() as folder:
        home = Home(data=Path(folder), cache=Path(folder), config=Path(folder))
        model = _model(home)
        sources = {path.name: _mined(path, home) for path in repositories} or {"standard library": _generated()}
        return {"model": model.name} | {name: _measured(model, pairs) for name, pairs in sources.items()}


def _model(home: Home) -> LocalModel:
    if named := os.environ.get(MODEL_VARIABLE):
        return LocalModel.from_manifest(Path(named))
    try:
        return local_model(Home.default(), MODEL)
    except ModelError:
        return tiny_model(home)


def _mined(path: Path, home: Home) -> list[CompletionPair]:
    repository = Repository.open(path)
    return list(mine(repository, home.for_repository(repository.common_directory)).pairs("train"))


def _generated() -> list[CompletionPair]:
    """The last words of some lines of a long module."""
    lines = inspect.getsource(argparse).splitlines(keepends=True)
    return [
        CompletionPair(
            kind="completion",
            language="python",
            path="argparse.py",
            commit="0" * 40,
            prefix="".join(lines[:number]) + lines[number][: len(lines[number]) // 2],
            middle=lines[number][len(lines[number]) // 2 :].rstrip("\n"),
            suffix="\n" + "".join(lines[number + 1 :]),
            place="rest_of_line",
        )
        for number in range(200, 2000, 20)
        if len(lines[number].strip()) > len("return None")
    ]


def _measured(model: LocalModel, pairs: list[CompletionPair]) -> dict[str, Any]:
    from acclimate_training.hardware import device

    where = device()
    recipe = Recipe.for_device(where)
    builder = PromptBuilder.load(model.folder, model.fim, recipe.budget)
    chosen = file_balanced(pairs, seed=0)[:PAIRS]
    examples = training_examples(chosen, builder, repository="benchmark", max_target_tokens=recipe.max_target_tokens)
    everywhere = replace(recipe, layers="all")
    loops: dict[str, tuple[Recipe, Callable[[Any, list[Example], Recipe], None]]] = {
        "plain loop": (everywhere, _plain_step),
        "ours, same layers": (everywhere, _our_step),
        "ours": (recipe, _our_step),
    }
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    for round_number in range(ROUNDS):
        for name, (used, step) in loops.items():
            seconds[name].append(_timed(model, examples[: 2 if round_number == 0 else None], used, step))
    tokens = sum(example.length for example in examples)
    speeds = {name: tokens / statistics.median(values[1:]) for name, values in seconds.items()}  # the first warms up
    return {
        "device": where,
        "pairs": len(examples),
        "tokens": tokens,
        "tokens_per_second": speeds,
        "ratio": speeds["ours"] / speeds["plain loop"],
        "ratio_same_layers": speeds["ours, same layers"] / speeds["plain loop"],
    }


def _timed(
    local: LocalModel, examples: list[Example], recipe: Recipe, step: Callable[[Any, list[Example], Recipe], None]
) -> float:
    from acclimate_training.hardware import device
    from acclimate_training.trainer import load_base, with_new_adapter

    model = with_new_adapter(load_base(local, device()), recipe, seed=0)
    model.train()
    started = time.monotonic()
    step(model, examples, recipe)
    return time.monotonic() - started


def _plain_step(model: Any, examples: list[Example], _recipe: Recipe) -> None:
    import torch

    optimizer = torch.optim.AdamW([value for value in model.parameters() if value.requires_grad], lr=2e-4)
    for example in examples:
        batch = {name: tensor.to(model.device) for name, tensor in collated([example], 0).items()}
        (model(**batch).loss / len(examples)).backward()
    optimizer.step()


def _our_step(model: Any, examples: list[Example], recipe: Recipe) -> None:
    import torch

    from acclimate_training.evaluation.loss import middle_nats

    optimizer = torch.optim.AdamW([value for value in model.parameters() if value.requires_grad], lr=2e-4)
    for start in range(0, len(examples), recipe.micro_batch):
        chosen = examples[start : start + recipe.micro_batch]
        batch = {name: tensor.to(model.device) for name, tensor in collated(chosen, 0).items()}
        nats, tokens = middle_nats(model, batch)
        (nats / tokens).backward()
    optimizer.step()
