"""The loss in nats a token. What the trainer minimises is what is measured on held-out pairs."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch

from ..batches import collated
from ..encoding import IGNORED
from ..shortlist import Shortlist
from .contenders import Model
from .requests import Request, Stores, unmeasured
from .results import LossResult

ADAPTER_NAMES: Mapping[Model, str] = {"adapter": "default", "control": "control"}  # within a peft model


def labelled_nats(
    model: Any, batch: dict[str, torch.Tensor], shortlist: Shortlist | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """The cross entropy of each labelled token in nats, and its weight; both one-dimensional, in the same order.

    The head runs only at positions that some row has a label for: with 150,000 words it would otherwise cost as much
    as several blocks, for about one token in fourteen. The logits that count are then compared in float32. Products
    are taken in the base's own precision; the adapter's float32 weights are rounded for them by autocast.

    Args:
        shortlist: What labels around the middle are compared with; None compares them with all words.
    """
    device = batch["input_ids"].device
    wanted = batch["labels"][:, 1:]  # the state at a position predicts the next token
    labelled = wanted != IGNORED
    positions = labelled.any(dim=0).nonzero().squeeze(1)
    kept = labelled[:, positions]
    chosen, weights = wanted[:, positions][kept], batch["weights"][:, 1:][:, positions][kept]
    dtype = model.get_input_embeddings().weight.dtype
    with nullcontext() if dtype == torch.float32 else torch.autocast(device.type, dtype=dtype):
        if shortlist is None:
            logits = model(input_ids=batch["input_ids"], logits_to_keep=positions, use_cache=False).logits[kept]
            return torch.nn.functional.cross_entropy(logits.float(), chosen, reduction="none"), weights
        with _headless(model) as head:
            states = model(input_ids=batch["input_ids"], logits_to_keep=positions, use_cache=False).logits[kept]
        middle = is_middle(weights)
        nats = torch.empty_like(weights)
        nats[middle] = torch.nn.functional.cross_entropy(head(states[middle]).float(), chosen[middle], reduction="none")
        nats[~middle] = shortlist.nats(states[~middle], chosen[~middle])
    return nats, weights


def is_middle(weights: torch.Tensor) -> torch.Tensor:
    """Which labels are of what was to be filled in, and not of what stood around it."""
    return weights >= 1


@contextmanager
def _headless(model: Any) -> Iterator[Any]:
    """Within the context the model gives its last states for logits."""
    head = model.get_output_embeddings()
    head.forward = lambda states: states
    try:
        yield lambda states: type(head).forward(head, states)
    finally:
        del head.forward


def middle_nats(model: Any, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, int]:
    """The summed cross entropy of the middles' tokens in nats, and how many they are."""
    nats, weights = labelled_nats(model, batch)
    middle = is_middle(weights)
    return nats[middle].sum(), int(middle.sum())


def measure_losses(
    model: Any,
    requests: Sequence[Request],
    stores: Stores,
    *,
    pad_id: int,
    seconds: float,
    report: Callable[[int, int, float], None],
) -> None:
    """Measures what is not yet in the stores, one after another, until the time is up.

    `report` hears how many are done, of how many, and the seconds left.
    """
    model.eval()
    started = time.monotonic()
    waiting = unmeasured(requests, stores)
    for done, request in enumerate(waiting, start=1):
        if time.monotonic() - started > seconds:
            return
        stores[request.contender.model].add_loss(_measured(model, request, pad_id))
        elapsed = time.monotonic() - started
        left = min(elapsed / done * (len(waiting) - done), max(0.0, seconds - elapsed))
        report(len(requests) - len(waiting) + done, len(requests), left)


def _measured(model: Any, request: Request, pad_id: int) -> LossResult:
    example = request.question.examples[request.contender.form]
    batch = {name: tensor.to(model.device) for name, tensor in collated([example], pad_id).items()}
    with torch.inference_mode(), speaking_as(model, request.contender.model):
        nats, tokens = middle_nats(model, batch)
    return LossResult(example=request.digest, nats=float(nats), tokens=tokens)


@contextmanager
def speaking_as(model: Any, who: Model) -> Iterator[None]:
    """Within the block the base speaks, with one of its adapters or bare."""
    if who == "base":
        with model.disable_adapter() if hasattr(model, "disable_adapter") else nullcontext():
            yield
        return
    model.set_adapter(ADAPTER_NAMES[who])
    yield
