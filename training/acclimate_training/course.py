"""The course of one training: its steps and their order are fixed, whichever part of them a process runs."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import PrinterCallback, TrainerCallback

from . import distributed
from .batches import collated
from .checkpoints import Plan, Resumable, full_disk_named, mark_complete
from .divergence import Watch
from .encoding import Example
from .fitting import Room
from .label_trainer import LabelTrainer, arguments
from .recipe import Recipe
from .shortlist import Shortlist
from .start import Start
from .validation import CurvePoint, chosen_pairs, has_got_worse


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
        start: What was found where two starts were tried; the time for both is in `seconds`.
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
    start: Start | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a process did: seconds, tokens, from after which step to after which, and steps left out by then."""

    seconds: float
    tokens: int
    first: int
    last: int
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One training by one plan.

    Attributes:
        ordered: What is trained on, `recipe.batch` a step.
        held_out: What the plan's measurements ask.
    """

    model: Any
    ordered: Sequence[Example]
    held_out: Sequence[Example]
    recipe: Recipe
    plan: Plan
    seed: int
    pad_id: int
    room: Room
    shortlist: Shortlist | None
    report: Callable[[Step], None]

    def run(self, folder: Path, found: Resumable, *, until: int | None = None) -> tuple[list[dict[str, Any]], Spent]:
        """Trains from where `found` says to the end of the plan, or until after a step; gives the log of all steps.

        Raises:
            TrainingError: The training diverged, or not a single pair fits into the memory.
            DiskFull: There is no room for a checkpoint.
        """
        log = found.log()
        self.room.notes += found.notes
        watch = Watch.after(log, self.plan.steps)
        notes = Notes(self.ordered, self.recipe.batch, self.plan, self.report, watch, self.room, until)
        if has_got_worse(log) or (until is not None and found.step == until):  # killed before anything came of it
            self.model.load_adapter(str(found.checkpoint), "default", is_trainable=True)
            return log, notes.so_far()
        trainer = LabelTrainer(
            model=self.model,
            args=arguments(self.recipe, self.plan.steps, self.seed, folder, self.model.device.type),
            train_dataset=self.ordered,
            data_collator=lambda batch: collated(batch, self.pad_id),
            callbacks=[notes],
        )
        trainer.remove_callback(PrinterCallback)  # it writes to stdout
        asked = chosen_pairs(self.held_out, self.plan.validation.pairs, self.seed)
        trainer.attend(watch, self.room, asked, self.pad_id, self.shortlist)
        with full_disk_named(folder):
            trainer.train(resume_from_checkpoint=None if found.checkpoint is None else str(found.checkpoint))
        return trainer.state.log_history, notes.so_far()


class Notes(TrainerCallback):  # type: ignore[misc]  # transformers is not there where types are checked
    """Follows the training: reports each step, marks complete checkpoints, asks for measurements."""

    def __init__(
        self,
        ordered: Sequence[Example],
        batch: int,
        plan: Plan,
        report: Callable[[Step], None],
        watch: Watch,
        room: Room,
        until: int | None = None,
    ) -> None:
        self._tokens = [
            sum(example.length for example in ordered[at : at + batch]) for at in range(0, len(ordered), batch)
        ]
        self._plan, self._report, self._watch, self._room = plan, report, watch, room
        self._until = until
        self._started = time.monotonic()
        self._first = self._last = 0
        self._told = 0  # of the notes

    def on_train_begin(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
        self._started = time.monotonic()
        self._first = self._last = state.global_step

    def on_step_end(self, _args: Any, state: Any, control: Any, **_: Any) -> None:
        control.should_evaluate = state.global_step in self._plan.validation.steps
        if state.global_step == self._until:
            control.should_save = control.should_training_stop = True

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

    def so_far(self) -> Spent:
        """What this process did."""
        seconds, tokens = self._so_far()
        return Spent(seconds=seconds, tokens=tokens, first=self._first, last=self._last, skipped=self._watch.skipped)

    def _so_far(self) -> tuple[float, int]:
        """Seconds and tokens of this process."""
        return max(time.monotonic() - self._started, 1e-6), sum(self._tokens[self._first : self._last])
