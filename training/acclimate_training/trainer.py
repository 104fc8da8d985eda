"""The lab notebook: load the base, put an adapter on it, time it, train it, save it.

Base weights stay frozen in bfloat16 where the hardware has it, the adapter is float32, and autocast does the products:
on a processor with AVX-512 BF16 this was the fastest of the combinations tried, and as stable as float32.
transformers' Trainer carries optimiser, schedule, checkpoints and resume. Ours are the loss (`middle_nats`), the order
of the pairs (`schedule`) and the progress.

On CUDA: written, not run.
"""

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers import logging as transformers_logging

from acclimate_indexer.durable import disk_full_named
from acclimate_indexer.errors import AdapterError, ModelCorrupt, TrainingError
from acclimate_indexer.models import LocalModel

from .checkpoints import begin, mark_complete, newest_complete, planned_steps
from .encoding import Example, collated, schedule
from .evaluation.loss import middle_nats
from .hardware import compute_dtype
from .recipe import MAX_EPOCHS, Device, Recipe, steps_for

logger = logging.getLogger(__name__)

TIMED_MICRO_BATCHES = 4  # each twice: about ten seconds on a processor
CHECKPOINTS_PER_RUN = 8  # an interruption costs at most an eighth of the minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the trainer tells after each step. `loss` is in nats per token of the middle."""

    step: int
    of: int
    loss: float
    tokens_per_second: float
    seconds_left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What a training did; seconds and tokens are those of this process, after a resume those since."""

    steps: int
    seconds: float
    tokens: int
    tokens_per_second: float
    seconds_per_step: float
    final_loss: float
    resumed_at: int


def load_base(model: LocalModel, where: Device, *, threads: int = 0) -> Any:
    """The frozen base model, in the arithmetic that its `dtype` says.

    Raises:
        ModelCorrupt: The folder cannot be loaded.
    """
    transformers_logging.disable_progress_bar()
    if threads:
        torch.set_num_threads(threads)
    dtype = compute_dtype(where)
    try:
        base = AutoModelForCausalLM.from_pretrained(model.folder, dtype=dtype, local_files_only=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelCorrupt(f"The model {model.name!r} cannot be loaded ({error}). Fetch it again.") from error
    base.config.use_cache = False
    return base.to(where)


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


def save_adapter(model: Any, folder: Path, base_name: str) -> None:
    """Writes a plain peft folder that names the base, not a path of this machine."""
    model.peft_config["default"].base_model_name_or_path = base_name
    with disk_full_named(folder):
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
) -> Trained:
    """Trains the adapter for a number of steps that fits the minutes; goes on from a checkpoint of the same training.

    Raises:
        TrainingError: The loss is no longer a number.
        DiskFull: There is no room for a checkpoint.
    """
    steps = planned_steps(checkpoints, fingerprint)
    if steps is None:  # nothing to go on from
        seconds_per_step = _seconds_per_step(model, examples, recipe, pad_id)
        most = max(1, MAX_EPOCHS * len(examples) // recipe.batch)
        steps = steps_for(minutes, seconds_per_step, max_steps=most)
        begin(checkpoints, fingerprint, steps)
    logger.info("training %d steps of %d pairs", steps, recipe.batch)

    ordered = schedule(examples, steps=steps, batch=recipe.batch, micro_batch=recipe.micro_batch, seed=seed)
    checkpoint = newest_complete(checkpoints)
    notes = _Notes(ordered, recipe.batch, steps, report)
    trainer = _MiddleTrainer(
        model=model,
        args=_arguments(recipe, steps, seed, checkpoints, model.device.type),
        train_dataset=ordered,
        data_collator=lambda batch: collated(batch, pad_id),
        callbacks=[notes],
    )
    trainer.remove_callback(PrinterCallback)  # it writes to stdout
    with disk_full_named(checkpoints), _out_of_memory_named(recipe):
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    return notes.summary()


@contextmanager
def _out_of_memory_named(recipe: Recipe) -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            f"The GPU's memory does not hold {recipe.micro_batch} pairs at a time. "
            "Lower `micro_batch` in the recipe, or choose a smaller model."
        ) from error


class _MiddleTrainer(Trainer):  # type: ignore[misc]  # transformers is not there where types are checked
    """transformers' Trainer with our loss: per labelled token of the step, so that micro-batches do not matter."""

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        nats, tokens = middle_nats(model, inputs)
        loss = nats / (tokens if num_items_in_batch is None else num_items_in_batch)
        return (loss, None) if return_outputs else loss


class _Notes(TrainerCallback):  # type: ignore[misc]  # as above
    """Follows the training: reports each step, marks complete checkpoints, stops a loss that is no number."""

    def __init__(self, ordered: Sequence[Example], batch: int, steps: int, report: Callable[[Step], None]) -> None:
        self._tokens = [
            sum(example.length for example in ordered[at : at + batch]) for at in range(0, len(ordered), batch)
        ]
        self._steps = steps
        self._report = report
        self._started = time.monotonic()
        self._first = self._last = 0
        self._loss = math.nan

    def on_train_begin(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
        self._started = time.monotonic()
        self._first = self._last = state.global_step

    def on_log(self, _args: Any, state: Any, _control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        if not logs or "loss" not in logs:
            return
        self._loss, self._last = float(logs["loss"]), state.global_step
        if not math.isfinite(self._loss) or not math.isfinite(float(logs.get("grad_norm", 0.0))):
            raise TrainingError(
                f"The training diverged: at step {state.global_step} of {self._steps} the loss is no longer a finite "
                "number. Lower `learning_rate` in the recipe and train again."
            )
        done = self.summary()
        self._report(
            Step(
                step=state.global_step,
                of=self._steps,
                loss=self._loss,
                tokens_per_second=done.tokens_per_second,
                seconds_left=done.seconds_per_step * (self._steps - state.global_step),
            )
        )

    def on_save(self, args: Any, state: Any, _control: Any, **_: Any) -> None:
        mark_complete(Path(args.output_dir), state.global_step)

    def summary(self) -> Trained:
        seconds = time.monotonic() - self._started
        tokens = sum(self._tokens[self._first : self._last])
        return Trained(
            steps=self._steps,
            seconds=seconds,
            tokens=tokens,
            tokens_per_second=tokens / max(seconds, 1e-6),
            seconds_per_step=seconds / max(self._last - self._first, 1),
            final_loss=self._loss,
            resumed_at=self._first,
        )


def _arguments(recipe: Recipe, steps: int, seed: int, checkpoints: Path, device_type: str) -> Any:
    on_gpu = device_type == "cuda"
    return TrainingArguments(
        output_dir=str(checkpoints),
        max_steps=steps,
        per_device_train_batch_size=recipe.micro_batch,
        gradient_accumulation_steps=recipe.batch // recipe.micro_batch,
        train_sampling_strategy="sequential",  # `schedule` has decided the order
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": recipe.final_rate_share},
        warmup_steps=math.ceil(recipe.warmup_share * steps),
        optim="adamw_torch_fused" if on_gpu else "adamw_torch",
        adam_beta2=0.95,  # forgets within 20 steps; the usual 0.999 remembers longer than a short run lasts
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.clip,
        bf16=False,  # autocast is ours, in `middle_nats`, and the same in the evaluation
        gradient_checkpointing=False,  # there is room, and it costs a third
        logging_steps=1,
        logging_nan_inf_filter=False,  # a loss that is no number must be seen
        save_strategy="steps",
        save_steps=max(1, math.ceil(steps / CHECKPOINTS_PER_RUN)),
        save_total_limit=2,  # the newest may be half-written when the process is killed
        seed=seed,
        data_seed=seed,
        use_cpu=not on_gpu,
        dataloader_pin_memory=on_gpu,
        remove_unused_columns=False,
        label_names=["labels"],
        report_to="none",
        disable_tqdm=True,
    )


def _seconds_per_step(model: Any, examples: Sequence[Example], recipe: Recipe, pad_id: int) -> float:
    """Times a few micro-batches of usual length; the weights stay as they are.

    Each is timed twice and the faster counts: the first pass of every length also makes the kernels for it.
    """
    by_length = sorted(examples, key=lambda example: example.length)
    stride = max(1, len(by_length) // (TIMED_MICRO_BATCHES + 1))
    model.train()
    tokens, seconds = 0, 0.0
    for number in range(1, TIMED_MICRO_BATCHES + 1):
        start = min(number * stride, max(0, len(by_length) - recipe.micro_batch))
        chosen = by_length[start : start + recipe.micro_batch]
        tokens += sum(example.length for example in chosen)
        seconds += min(_seconds_of(model, chosen, pad_id) for _ in range(2))
    model.zero_grad()
    mean_length = sum(example.length for example in examples) / len(examples)
    return seconds / tokens * mean_length * recipe.batch


def _seconds_of(model: Any, chosen: Sequence[Example], pad_id: int) -> float:
    started = time.monotonic()
    batch = {name: tensor.to(model.device) for name, tensor in collated(chosen, pad_id).items()}
    nats, labelled = middle_nats(model, batch)
    (nats / labelled).backward()
    float(nats.detach())  # waits for a GPU
    return time.monotonic() - started
