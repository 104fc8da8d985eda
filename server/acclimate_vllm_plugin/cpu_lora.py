"""An adapter's share of a linear layer as two dense products, instead of a gather of its weights for every token.

vLLM's CPU code copies the adapter's matrices once a token, then multiplies them in float32, slice by slice: six times
the cost of the base layer in prefill. Here, for each adapter in the batch, `y += (x @ A.T) @ B.T` runs once over all
its tokens, with the slices of a packed layer (query, key, value; gate, up) joined into one A and one block-diagonal B:
the added zeros cost less than further calls, of which one costs about 20 µs on a CPU, as much as the product itself.

- Which token belongs to which adapter is found once a batch, in `update_metadata`, not once a layer.
- A batch without adapters returns at once.
- The joined matrices are kept by layer and slot until vLLM writes a slot: every in-place write counts up the tensor's
  `_version`, in inference mode too (tested).
- The product in between is rounded to the layer's type, where vLLM keeps float32: within bfloat16's own error (tested).
- Whatever has another form than expected goes to vLLM's own function.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import torch

Rows: TypeAlias = slice | torch.Tensor  # of the batch
Groups: TypeAlias = list[tuple[int, Rows]]  # slot of an adapter, and its tokens


class JoinedLayer:
    """The matrices of one layer, ready to multiply, by slot."""

    __slots__ = ("_slots", "a_stacked", "b_stacked", "tensors")

    def __init__(self, a_stacked: tuple[torch.Tensor, ...], b_stacked: tuple[torch.Tensor, ...]) -> None:
        self.a_stacked = a_stacked  # held, so that the identity by which this object is found stays taken
        self.b_stacked = b_stacked
        self.tensors = (*a_stacked, *b_stacked)
        self._slots: dict[int, tuple[int, tuple[torch.Tensor, torch.Tensor] | None]] = {}

    def matrices(self, slot: int, scale: float) -> tuple[torch.Tensor, torch.Tensor] | None:
        """A and B transposed, B times `scale` (a layer's never changes); None if the adapter leaves the layer alone."""
        version = 0
        for tensor in self.tensors:
            version += tensor._version  # noqa: SLF001  the only count of writes that torch offers
        known = self._slots.get(slot)
        if known is None or known[0] != version:
            known = self._slots[slot] = (version, self._join(slot, scale))
        return known[1]

    def _join(self, slot: int, scale: float) -> tuple[torch.Tensor, torch.Tensor] | None:
        used = [b for b in self.b_stacked if b[slot].any()]
        if not used:
            return None
        a = torch.cat([a[slot, 0] for a in self.a_stacked])
        b = torch.block_diag(*(b[slot, 0] for b in self.b_stacked))
        return a, (b if scale == 1.0 else b * scale).contiguous().t()


def groups_of(slots: torch.Tensor) -> Groups:
    """The tokens of each adapter in the batch; tokens without one (-1) are in no group."""
    values, counts = torch.unique_consecutive(slots, return_counts=True)
    runs: dict[int, list[slice]] = {}
    start = 0
    for slot, count in zip(values.tolist(), counts.tolist(), strict=True):
        if slot >= 0:
            runs.setdefault(slot, []).append(slice(start, start + count))
        start += count
    return [
        (slot, found[0] if len(found) == 1 else torch.cat([torch.arange(run.start, run.stop) for run in found]))
        for slot, found in runs.items()
    ]


def add_lora(y: torch.Tensor, x: torch.Tensor, layer: JoinedLayer, scale: float, groups: Groups) -> None:
    """Adds to each row of `y` what its adapter makes of the same row of `x`."""
    for slot, rows in groups:
        matrices = layer.matrices(slot, scale)
        if matrices is None:
            continue
        a, b_transposed = matrices
        if isinstance(rows, torch.Tensor):
            y.index_add_(0, rows, torch.mm(torch.nn.functional.linear(x[rows], a), b_transposed))
        elif rows.stop - rows.start == x.shape[0]:
            y.addmm_(torch.nn.functional.linear(x, a), b_transposed)
        else:
            y[rows].addmm_(torch.nn.functional.linear(x[rows], a), b_transposed)


def install(wrapper: Any) -> None:
    """Replaces two methods of vLLM's `PunicaWrapperCPU`, which then fall back on what they replaced."""
    if getattr(wrapper, "is_acclimate", False):
        return
    wrapper.update_metadata = _update_metadata(wrapper.update_metadata)
    wrapper.add_lora_linear = _add_lora_linear(wrapper.add_lora_linear)
    wrapper.is_acclimate = True


def _update_metadata(original: Callable[..., None]) -> Callable[..., None]:
    def update_metadata(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        slots = self.token_lora_indices
        self.acclimate_tokens = slots.shape[0]
        self.acclimate_groups = groups_of(slots)

    return update_metadata


def _add_lora_linear(original: Callable[..., None]) -> Callable[..., None]:
    def add_lora_linear(
        self: Any,
        y: torch.Tensor,
        x: torch.Tensor,
        lora_a_stacked: tuple[torch.Tensor, ...],
        lora_b_stacked: tuple[torch.Tensor, ...],
        scale: float,
        output_slices: tuple[int, ...],
        **kwargs: Any,
    ) -> None:
        if not kwargs and _is_expected(self, y, x, lora_a_stacked, lora_b_stacked, output_slices):
            if self.acclimate_groups:
                layer = _joined_layer(self, lora_a_stacked, lora_b_stacked)
                add_lora(y, x, layer, scale, self.acclimate_groups)
            return
        original(self, y, x, lora_a_stacked, lora_b_stacked, scale, output_slices, **kwargs)

    return add_lora_linear


def _is_expected(
    wrapper: Any,
    y: torch.Tensor,
    x: torch.Tensor,
    a_stacked: tuple[torch.Tensor, ...],
    b_stacked: tuple[torch.Tensor, ...],
    output_slices: tuple[int, ...],
) -> bool:
    return (
        x.ndim == 2
        and y.ndim == 2
        and x.shape[0] == y.shape[0] == getattr(wrapper, "acclimate_tokens", None)
        and y.shape[1] == sum(output_slices) == sum(b.shape[2] for b in b_stacked)
        and x.dtype == y.dtype == a_stacked[0].dtype == b_stacked[0].dtype
        and not a_stacked[0].is_inference()  # such a tensor does not count its changes
    )


def _joined_layer(
    wrapper: Any, a_stacked: tuple[torch.Tensor, ...], b_stacked: tuple[torch.Tensor, ...]
) -> JoinedLayer:
    layers: dict[int, JoinedLayer] = wrapper.__dict__.setdefault("acclimate_layers", {})
    layer = layers.get(id(a_stacked))
    if layer is None or layer.b_stacked is not b_stacked:
        layer = layers[id(a_stacked)] = JoinedLayer(a_stacked, b_stacked)
    return layer
