"""Micro-batches that fit into the memory: cut into fewer rows, and blocks computed twice, when there is too little.

Neither changes the arithmetic: losses are summed over the step and divided by the whole step's weight.
"""

import gc
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import torch

from acclimate_indexer.errors import TrainingError

from .batches import rounded, trimmed
from .encoding import Example
from .hardware import free_bytes
from .memory import Load, ModelShape, memory_plan
from .recipe import Recipe
from .shortlist import Shortlist

logger = logging.getLogger(__name__)

T = TypeVar("T")
Batch = dict[str, torch.Tensor]


class Room:
    """How many rows go through the model at a time; fewer from the moment that memory runs out."""

    def __init__(self, model: Any, *, rows: int, checkpointing: bool) -> None:
        self._model = model
        self._checkpointing = False
        self.rows = rows
        self.notes: list[str] = []
        if checkpointing:
            self._checkpoint()

    def parts(self, batch: Batch) -> Iterator[Batch]:
        """The batch in parts of at most so many rows, each cut to its own longest row."""
        count = len(batch["input_ids"])
        if count <= self.rows:
            yield batch
            return
        for at in range(0, count, self.rows):
            yield trimmed({name: tensor[at : at + self.rows] for name, tensor in batch.items()})

    def within(self, attempt: Callable[[], T], *, before_retry: Callable[[], None]) -> T:
        """What `attempt` gives, with fewer rows if memory runs out; `before_retry` undoes what it had begun.

        Raises:
            TrainingError: Not even one row fits.
        """
        while True:
            try:
                return attempt()
            except RuntimeError as error:  # of which `torch.OutOfMemoryError` is one
                if not _is_out_of_memory(error):
                    raise
                said = str(error).partition("\n")[0]
            # Outside of the handler: the error's traceback holds the tensors that did not fit.
            self._shrink(said)
            before_retry()

    def _shrink(self, said: str) -> None:
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            raise TrainingError(
                f"The memory of one of the GPUs does not hold {self.rows} pairs at a time ({said}). "
                "Lower `micro_batch` in the recipe."
            )
        if self.rows > 1:
            self.rows = (self.rows + 1) // 2
            self._note(f"Memory ran out; from here on {self.rows} rows go through the model at a time.")
        elif not self._checkpointing:
            self._checkpoint()
            self._note("Memory ran out; from here on blocks are computed twice, which costs about a third more time.")
        else:
            raise TrainingError(
                f"The memory does not hold a single pair ({said}). Close what else uses it, or choose a smaller model."
            )
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _note(self, sentence: str) -> None:
        logger.warning("%s", sentence)
        self.notes.append(sentence)

    def _checkpoint(self) -> None:
        """Only the blocks' inputs are kept for the backward pass.

        transformers then also makes the embeddings ask for gradients, which the reentrant way needs. Ours does not,
        and with an adapter on the upper blocks it would send the backward pass through the lower ones for nothing.
        """
        self._model.gradient_checkpointing_enable({"use_reentrant": False})
        self._model.disable_input_require_grads()
        self._checkpointing = True


def room_for(model: Any, examples: Sequence[Example], recipe: Recipe, shortlist: Shortlist | None) -> Room:
    """For the longest micro-batch; the base has its memory already."""
    longest = rounded(max(example.length for example in examples))
    if shortlist is None:
        labelled = max(len(example.target) + len(example.around) for example in examples)
        load = Load(longest_tokens=longest, labelled_tokens=labelled)
    else:
        load = Load(
            longest_tokens=longest,
            labelled_tokens=max(len(example.target) for example in examples),
            around_tokens=max(len(example.around) for example in examples),
            around_words=len(shortlist.rows),
        )
    plan = memory_plan(
        ModelShape.of(model.config.to_dict()),
        recipe,
        load,
        free_bytes=free_bytes(model.device.type),
        bytes_per_value=model.get_input_embeddings().weight.element_size(),
    )
    logger.info("%s", plan.reason)
    return Room(model, rows=plan.rows, checkpointing=plan.checkpointing)


def _is_out_of_memory(error: RuntimeError) -> bool:
    """On a processor it is a plain error of torch's allocator; mostly the system ends the process before that."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
