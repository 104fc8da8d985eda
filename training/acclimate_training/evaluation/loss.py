"""Held-out loss: nats of the middle under a model, with and without its adapter.

The trainer minimises exactly what is measured here.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import torch

from ..encoding import IGNORED, Example, collated
from .results import LossResult, ResultStore


def labelled_nats(model: Any, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """The cross entropy of each labelled token in nats, and its weight; both one-dimensional, in the same order.

    The head runs only at positions that some row has a label for: with 150,000 words it would otherwise cost as much
    as several blocks, for about one token in fourteen. The logits that count are then compared in float32. Products
    are taken in the base's own precision; the adapter's float32 weights are rounded for them by autocast.
    """
    device = batch["input_ids"].device
    wanted = batch["labels"][:, 1:]  # the state at a position predicts the next token
    labelled = wanted != IGNORED
    positions = labelled.any(dim=0).nonzero().squeeze(1)
    dtype = model.get_input_embeddings().weight.dtype
    with nullcontext() if dtype == torch.float32 else torch.autocast(device.type, dtype=dtype):
        logits = model(
            input_ids=batch["input_ids"],
            attention_mask=_mask_if_padded(batch["attention_mask"]),
            logits_to_keep=positions,
            use_cache=False,
        ).logits
    kept = labelled[:, positions]
    chosen = wanted[:, positions][kept]
    nats = torch.nn.functional.cross_entropy(logits[kept].float(), chosen, reduction="none")
    return nats, batch["weights"][:, 1:][:, positions][kept]


def middle_nats(model: Any, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, int]:
    """The summed cross entropy of the middles' tokens in nats, and how many they are."""
    nats, weights = labelled_nats(model, batch)
    is_middle = weights == 1
    return nats[is_middle].sum(), int(is_middle.sum())


def measure_losses(
    model: Any,
    examples: Sequence[Example],
    *,
    stores: tuple[ResultStore, ResultStore],
    pad_id: int,
    seconds: float,
    report: Callable[[int, float], None],
) -> None:
    """Measures base and adapter on every example that is not yet in their stores, pair by pair.

    Stopping early therefore leaves both with the same pairs. `report` hears how many are done and the seconds left.
    """
    base_store, adapter_store = stores
    model.eval()
    started = time.monotonic()
    fresh = 0
    for done, example in enumerate(examples, start=1):
        if example.digest() not in base_store.losses or example.digest() not in adapter_store.losses:
            if time.monotonic() - started > seconds:
                return
            batch = {name: tensor.to(model.device) for name, tensor in collated([example], pad_id).items()}
            with torch.inference_mode():
                with model.disable_adapter():
                    base_store.add_loss(_result(example, model, batch))
                adapter_store.add_loss(_result(example, model, batch))
            fresh += 1
        each = (time.monotonic() - started) / max(fresh, 1)
        report(done, min(each * (len(examples) - done), seconds))


def _result(example: Example, model: Any, batch: dict[str, torch.Tensor]) -> LossResult:
    nats, tokens = middle_nats(model, batch)
    return LossResult(example=example.digest(), nats=float(nats), tokens=tokens)


def _mask_if_padded(mask: torch.Tensor) -> torch.Tensor | None:
    """Without a mask attention takes its causal path, which is faster."""
    return None if bool(mask.all()) else mask
