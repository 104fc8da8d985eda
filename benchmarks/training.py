"""Our trainer against the plain public loop and TRL's: same pairs, model and machine, all in one run.

Each is a whole training in a process of its own, and they take turns, so that a noisy neighbour disturbs them alike:
what counts is the median over the rounds of their ratio; the first round warms up. All learn every pair once, which are
equal non-padding tokens, and are then measured on the same held-out pairs. Ours is the default recipe of the device.
Memory is the process's peak up to the end of its training, base and libraries included.

How many pairs are learnt and held out is read from `ACCLIMATE_BENCH_PAIRS` and `ACCLIMATE_BENCH_HELD_OUT`; the defaults
take a quarter of an hour on two quiet cores. On CUDA: written, not run.
"""

import math
import os
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.contest import GB, Outcome, contest
from benchmarks.contestant import NAMES, TRL_VARIABLE, Job, Name
from benchmarks.held_out import difference, loss
from benchmarks.material import Material, file_mark, materials, missing_runtime, model_at_hand, number_from

from acclimate_indexer.errors import TrainingError
from acclimate_indexer.models import LocalModel
from acclimate_indexer.prompts import PromptBuilder
from acclimate_training.encoding import Example, encoded, training_examples
from acclimate_training.recipe import Device, Recipe

PAIRS_VARIABLE, HELD_OUT_VARIABLE = "ACCLIMATE_BENCH_PAIRS", "ACCLIMATE_BENCH_HELD_OUT"
PAIRS: dict[Device, int] = {"cpu": 120, "cuda": 3200}
HELD_OUT = 80
ROUNDS = 5
PUBLIC_MICRO_BATCH = 4

HEADLINES = ("tokens_over_plain", "memory_over_plain", "loss_difference")  # the least favourable of all sources


def main(repositories: list[Path]) -> dict[str, Any]:
    """The three figures that count, and of every source what they come from."""
    if skipped := missing_runtime():
        return dict(skipped)
    from acclimate_training.hardware import device

    where = device()
    pairs, held_out = number_from(PAIRS_VARIABLE, PAIRS[where]), number_from(HELD_OUT_VARIABLE, HELD_OUT)
    with tempfile.TemporaryDirectory() as folder:
        model = model_at_hand(Path(folder))
        sources = {
            material.name: _compared(material, model, where, pairs)
            for material in materials(repositories, pairs=pairs + pairs // 4, held_out=held_out)
        }
    worst = {
        "tokens_over_plain": min(each["tokens_over_plain"] for each in sources.values()),
        "memory_over_plain": max(each["memory_over_plain"] for each in sources.values()),
        "loss_difference": max(each["loss_difference"] for each in sources.values()),
    }
    return {"model": model.name, "device": where, **worst, "sources": sources}


def _compared(material: Material, local: LocalModel, where: Device, wanted: int) -> dict[str, Any]:
    recipe = Recipe.for_device(where)
    builder = PromptBuilder.load(local.folder, local.fim, recipe.budget)
    examples = training_examples(
        islice(material.pairs["completion"], 2 * wanted),
        builder,
        repository=material.name,
        max_target_tokens=recipe.max_target_tokens,
        retrieval_share=recipe.retrieval_share,
        around_weight=recipe.around_weight,
    )
    a_round = _pairs_a_round(min(wanted, len(examples)), recipe)
    learnt = examples[: a_round * ROUNDS]
    held_out = [(file_mark(pair.path), encoded(pair, builder, repository=material.name)) for pair in material.held_out]

    def job(name: Name) -> Job:
        batch = recipe.batch if name == "ours" else PUBLIC_MICRO_BATCH
        return Job(
            name=name,
            model=local.folder,
            recipe={},
            examples=learnt,
            steps=len(learnt) // batch,
            steps_a_round=a_round // batch,
            held_out=held_out,
        )

    with tempfile.TemporaryDirectory() as folder:
        jobs = [job(name) for name in NAMES if name != "trl" or has_trl()]
        outcomes = contest(jobs, Path(folder), rounds=ROUNDS)
    size = {"pairs": len(learnt), "tokens": sum(each.length for each in learnt), "held_out_pairs": len(held_out)}
    return {"commit": material.commit, **size, **figures(outcomes, learnt)}


def has_trl() -> bool:
    """Whether the runtime has TRL, or the folder that is named for it."""
    named = os.environ.get(TRL_VARIABLE)
    return find_spec("trl") is not None or (named is not None and (Path(named) / "trl").is_dir())


def _pairs_a_round(pairs: int, recipe: Recipe) -> int:
    """So many that every contestant has whole steps in each round."""
    whole = math.lcm(recipe.batch, PUBLIC_MICRO_BATCH)
    if pairs < whole * ROUNDS:
        raise TrainingError(f"{pairs} pairs are too few to compare trainers: {whole * ROUNDS} are needed.")
    return pairs // ROUNDS // whole * whole


def figures(outcomes: Mapping[Name, Outcome], learnt: Sequence[Example]) -> dict[str, Any]:
    """Ours over each of the others, and a column for each.

    Raises:
        TrainingError: Ours or the plain loop has failed.
    """
    for name in ("ours", "plain"):
        if outcomes[name].failure is not None:
            raise TrainingError(str(outcomes[name].failure))
    found: dict[str, Any] = {}
    for name in NAMES[1:]:
        if name in outcomes and outcomes[name].failure is None:
            found |= _over(outcomes["ours"], outcomes[name], name)
    return found | {"base_loss": loss(outcomes["ours"].losses["before"])} | _columns(outcomes, learnt)


def _over(ours: Outcome, other: Outcome, name: Name) -> dict[str, Any]:
    rounds = list(zip(ours.rounds, other.rounds, strict=True))[1:]
    wall = [mine.tokens / mine.seconds / (its.tokens / its.seconds) for mine, its in rounds]
    work = [mine.tokens / mine.processor_seconds / (its.tokens / its.processor_seconds) for mine, its in rounds]
    found: dict[str, Any] = {
        f"tokens_over_{name}": statistics.median(wall),
        f"tokens_over_{name}_rounds": [round(ratio, 2) for ratio in wall],
        f"tokens_over_{name}_by_processor_time": statistics.median(work),
        f"memory_over_{name}": ours.rounds[-1].peak_bytes / other.rounds[-1].peak_bytes,
    }
    suffix = "" if name == "plain" else f"_{name}"
    for key, with_end in (("loss_difference", True), ("loss_difference_without_end", False)):
        estimated = difference(ours.losses["after"], other.losses["after"], with_end=with_end)
        found[key + suffix] = estimated.mean
        found[f"{key}{suffix}_interval"] = [estimated.low, estimated.high]
    return found


def _columns(outcomes: Mapping[Name, Outcome], learnt: Sequence[Example]) -> dict[str, Any]:
    labelled: dict[Name, int] = {
        "ours": sum(len(each.target) + len(each.around) for each in learnt),
        "plain": sum(each.length - 1 for each in learnt),
        "trl": sum(len(each.target) for each in learnt),
    }
    columns: dict[str, Any] = dict.fromkeys(NAMES, "not installed")
    for name, outcome in outcomes.items():
        if outcome.failure is not None:
            columns[name] = outcome.failure
            continue
        timed = outcome.rounds[1:]
        columns[name] = {
            "tokens_per_second": statistics.median(each.tokens / each.seconds for each in timed),
            "tokens_per_processor_second": statistics.median(each.tokens / each.processor_seconds for each in timed),
            "labelled_tokens": labelled[name],
            "peak_gigabytes": outcome.rounds[-1].peak_bytes / GB,
            "loaded_gigabytes": outcome.loaded_bytes / GB,
            "loss": loss(outcome.losses["after"]),
            "loss_without_end": loss(outcome.losses["after"], with_end=False),
        }
    return columns
