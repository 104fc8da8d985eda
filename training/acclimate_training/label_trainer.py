"""transformers' Trainer with our loss: over the weights of a step's labels, measured and watched on the way."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer
from transformers import TrainingArguments as Arguments

from . import best_weights, distributed
from .divergence import Watch
from .encoding import Example
from .evaluation.loss import is_middle, labelled_nats
from .fitting import Batch, Room
from .recipe import Recipe
from .shortlist import Shortlist
from .validation import LOSS, best_step, has_got_worse

logger = logging.getLogger(__name__)

CHECKPOINTS_PER_RUN = 8  # an interruption costs at most an eighth of the minutes


class LabelTrainer(Trainer):  # type: ignore[misc]  # transformers is not there where types are checked
    """transformers' Trainer with our loss: per weight of the step's labels, so that micro-batches do not matter."""

    control: Any
    loss_is_scaled_for_ga = True

    def attend(
        self, watch: Watch, room: Room, held_out: Sequence[Example], pad_id: int, shortlist: Shortlist | None
    ) -> None:
        """What is beside the arithmetic: to be given before `train`."""
        self._shortlist = shortlist
        self._watch, self._room, self._held_out, self._pad_id = watch, room, held_out, pad_id
        self._micro_batches: list[Batch] = []  # of this step, to be done again when memory runs out
        self._step = -1
        self._middle: list[tuple[torch.Tensor, torch.Tensor]] = []  # nats and tokens of this step

    def training_step(self, model: Any, inputs: Batch, num_items_in_batch: Any = None) -> Any:
        if self._step != self.state.global_step:
            self._step, self._micro_batches, self._middle = self.state.global_step, [], []
        self._micro_batches.append(inputs)
        again = [inputs]

        def attempt() -> Any:
            loss: Any = None
            for batch in again:
                parts = self._room.parts(batch)
                loss = sum(super(LabelTrainer, self).training_step(model, part, num_items_in_batch) for part in parts)
            return loss  # of the last alone: those before it have been counted

        def from_the_steps_beginning() -> None:
            """A backward pass that was broken off has left a part of its gradients."""
            model.zero_grad()
            self._middle = []
            again[:] = self._micro_batches

        return self._room.within(attempt, before_retry=from_the_steps_beginning)

    def compute_loss(
        self, model: Any, inputs: Batch, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        nats, weights = labelled_nats(distributed.as_itself(model), inputs, self._shortlist)
        middle = is_middle(weights)
        self._middle.append((nats.detach()[middle].sum(), middle.sum()))
        total = weights.sum() if num_items_in_batch is None else num_items_in_batch
        # Several devices average their gradients; the sum over the step is wanted.
        loss = (nats * weights).sum() / total * self.accelerator.num_processes
        return (loss, None) if return_outputs else loss

    def _get_num_items_in_batch(self, batch_samples: list[Batch], device: torch.device) -> torch.Tensor:
        """The weight of all labels of the step, which the loss is divided by."""
        weight = torch.stack([batch["weights"][:, 1:].sum() for batch in batch_samples]).sum().to(device)
        return self.accelerator.gather(weight).sum() if self.accelerator.num_processes > 1 else weight

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        """Just before the step: what is odd is not applied, and leaves no trace in the optimiser's moments."""
        norm = super()._get_grad_norm(model, grad_norm=grad_norm)
        if not self._watch.takes(self.state.global_step + 1, float(norm)):
            model.zero_grad()
        return norm

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        if "loss" in logs:
            nats = sum(float(nats) for nats, _ in self._middle)
            tokens = sum(int(count) for _, count in self._middle)
            logs = {**logs, "objective": logs["loss"], "loss": nats / max(tokens, 1)}
        super().log(logs, start_time)

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        loss = best_weights.validation_loss(self.model, self._held_out, pad_id=self._pad_id, rows=self._room.rows)
        self.log({LOSS: loss})
        step, log = self.state.global_step, self.state.log_history
        if best_step(log) == step and self.is_world_process_zero():
            best_weights.keep(self.model, Path(self.args.output_dir), step)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, {LOSS: loss})
        if has_got_worse(log):
            logger.info("the held-out loss has got worse: ending at step %d", step)
            self.control.should_training_stop = self.control.should_save = True
        return {LOSS: loss}


def arguments(recipe: Recipe, steps: int, seed: int, checkpoints: Path, device_type: str) -> Any:
    """How many steps of what, checkpointed how often."""
    on_gpu = device_type == "cuda"
    found = Arguments(
        output_dir=str(checkpoints),
        max_steps=steps,
        per_device_train_batch_size=recipe.micro_batch,
        gradient_accumulation_steps=recipe.batch // recipe.micro_batch // distributed.count(),
        train_sampling_strategy="sequential",  # `schedule` has decided the order
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": recipe.final_rate_share},
        warmup_steps=math.ceil(recipe.warmup_share * steps),
        optim="adamw_torch_fused",  # on a processor too: 5 ms a step for 7.7 million weights, the plain one takes 18
        adam_beta2=0.95,  # forgets within 20 steps; the usual 0.999 remembers longer than a short run lasts
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.clip,
        bf16=False,  # autocast is ours, in `labelled_nats`, and the same in the evaluation
        gradient_checkpointing=False,  # `Room` turns it on where memory asks
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
    if on_gpu and distributed.count() == 1:
        _ = found.device  # counts the GPUs
        found._n_gpu = 1  # noqa: SLF001 - with several in sight transformers would copy the model among threads
    return found
