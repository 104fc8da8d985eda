"""How long a step and a measurement take on this machine, found by doing a few; the weights stay as they are."""

import time
from collections.abc import Sequence
from typing import Any

from .best_weights import validation_loss
from .encoding import Example, collated
from .evaluation.loss import labelled_nats
from .fitting import Room
from .recipe import Recipe

TIMED_MICRO_BATCHES = 4  # each twice: about ten seconds on a processor
TIMED_VALIDATION_PAIRS = 4


def seconds_per_step(model: Any, examples: Sequence[Example], recipe: Recipe, *, pad_id: int, room: Room) -> float:
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
        seconds += min(_seconds_of(model, chosen, pad_id, room) for _ in range(2))
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


def _seconds_of(model: Any, chosen: Sequence[Example], pad_id: int, room: Room) -> float:
    batch = {name: tensor.to(model.device) for name, tensor in collated(chosen, pad_id).items()}

    def attempt() -> float:
        started = time.monotonic()
        for part in room.parts(batch):
            nats, weights = labelled_nats(model, part)
            ((nats * weights).sum() / weights.sum()).backward()
            float(nats.detach().sum())  # waits for a GPU
        return time.monotonic() - started

    return room.within(attempt, before_retry=model.zero_grad)
