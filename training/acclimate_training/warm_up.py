"""How long a step and a measurement take on this machine, found by doing a few, and the plan that follows.

The weights stay as they are.
"""

import time
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from .batches import collated
from .best_weights import validation_loss
from .checkpoints import Plan
from .encoding import Example
from .evaluation.loss import labelled_nats
from .fitting import Room
from .recipe import Recipe, steps_for
from .shortlist import Shortlist
from .start import Origin, planned_start
from .validation import COST_SHARE, planned_validation

TIMED_MICRO_BATCHES = 4  # each twice: about ten seconds on a processor
TIMED_VALIDATION_PAIRS = 4


def new_plan(
    model: Any,
    examples: Sequence[Example],
    held_out: Sequence[Example],
    *,
    recipe: Recipe,
    minutes: float,
    pad_id: int,
    room: Room,
    shortlist: Shortlist | None,
    steps: int | None,
    shared_unless: Collection[int] | None,
    origin: Origin | None = None,
) -> Plan:
    """How many steps fit into the minutes, when to measure, and whether two starts are tried; decided once."""
    if steps is not None and not held_out:
        return Plan(steps=steps)
    each = seconds_per_step(model, examples, recipe, pad_id=pad_id, room=room, shortlist=shortlist)
    most = max(1, int(recipe.max_epochs * len(examples)) // recipe.batch)
    own = minutes * (1 - COST_SHARE) if held_out else minutes
    is_given = steps is not None
    rung_for = partial(steps_for, seconds_per_step=each, max_steps=most)
    is_shared = False
    if steps is None:
        steps = rung_for(own)
        is_shared = shared_unless is not None and steps not in shared_unless
        if is_shared:
            own /= 2
            steps = rung_for(own)
    if not held_out:
        return Plan(steps=steps)
    pair, start = seconds_per_pair(model, held_out, pad_id=pad_id, room=room), None
    if origin is not None and not is_given:
        start, steps = planned_start(
            origin,
            steps=steps,
            minutes=own,
            rung_for=rung_for,
            seconds_per_step=each,
            seconds_per_pair=pair,
            available=len(held_out),
            may_cost_a_rung=is_shared or shared_unless is None,  # there may be no control of fewer steps
        )
    validation = planned_validation(steps=steps, seconds_per_step=each, seconds_per_pair=pair, available=len(held_out))
    return Plan(steps=steps, validation=validation, start=start)


def seconds_per_step(
    model: Any, examples: Sequence[Example], recipe: Recipe, *, pad_id: int, room: Room, shortlist: Shortlist | None
) -> float:
    """Times a few micro-batches of usual length.

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
        seconds += min(_seconds_of(model, chosen, pad_id, room, shortlist) for _ in range(2))
    model.zero_grad()
    mean_length = sum(example.length for example in examples) / len(examples)
    return seconds / tokens * mean_length * recipe.batch


def seconds_per_pair(model: Any, held_out: Sequence[Example], *, pad_id: int, room: Room) -> float:
    """Of a measurement without a backward pass."""
    by_length = sorted(held_out, key=lambda example: example.length)
    stride = max(1, len(by_length) // TIMED_VALIDATION_PAIRS)
    chosen = by_length[::stride]
    started = time.monotonic()
    validation_loss(model, chosen, pad_id=pad_id, rows=room.rows)
    return (time.monotonic() - started) / len(chosen)


def _seconds_of(model: Any, chosen: Sequence[Example], pad_id: int, room: Room, shortlist: Shortlist | None) -> float:
    batch = {name: tensor.to(model.device) for name, tensor in collated(chosen, pad_id).items()}

    def attempt() -> float:
        started = time.monotonic()
        for part in room.parts(batch):
            nats, weights = labelled_nats(model, part, shortlist)
            ((nats * weights).sum() / weights.sum()).backward()
            float(nats.detach().sum())  # waits for a GPU
        return time.monotonic() - started

    return room.within(attempt, before_retry=model.zero_grad)
