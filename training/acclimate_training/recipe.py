"""Every number of the training, with its unit and its reason; and minutes as a step count.

What was measured for the defaults: `benchmarks/training.py` and the notes beside the fields.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import takewhile
from math import gcd
from typing import Any, Literal, Self

from acclimate_indexer.errors import UsageError
from acclimate_indexer.prompts import PromptBudget

Device = Literal["cpu", "cuda"]
ExampleKind = Literal["completion", "documentation", "review", "general"]
Layers = Literal["all", "upper_three_quarters", "upper_half"]
Method = Literal["lora", "qlora"]

LEARNING_VERSION = 2  # to be raised when one recipe would give other weights than before
SHORTEST_RUNGS = (5, 10)  # steps; only a forced minute or a very slow machine lands here
FIRST_RUNG = 25  # steps; then 35, 50, 70, 100, 140 ...: runs of one length can be compared, and a control be cached
MIN_PAIRS = 100  # of the training part; fewer teach the format at best, and their comparison means nothing
VLLM_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)  # an engine loads adapters of no other rank
SEVEN_LINEARS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How an adapter is trained. The defaults are those of a processor without a GPU.

    Attributes:
        method: `qlora` keeps the frozen base in 4 bits: for models that do not fit otherwise. It is slower, and the
            base that is served is then not quite the one that was trained against.
        rank: Of the adapter. On few data 16 does as well as 256, and vLLM's default limit is 16.
        alpha: Scales the adapter by alpha / rank; twice the rank is the common choice.
        dropout: None: a pair is seen once or twice.
        targets: All linear layers of a block do better than attention alone. Never the head or the embeddings, which
            vLLM does not serve.
        layers: The backward pass ends at the lowest block with an adapter. 120 pairs of the standard library, once each
            from nothing, took 171 s on all blocks and left a loss of 1.075 nats a token, 129 s on the upper two thirds
            (1.103), and 115 s on the upper half (1.157); n 80, one run each (0.5B, two cores with AVX-512 BF16). At
            equal time from a primer of its shape the upper half (49 steps) left 0.061 [0.029, 0.095] more than all
            (32) on fastmcp, n 110 (benchmarks/results/ablation-fastmcp.md); the upper three quarters (43) and all (35)
            were not told apart: -0.002 [-0.023, 0.021] (benchmarks/results/ablation-fastmcp-three-quarters.md).
        learning_rate: About ten times that of full fine-tuning, nearly independent of the rank, and higher for runs of
            fewer than a hundred steps.
        final_rate_share: Of the learning rate, where the cosine ends.
        warmup_share: Of the steps, rising to the full rate.
        max_epochs: A pair seen more often is learnt by heart.
        batch: Pairs a step. Short runs need steps: with the upper half, 112 pairs in fours left a held-out loss of
            1.45 nats a token, 136 in eights 1.53 (base 2.60). One run each of 150 s on one repository (fastmcp), with
            other work on the machine: weak evidence, and not to be judged on that repository again.
        micro_batch: Pairs at a time; changes memory and speed, not the arithmetic. On an H200 the 0.5B model trained 57
            thousand tokens a second in sixteens (48 GB at most), 39 in eights (25 GB), and 49 in all 32 of a step, cut
            in two for memory: there rows of one length stand together less often (`make gpu-check`, 20 steps each).
        weight_decay: Small; the adapter is small already.
        clip: Largest norm of the gradient.
        max_target_tokens: Longer middles are left out.
        around_weight: What a token of the code around the middle weighs in the loss, where one of the middle weighs 1:
            it was read anyway, and it is code of this repository, too. From a control that knew the format, 25 steps on
            fastmcp took 0.042 [0.021, 0.064] off the loss in 112 s (`shortlist`); 40 steps with the middle alone 0.010
            [-0.014, 0.032] in 152 s (n 80). 0.1 took 0.036 off, 1.0 0.042, a third of the positions 0.031, names alone
            0.021. On openai-agents-python 0.3 took 0.042 [0.018, 0.066] off in 25 steps, the middle alone 0.016
            [-0.003, 0.035], and 0.3 on general code 0.010 [-0.008, 0.024].
            One run each, with other work on the machine: the seconds say less than the losses. At equal time on all
            blocks, 33 steps with the middle alone left 0.047 [0.024, 0.072] more than 32 with this, and 35 with a
            weight of 0.1 left as much: +0.004 [-0.016, 0.023] (benchmarks/results/ablation-fastmcp.md; checks ran
            beside them for some minutes). Less than 1.
        retrieval_share: Of the pairs that carry retrieved code in their prompt, as the server may put it there. On a
            processor none: a half made 21 steps of 32 in the same time, and left 0.014 [-0.008, 0.037] more loss, and
            0.025 [0.004, 0.047] more even where retrieved code was shown (fastmcp, n 110; the same table).
        documentation_share: Of the pairs that are doc-comments.
        review_share: Of the pairs that are reviews, most of which say that nothing is wrong.
        general_share: Of the pairs that are of other repositories' code, against forgetting.
        budget: Tokens of the prompt; serving uses the same, read from the adapter. At equal time on fastmcp half of it
            (58 steps) took 0.025 [0.001, 0.053] more off the loss in the default's prompts, and twice as much (21
            steps) 0.020 [-0.005, 0.047] less; but asked in its own prompts the half left 1.081 nats a token, the
            default 0.942 and twice as much 0.817 (benchmarks/results/ablation-fastmcp.md). So the more the better where
            it can be read in time, and that sets it: on a processor half a second.
    """

    method: Method = "lora"
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    targets: tuple[str, ...] = SEVEN_LINEARS
    layers: Layers = "all"
    learning_rate: float = 4e-4
    final_rate_share: float = 0.1
    warmup_share: float = 0.05
    max_epochs: float = 3.0
    batch: int = 4
    micro_batch: int = 1
    weight_decay: float = 0.01
    clip: float = 0.5
    max_target_tokens: int = 256
    around_weight: float = 0.3
    retrieval_share: float = 0.0
    documentation_share: float = 0.1
    review_share: float = 0.1
    general_share: float = 0.05
    budget: PromptBudget = field(default_factory=PromptBudget)

    @classmethod
    def for_device(cls, device: Device, overrides: dict[str, Any] | None = None) -> Self:
        """The recipe of a device, with single fields replaced.

        Args:
            overrides: Fields of the recipe; or `context_length`, the tokens of the whole prompt, from which the parts
                of the budget get their usual shares.

        Raises:
            UsageError: There is no such field, the batch cannot be divided, no engine serves the rank, or the code
                around a middle would weigh as much as it.
        """
        given = dict(overrides or {})
        length = given.pop("context_length", None)
        recipe = cls(**{**_DEVICE_FIELDS[device], **_known(cls, given)})
        if "micro_batch" not in given:
            recipe = replace(recipe, micro_batch=gcd(recipe.micro_batch, recipe.batch))
        if length is not None:
            recipe = replace(recipe, budget=recipe.budget.scaled(length / recipe.budget.total))
        return recipe.checked()

    def checked(self) -> Self:
        if min(self.rank, self.batch, self.micro_batch) < 1 or self.batch % self.micro_batch:
            raise UsageError(
                f"A batch of {self.batch} pairs cannot be taken {self.micro_batch} at a time with rank {self.rank}: "
                "all must be positive, and the batch a multiple of the micro-batch."
            )
        if not 0 <= self.around_weight < 1:
            raise UsageError(f"A token around the middle may weigh from 0 to less than 1, not {self.around_weight:g}.")
        if self.rank not in VLLM_RANKS:
            allowed = ", ".join(map(str, VLLM_RANKS))
            raise UsageError(f"An adapter of rank {self.rank} cannot be served; vLLM takes {allowed}.")
        return self

    @property
    def shares(self) -> dict[ExampleKind, float]:
        """Which kinds of pairs a training is fed, and how much of each."""
        others: dict[ExampleKind, float] = {
            "documentation": self.documentation_share,
            "review": self.review_share,
            "general": self.general_share,
        }
        return {"completion": 1.0 - sum(others.values()), **others}

    def layer_numbers(self, block_count: int) -> list[int] | None:
        """Which blocks get an adapter, for peft's `layers_to_transform`; None means all."""
        return None if self.layers == "all" else list(range(block_count // _BLOCKS_OVER[self.layers], block_count))

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"targets": list(self.targets)}

    def fingerprint(self) -> str:
        """Changes when, and only when, a field does, or what the trainer makes of them."""
        meant = [LEARNING_VERSION, self.to_json()]
        return hashlib.sha256(json.dumps(meant, sort_keys=True).encode()).hexdigest()[:16]


_BLOCKS_OVER: dict[Layers, int] = {"upper_three_quarters": 4, "upper_half": 2}  # those below have no adapter

# A GPU has room for the whole prompt; the larger batch keeps it busy and steadies the gradient.
_DEVICE_FIELDS: dict[Device, dict[str, Any]] = {
    "cpu": {},
    "cuda": {
        "learning_rate": 2e-4,
        "batch": 32,
        "micro_batch": 16,
        "retrieval_share": 0.5,
        "budget": PromptBudget(prefix=1024, suffix=512, context=1024),
    },
}


def _known(recipe: type[Recipe], overrides: dict[str, Any]) -> dict[str, Any]:
    unknown = set(overrides) - {item.name for item in fields(recipe)}
    if unknown:
        raise UsageError(f"The recipe has no {', '.join(map(repr, sorted(unknown)))}.")
    known = dict(overrides)
    if isinstance(known.get("budget"), dict):
        known["budget"] = PromptBudget(**known["budget"])
    if "targets" in known:
        known["targets"] = tuple(known["targets"])
    return known


def rungs() -> Iterator[int]:
    """The ladder of step counts, without end."""
    yield from SHORTEST_RUNGS
    rung = FIRST_RUNG
    while True:
        yield rung
        yield rung * 7 // 5  # next to half-way, as a factor: no more than 30% of the minutes are left unused
        rung *= 2


def rung_below(steps: int) -> int:
    """The next lower rung; the lowest has none."""
    return max(takewhile(lambda rung: rung < steps, rungs()), default=steps)


def steps_for(minutes: float, seconds_per_step: float, *, max_steps: int | None = None) -> int:
    """The highest rung that fits into the minutes and is not above `max_steps`; the lowest if none does."""
    affordable = minutes * 60 / max(seconds_per_step, 1e-6)
    limit = affordable if max_steps is None else min(affordable, max_steps)
    return max(takewhile(lambda rung: rung <= limit, rungs()), default=SHORTEST_RUNGS[0])
