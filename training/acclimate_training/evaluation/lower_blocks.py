"""The blocks below the first adapter, computed once a prompt and not once a contender.

On a processor an adapter stands on the upper blocks alone. What those below make of a prompt is then the same for the
base, the control and the adapter: of three passes, two need the upper blocks only.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch


class LowerBlocks:
    """Remembers what the blocks without an adapter made of the last prompt; to be told which prompt comes next."""

    def __init__(self) -> None:
        self._prompt = ""
        self._made: torch.Tensor | None = None

    def expect(self, prompt: str) -> None:
        """The next pass is of this prompt; of the same as before, the blocks are not computed again."""
        if prompt != self._prompt:
            self._prompt, self._made = prompt, None

    def instead_of(self, compute: Callable[..., Any], *, is_first: bool, is_last: bool) -> Callable[..., Any]:
        """What stands in for a block's `forward`: the first gives what the last had made, the others pass it on."""

        def forward(states: torch.Tensor, *arguments: Any, **named: Any) -> Any:
            if self._made is not None:
                return self._made if is_first else states
            found = compute(states, *arguments, **named)
            if is_last and isinstance(found, torch.Tensor):
                self._made = found
            return found

        return forward


@contextmanager
def lower_blocks(model: Any) -> Iterator[LowerBlocks]:
    """Within the context the model's blocks below its first adapter remember."""
    memory, lower = LowerBlocks(), _without_adapter(model)
    for number, block in enumerate(lower):
        block.forward = memory.instead_of(block.forward, is_first=number == 0, is_last=number == len(lower) - 1)
    try:
        yield memory
    finally:
        for block in lower:
            del block.forward  # the class's own is there again


def _without_adapter(model: Any) -> list[Any]:
    """The blocks before the first that has an adapter; none where no block has."""
    count = model.config.num_hidden_layers
    for module in model.modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == count:
            blocks = list(module)
            adapted = [any("lora_" in name for name, _ in block.named_parameters()) for block in blocks]
            return blocks[: adapted.index(True)] if True in adapted else []
    return []
