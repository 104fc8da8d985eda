"""Pairs as token ids and labels; all ids come from the one prompt builder.

What is wanted (the middle, the comment) carries a label of weight 1. The code around it may carry one of
a smaller weight: it was read anyway, and it is code of this repository too. Nothing here needs a tensor library.
"""

import hashlib
import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from acclimate_indexer.mining.contexts import CONTEXT_SHARE
from acclimate_indexer.pairs import CompletionPair, ReviewPair, Snippet
from acclimate_indexer.prompts import Cursor, PromptBuilder
from acclimate_indexer.review_answer import answer_text

from .recipe import ExampleKind

IGNORED = -100  # the label that torch's cross entropy leaves out
GROUPED_STEPS = 8  # pairs of this many steps are sorted by length together: little padding, hardly less chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A prompt and its answer as ids; the answer ends with the end-of-text token.

    Attributes:
        kind: Of the pair; `general` for code of other repositories.
        around: Positions of the prompt whose tokens are learnt too, ascending.
        around_weight: What their labels weigh, where one of the answer weighs 1.
    """

    prompt: tuple[int, ...]
    target: tuple[int, ...]
    around: tuple[int, ...] = ()
    around_weight: float = 0.0
    kind: ExampleKind = "completion"

    @property
    def length(self) -> int:
        return len(self.prompt) + len(self.target)

    @property
    def labels(self) -> tuple[int, ...]:
        """One a token: the token itself where it is to be learnt."""
        wanted = set(self.around)
        before = (token if at in wanted else IGNORED for at, token in enumerate(self.prompt))
        return (*before, *self.target)

    @property
    def weights(self) -> tuple[float, ...]:
        """One a token: what its label weighs."""
        wanted = set(self.around)
        before = (self.around_weight if at in wanted else 0.0 for at in range(len(self.prompt)))
        return (*before, *(1.0 for _ in self.target))

    def digest(self) -> str:
        """Names this very question and answer, whatever budget or tokenizer made it."""
        return hashlib.sha256(f"{self.prompt}{self.target}".encode()).hexdigest()[:16]


def encoded(
    pair: CompletionPair, builder: PromptBuilder, *, repository: str, context: Sequence[Snippet] = ()
) -> Example:
    """The pair as the server asks it, with this retrieved code before it, and the answer that is wanted."""
    cursor = Cursor(path=pair.path, language=pair.language, prefix=pair.prefix, suffix=pair.suffix)
    prompt = builder.prompt(cursor, repository=repository, context=context)
    return Example(prompt=prompt, target=builder.target(pair.middle, prefix=pair.prefix), kind=pair.kind)


def encoded_review(pair: ReviewPair, builder: PromptBuilder, *, repository: str) -> Example:
    """The hunk as the server asks about it, and the comment, or that there is none."""
    prompt = builder.review_prompt(pair.hunk, path=pair.path, repository=repository)
    return Example(prompt=prompt, target=builder.target(answer_text(pair.comment)), kind="review")


def with_code_around(example: Example, weight: float, *, markers: Collection[int]) -> Example:
    """The example with labels on its prompt's text; `markers` are the special tokens, which nobody has to guess.

    The first token has nothing before it and is left out.
    """
    if weight <= 0:
        return example
    around = tuple(at for at, token in enumerate(example.prompt) if at and token not in markers)
    return replace(example, around=around, around_weight=weight)


def training_examples(
    pairs: Iterable[CompletionPair],
    builder: PromptBuilder,
    *,
    repository: str,
    max_target_tokens: int,
    retrieval_share: float = 0.0,
    around_weight: float = 0.0,
    kind: ExampleKind | None = None,
) -> list[Example]:
    """All pairs whose middle is not too long, in their order.

    Args:
        retrieval_share: How many of them keep the retrieved code that the data set gives to half of them.
        around_weight: See `Example`.
        kind: What they count as; None for what each pair is.
    """
    taken = []
    for pair in pairs:
        context = pair.context if _keeps_context(pair, retrieval_share) else ()
        example = encoded(pair, builder, repository=repository, context=context)
        if len(example.target) <= max_target_tokens:
            example = with_code_around(example, around_weight, markers=builder.stop_ids)
            taken.append(example if kind is None else replace(example, kind=kind))
    return taken


def _keeps_context(pair: CompletionPair, share: float) -> bool:
    """Whether, the pair alone decides, so that another recipe changes no other pair."""
    if not pair.context:
        return False
    mark = hashlib.sha256(f"{pair.path}\0{pair.middle}\0{len(pair.prefix)}".encode("utf-8", "replace")).digest()
    return int.from_bytes(mark[:4]) / 2**32 < share / CONTEXT_SHARE


def schedule(examples: Sequence[Example], *, steps: int, batch: int, micro_batch: int, seed: int) -> list[Example]:
    """What is trained on, in order, `batch` a step: decided before the first step, so that a resumed run is the same.

    The examples come most useful first: a short run takes the first of them, in a mixed order, and every example comes
    once before any comes twice. Neighbours within a micro-batch are of similar length.
    """
    rng = random.Random(seed)  # noqa: S311 - an order, not a key
    wanted = steps * batch
    drawn: list[Example] = []
    while len(drawn) < wanted:
        first = examples[: wanted - len(drawn)]
        drawn += rng.sample(first, len(first))
    ordered: list[Example] = []
    window = GROUPED_STEPS * batch
    for start in range(0, wanted, window):
        grouped = sorted(drawn[start : min(start + window, wanted)], key=lambda example: example.length)
        micro_batches = [grouped[at : at + micro_batch] for at in range(0, len(grouped), micro_batch)]
        rng.shuffle(micro_batches)
        ordered += [example for group in micro_batches for example in group]
    return ordered
