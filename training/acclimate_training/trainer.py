"""The lab notebook: load the base, put an adapter on it, time it, train it, keep its best weights, save it.

Base weights stay frozen in bfloat16 where the hardware has it, the adapter is float32, and autocast does the products:
on a processor with AVX-512 BF16 this was the fastest of the combinations tried, and as stable as float32.
transformers' Trainer carries optimiser, schedule, checkpoints, resume and several devices. Ours are the loss
(`labelled_nats`), the order of the pairs (`schedule`), what is done when memory runs out (`Room`), when a step is left
out or the training is ended (`Watch`, `ValidationPlan`), and the progress.

On one GPU it was run, killed and resumed, and with a base in 4 bits (benchmarks/results/gpu-check-2026-11-26.json); on
several: written, not run.
"""

import logging
import math
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, BitsAndBytesConfig
from transformers import logging as transformers_logging

from acclimate_indexer.errors import AdapterError, ModelCorrupt
from acclimate_indexer.models import LocalModel

from . import best_weights, distributed
from .checkpoints import Plan, begin, full_disk_named, planned, resumable
from .course import Course, Spent
from .course import Step as Step  # whoever follows a training knows them from here
from .course import Trained as Trained
from .encoding import Example, schedule
from .evaluation.loss import ADAPTER_NAMES
from .fitting import Room, room_for
from .hardware import compute_dtype
from .recipe import Device, Method, Recipe
from .shortlist import Shortlist
from .start import Origin
from .two_starts import Tried, put_in_place, take_weights, tried
from .validation import best_step, curve
from .warm_up import new_plan

logger = logging.getLogger(__name__)


def load_base(model: LocalModel, where: Device, *, threads: int = 0, method: Method = "lora") -> Any:
    """The frozen base model, in the arithmetic that its `dtype` says; for `qlora` its linear layers in 4 bits.

    Raises:
        ModelCorrupt: The folder cannot be loaded.
    """
    transformers_logging.disable_progress_bar()
    if threads:
        torch.set_num_threads(threads)
    dtype = compute_dtype(where)
    options: dict[str, Any] = {"dtype": dtype, "local_files_only": True}
    if method == "qlora":
        options |= {"quantization_config": _four_bits(dtype), "device_map": {"": 0}}
    try:
        base = AutoModelForCausalLM.from_pretrained(model.folder, **options)
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelCorrupt(f"The model {model.name!r} cannot be loaded ({error}). Fetch it again.") from error
    base.config.use_cache = False
    return base if method == "qlora" else base.to(where)


def with_new_adapter(base: Any, recipe: Recipe, seed: int) -> Any:
    """A LoRA adapter on the base, in a form that vLLM serves: no bias, no whole modules, no DoRA."""
    torch.manual_seed(seed)
    layers = recipe.layer_numbers(base.config.num_hidden_layers)
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=list(recipe.targets),
        layers_to_transform=layers,
        layers_pattern=None if layers is None else "layers",
        bias="none",
    )
    return get_peft_model(base, config)


def with_saved_adapter(base: Any, folder: Path) -> Any:
    """An adapter from disk on the base.

    Raises:
        AdapterError: The folder cannot be loaded onto this base.
    """
    try:
        return PeftModel.from_pretrained(base, str(folder))
    except (OSError, ValueError, RuntimeError) as error:
        raise AdapterError(f"The adapter {folder.name!r} cannot be loaded ({error}). Train again.") from error


def with_saved_adapters(base: Any, adapter: Path, control: Path | None) -> Any:
    """An adapter from disk on the base, and its control beside it; `speaking_as` lets one of them speak.

    Raises:
        AdapterError: A folder cannot be loaded onto this base.
    """
    model = with_saved_adapter(base, adapter)
    if control is not None:
        try:
            model.load_adapter(str(control), ADAPTER_NAMES["control"])
        except (OSError, ValueError, RuntimeError) as error:
            raise AdapterError(
                f"The adapter {control.name!r} cannot be loaded ({error}). Delete its folder."
            ) from error
    return model


def save_adapter(model: Any, folder: Path, base_name: str) -> None:
    """Writes a plain peft folder that names the base, not a path of this machine."""
    model.peft_config["default"].base_model_name_or_path = base_name
    with full_disk_named(folder):
        model.save_pretrained(str(folder), save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)  # peft's empty form of a model card


def train(
    model: Any,
    examples: Sequence[Example],
    *,
    recipe: Recipe,
    minutes: float,
    seed: int,
    fingerprint: str,
    checkpoints: Path,
    pad_id: int,
    report: Callable[[Step], None],
    validation: Sequence[Example] = (),
    steps: int | None = None,
    shared_unless: Collection[int] | None = None,
    origin: Origin | None = None,
    begin_at: Path | None = None,
) -> Trained:
    """Trains the adapter for a number of steps that fits the minutes; goes on from a checkpoint of the same training.

    With `validation` it is measured on some of these now and then, ends when that gets worse, and keeps what was best.

    Args:
        steps: So many, whatever the minutes say.
        shared_unless: Half of the minutes are somebody else's, unless the steps that fit into all of them are of these.
        origin: An adapter to begin from where that does better than to begin afresh.
        begin_at: The folder of an adapter that to begin afresh begins from.

    Raises:
        TrainingError: The training diverged, or not a single pair fits into the memory.
        DiskFull: There is no room for a checkpoint.
    """
    shortlist = Shortlist.of(model, examples)
    room = room_for(model, examples, recipe, shortlist)

    def found_or_begun() -> Plan:
        plan = _found_plan(checkpoints, fingerprint, origin)
        if plan is None:  # nothing to go on from
            plan = new_plan(
                model,
                examples,
                validation,
                recipe=recipe,
                minutes=minutes,
                pad_id=pad_id,
                room=room,
                shortlist=shortlist,
                steps=steps,
                shared_unless=shared_unless,
                origin=origin,
            )
            begin(checkpoints, fingerprint, plan)
        return plan

    plan = distributed.agreed(found_or_begun)
    course = Course(
        model=model,
        ordered=schedule(examples, steps=plan.steps, batch=recipe.batch, micro_batch=recipe.micro_batch, seed=seed),
        held_out=validation,
        recipe=recipe,
        plan=plan,
        seed=seed,
        pad_id=pad_id,
        room=room,
        shortlist=shortlist,
        report=report,
    )
    before = None
    if plan.start is not None and not plan.start.is_decided and origin is not None:
        before = tried(course, origin, checkpoints, fingerprint, begin_at=begin_at)
        plan = before.plan
    found = distributed.agreed(lambda: resumable(checkpoints))
    logger.info("training %d steps of %d pairs, from %s", plan.steps, recipe.batch, found.checkpoint)
    if begin_at is not None and found.checkpoint is None:
        take_weights(model, begin_at)
    log, spent = course.run(checkpoints, found)
    best = _best_put_back(model, checkpoints, log, room)
    return _summary(plan, log, best, spent, before, tuple(room.notes))


def _found_plan(checkpoints: Path, fingerprint: str, origin: Origin | None) -> Plan | None:
    """The plan to go on with. One that needs the weights of another adapter is none, unless it has left them behind."""
    plan = planned(checkpoints, fingerprint)
    if plan is None or plan.start is None:
        return plan
    put_in_place(checkpoints, plan.start)
    is_there = origin is not None and origin.version == plan.start.parent
    return plan if is_there or resumable(checkpoints).checkpoint is not None else None


def _summary(
    plan: Plan,
    log: list[dict[str, Any]],
    best: int | None,
    spent: Spent,
    before: Tried | None,
    notes: tuple[str, ...],
) -> Trained:
    points = curve(log)
    seconds, tokens = spent.seconds, spent.tokens
    if before is not None:
        seconds, tokens = seconds + before.chosen.seconds, tokens + before.chosen.tokens
    return Trained(
        steps=plan.steps,
        seconds=spent.seconds + (0.0 if before is None else before.seconds),
        tokens=tokens,
        tokens_per_second=tokens / seconds,
        seconds_per_step=spent.seconds / max(spent.last - spent.first, 1),
        final_loss=points[-1].training if points else math.nan,
        resumed_at=spent.first if before is None else before.chosen.first,
        stopped_at=points[-1].step if points else 0,
        best_step=best,
        curve=points,
        skipped=spent.skipped,
        start=plan.start,
        notes=notes,
    )


def _four_bits(dtype: torch.dtype) -> Any:
    """NF4 with doubly quantised scales. The embeddings, the head and the norms stay as they are."""
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def _best_put_back(model: Any, checkpoints: Path, log: list[dict[str, Any]], room: Room) -> int | None:
    """The step whose weights the model now has, if it was measured at all."""
    best = best_step(log)
    distributed.wait_for_all()  # the first process has written them
    if best is None or best_weights.restore(model, checkpoints, best):
        return best
    room.notes.append(f"The weights of step {best} were the best but cannot be read; those of the last step are kept.")
    return None
