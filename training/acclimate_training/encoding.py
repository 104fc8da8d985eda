"""Pairs as token ids and labels. Only the middle carries labels; all ids come from the one prompt builder.

Nothing here needs a tensor library until a batch is put together.
"""

import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.prompts import Cursor, PromptBuilder

if TYPE_CHECKING:
    import torch

IGNORED = -100  # the label that torch's cross entropy leaves out
GROUPED_STEPS = 8  # pairs of this many steps are sorted by length together: little padding, hardly less chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A prompt and its answer as ids; the answer ends with the end-of-text token."""

    prompt: tuple[int, ...]
    target: tuple[int, ...]

    @property
    def length(self) -> int:
        return len(self.prompt) + len(self.target)

    @property
    def labels(self) -> tuple[int, ...]:
        """One a token: the token itself where it is to be learnt."""
        return (*(IGNORED for _ in self.prompt), *self.target)

    def digest(self) -> str:
        """Names this very question and answer, whatever budget or tokenizer made it."""
        return hashlib.sha256(f"{self.prompt}{self.target}".encode()).hexdigest()[:16]


def encoded(pair: CompletionPair, builder: PromptBuilder, *, repository: str) -> Example:
    """The pair as the server would ask it, which is without retrieved code, and the answer that is wanted."""
    cursor = Cursor(path=pair.path, language=pair.language, prefix=pair.prefix, suffix=pair.suffix)
    prompt = builder.prompt(cursor, repository=repository)
    return Example(prompt=prompt, target=builder.target(pair.middle))


def training_examples(
    pairs: Iterable[CompletionPair], builder: PromptBuilder, *, repository: str, max_target_tokens: int
) -> list[Example]:
    """All pairs whose middle is not too long."""
    examples = (encoded(pair, builder, repository=repository) for pair in pairs)
    return [example for example in examples if len(example.target) <= max_target_tokens]


def schedule(examples: Sequence[Example], *, steps: int, batch: int, micro_batch: int, seed: int) -> list[Example]:
    """What is trained on, in order, `batch` a step: decided before the first step, so that a resumed run is the same.

    Every example comes once before any comes twice. Neighbours within a micro-batch are of similar length.
    """
    rng = random.Random(seed)  # noqa: S311 - an order, not a key
    drawn: list[Example] = []
    while len(drawn) < steps * batch:
        drawn += rng.sample(examples, len(examples))
    ordered: list[Example] = []
    window = GROUPED_STEPS * batch
    for start in range(0, steps * batch, window):
        grouped = sorted(drawn[start : min(start + window, steps * batch)], key=lambda example: example.length)
        micro_batches = [grouped[at : at + micro_batch] for at in range(0, len(grouped), micro_batch)]
        rng.shuffle(micro_batches)
        ordered += [example for group in micro_batches for example in group]
    return ordered


def collated(examples: Sequence[Example], pad_id: int) -> dict[str, "torch.Tensor"]:
    """A batch, padded on the right."""
    import torch

    longest = max(example.length for example in examples)
    padding = [longest - example.length for example in examples]
    rows = list(zip(examples, padding, strict=True))
    return {
        "input_ids": torch.tensor([[*row.prompt, *row.target, *[pad_id] * pad] for row, pad in rows]),
        "attention_mask": torch.tensor([[1] * row.length + [0] * pad for row, pad in rows]),
        "labels": torch.tensor([[*row.labels, *[IGNORED] * pad] for row, pad in rows]),
    }
