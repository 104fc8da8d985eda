"""Tries both starts of a training, and puts the better one where the training goes on from (`start` says why)."""

import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from peft import set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file

from acclimate_indexer.errors import AdapterError

from . import distributed
from .best_weights import validation_loss
from .checkpoints import Plan, resumable, settle
from .course import Course, Spent, Step
from .start import Origin, Start
from .validation import chosen_pairs

STARTS = "starts"  # of the checkpoints' folder: what was tried, until one is chosen
AFRESH, CONTINUED = "afresh", "continued"
WEIGHTS = "adapter_model.safetensors"  # peft's name
DIGITS = 4  # of a loss in nats; what differs by less is a tie


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """The plan with its choice, what the chosen start took, and how long both took together."""

    plan: Plan
    chosen: Spent
    seconds: float


def tried(
    course: Course, origin: Origin, checkpoints: Path, fingerprint: str, *, begin_at: Path | None = None
) -> Tried:
    """Trains both starts for the plan's first steps and compares them; what was tried before a kill is not repeated.

    Args:
        begin_at: Where to begin afresh begins, if not from nothing.

    Raises:
        AdapterError: The earlier adapter cannot be read.
        TrainingError: One of them diverged.
        DiskFull: There is no room for a checkpoint.
    """
    start = course.plan.start
    assert start is not None
    began = time.monotonic()
    afresh, spent_afresh = _loss_after(course, start, checkpoints / STARTS / AFRESH, done=0, weights=begin_at)
    continued, spent_continued = _loss_after(
        course, start, checkpoints / STARTS / CONTINUED, done=start.steps, weights=origin.weights
    )

    def chosen() -> Plan:
        plan = replace(course.plan, start=start.decided(afresh=afresh, continued=continued))
        assert plan.start is not None
        settle(checkpoints, fingerprint, plan)
        put_in_place(checkpoints, plan.start)
        return plan

    plan = distributed.agreed(chosen)
    is_continued = plan.start is not None and plan.start.continues
    return Tried(plan=plan, chosen=spent_continued if is_continued else spent_afresh, seconds=time.monotonic() - began)


def put_in_place(checkpoints: Path, start: Start) -> None:
    """Moves the checkpoints of the chosen start to where the training looks for them; the other's go.

    May be called again after it was interrupted.
    """
    if not start.is_decided or not (checkpoints / STARTS).is_dir():
        return
    chosen = checkpoints / STARTS / (CONTINUED if start.continues else AFRESH)
    for found in sorted(chosen.glob("*")):
        found.replace(checkpoints / found.name)
    shutil.rmtree(checkpoints / STARTS, ignore_errors=True)


def take_weights(model: Any, folder: Path) -> None:
    """Gives the model's adapter the weights of another one of its shape.

    Raises:
        AdapterError: They cannot be read, or do not fit.
    """
    try:
        found = set_peft_model_state_dict(model, load_file(folder / WEIGHTS))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise AdapterError(
            f"The adapter {folder.name!r} cannot be gone on from ({error}). Delete its folder."
        ) from error
    if found.unexpected_keys:
        raise AdapterError(f"The adapter {folder.name!r} has weights that this training has not. Delete it.")


def _loss_after(
    course: Course, start: Start, folder: Path, *, done: int, weights: Path | None = None
) -> tuple[float, Spent]:
    """The loss after the first steps, in nats a token; `done` steps of trying are over by now."""
    found = distributed.agreed(lambda: resumable(folder))
    if weights is not None and found.checkpoint is None:
        take_weights(course.model, weights)

    def report(step: Step) -> None:
        message = step.message or "Trying where to begin: afresh, or from an earlier adapter."
        course.report(replace(step, step=done + step.step, of=2 * start.steps, message=message))

    _, spent = replace(course, report=report).run(folder, found, until=start.steps)
    asked = chosen_pairs(course.held_out, start.pairs, course.seed)
    loss = validation_loss(course.model, asked, pad_id=course.pad_id, rows=course.room.rows)
    return round(loss, DIGITS), spent
