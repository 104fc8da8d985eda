"""The lab notebook: load the base, put an adapter on it, time it, train it, keep its best weights, save it.

Base weights stay frozen in bfloat16 where the hardware has it, the adapter is float32, and autocast does the products:
on a processor with AVX-512 BF16 this was the fastest of the combinations tried, and as stable as float32.
transformers' Trainer carries optimiser, schedule, checkpoints, resume and several devices. Ours are the loss
(`labelled_nats`), the order of the pairs (`schedule`), what is done when memory runs out (`Room`), when a step is left
out or the training is ended (`Watch`, `ValidationPlan`), and the progress.

On CUDA, alone or several, and with a base in 4 bits: written, not run.
"""

import logging
import math
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, PrinterCallback, TrainerCallback
from transformers import logging as transformers_logging

from acclimate_indexer.errors import AdapterError, ModelCorrupt
from acclimate_indexer.models import LocalModel

from . import best_weights, distributed
from .checkpoints import Plan, Resumable, begin, full_disk_named, mark_complete, planned, resumable
from .divergence import Watch
from .encoding import Example, collated, schedule
from .fitting import Room, room_for
from .hardware import compute_dtype
from .label_trainer import LabelTrainer, arguments
from .recipe import Device, Method, Recipe
from .validation import CurvePoint, best_step, chosen_pairs, curve, has_got_worse
from .warm_up import new_plan

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the trainer tells after each step. `loss` is in nats per token of the middle; `message` is news."""

    step: int
    of: int
    loss: float
    tokens_per_second: float
    seconds_left: float
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What a training did; seconds and tokens are those of this process, after a resume those since.

    Attributes:
        steps: The rung of the ladder that was planned.
        stopped_at: The last step; before `steps` if the held-out loss had got worse.
        best_step: After which step the kept weights were there; None if nothing was measured.
        curve: Every step's loss, those before an interruption included.
        skipped: Steps that were left out for an odd gradient.
        notes: Sentences about what was unusual.
    """

    steps: int
    seconds: float
    tokens: int
    tokens_per_second: float
    seconds_per_step: float
    final_loss: float
    resumed_at: int
    stopped_at: int
    best_step: int | None = None
    curve: tuple[CurvePoint, ...] = ()
    skipped: int = 0
    notes: tuple[str, ...] = ()


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


def add_saved_adapter(model: Any, folder: Path, name: str) -> None:
    """A second adapter from disk beside the first; `model.set_adapter(name)` lets it speak.

    Raises:
        AdapterError: The folder cannot be loaded onto this base.
    """
    try:
        model.load_adapter(str(folder), name)
    except (OSError, ValueError, RuntimeError) as error:
        raise AdapterError(f"The adapter {folder.name!r} cannot be loaded ({error}). Delete its folder.") from error


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
) -> Trained:
    """Trains the adapter for a number of steps that fits the minutes; goes on from a checkpoint of the same training.

    With `validation` it is measured on some of these now and then, ends when that gets worse, and keeps what was best.

    Args:
        steps: So many, whatever the minutes say.
        shared_unless: Half of the minutes are somebody else's, unless the steps that fit into all of them are of these.

    Raises:
        TrainingError: The training diverged, or not a single pair fits into the memory.
        DiskFull: There is no room for a checkpoint.
    """
    room = room_for(model, examples, recipe)

    def found_or_begun() -> tuple[Plan, Resumable]:
        plan = planned(checkpoints, fingerprint)
        if plan is None:  # nothing to go on from
            plan = new_plan(
                model,
                examples,
                validation,
                recipe=recipe,
                minutes=minutes,
                pad_id=pad_id,
                room=room,
                steps=steps,
                shared_unless=shared_unless,
            )
            begin(checkpoints, fingerprint, plan)
        return plan, resumable(checkpoints)

    plan, found = distributed.agreed(found_or_begun)
    logger.info("training %d steps of %d pairs, from %s", plan.steps, recipe.batch, found.checkpoint)

    ordered = schedule(examples, steps=plan.steps, batch=recipe.batch, micro_batch=recipe.micro_batch, seed=seed)
    log = found.log()
    room.notes += found.notes
    watch = Watch.after(log, plan.steps)
    notes = _Notes(ordered, recipe.batch, plan, report, watch, room)
    trainer = LabelTrainer(
        model=model,
        args=arguments(recipe, plan.steps, seed, checkpoints, model.device.type),
        train_dataset=ordered,
        data_collator=lambda batch: collated(batch, pad_id),
        callbacks=[notes],
    )
    trainer.remove_callback(PrinterCallback)  # it writes to stdout
    trainer.attend(watch, room, chosen_pairs(validation, plan.validation.pairs, seed), pad_id)
    if has_got_worse(log):  # killed after the end of the training, before its adapter was there
        model.load_adapter(str(found.checkpoint), "default", is_trainable=True)
    else:
        with full_disk_named(checkpoints):
            trainer.train(resume_from_checkpoint=None if found.checkpoint is None else str(found.checkpoint))
        log = trainer.state.log_history
    return notes.summary(log, _best_put_back(model, checkpoints, log, room))


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


class _Notes(TrainerCallback):  # type: ignore[misc]  # transformers is not there where types are checked
    """Follows the training: reports each step, marks complete checkpoints, asks for measurements."""

    def __init__(
        self,
        ordered: Sequence[Example],
        batch: int,
        plan: Plan,
        report: Callable[[Step], None],
        watch: Watch,
        room: Room,
    ) -> None:
        self._tokens = [
            sum(example.length for example in ordered[at : at + batch]) for at in range(0, len(ordered), batch)
        ]
        self._plan, self._report, self._watch, self._room = plan, report, watch, room
        self._started = time.monotonic()
        self._first = self._last = 0
        self._told = 0  # of the notes

    def on_train_begin(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
        self._started = time.monotonic()
        self._first = self._last = state.global_step

    def on_step_end(self, _args: Any, state: Any, control: Any, **_: Any) -> None:
        control.should_evaluate = state.global_step in self._plan.validation.steps

    def on_log(self, _args: Any, state: Any, _control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        if not logs or "loss" not in logs:
            return
        self._last = state.global_step
        loss = float(logs["loss"])
        self._watch.hear(self._last, loss)
        if not state.is_world_process_zero:
            return
        seconds, tokens = self._so_far()
        news, self._told = self._room.notes[self._told :], len(self._room.notes)
        self._report(
            Step(
                step=self._last,
                of=self._plan.steps,
                loss=loss,
                tokens_per_second=tokens / seconds,
                seconds_left=seconds / max(self._last - self._first, 1) * (self._plan.steps - self._last),
                message=" ".join(news) or None,
            )
        )

    def on_save(self, args: Any, state: Any, _control: Any, **_: Any) -> None:
        distributed.wait_for_all()  # every process has written its part
        if state.is_world_process_zero:
            mark_complete(Path(args.output_dir), state.global_step)

    def summary(self, log: list[dict[str, Any]], best: int | None) -> Trained:
        seconds, tokens = self._so_far()
        points = curve(log)
        return Trained(
            steps=self._plan.steps,
            seconds=seconds,
            tokens=tokens,
            tokens_per_second=tokens / seconds,
            seconds_per_step=seconds / max(self._last - self._first, 1),
            final_loss=points[-1].training if points else math.nan,
            resumed_at=self._first,
            stopped_at=points[-1].step if points else 0,
            best_step=best,
            curve=points,
            skipped=self._watch.skipped,
            notes=tuple(self._room.notes),
        )

    def _so_far(self) -> tuple[float, int]:
        """Seconds and tokens of this process."""
        return max(time.monotonic() - self._started, 1e-6), sum(self._tokens[self._first : self._last])
