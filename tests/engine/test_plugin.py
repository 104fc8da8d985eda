"""Our adapter arithmetic against stock vLLM's, and that it stays out of the way where it should."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from acclimate_training.core import CORE_VARIABLE, this_core

pytestmark = [pytest.mark.tensor, pytest.mark.filterwarnings("ignore")]  # vLLM's imports warn about their own parts

INPUTS, RANK, SLOTS = 96, 16, 3
NONE = -1  # a token without an adapter
EMPTY = SLOTS - 1  # left without weights: stock vLLM takes -1 for the last slot, and is right only if that is empty
BATCHES = {
    "one adapter, prefill": [0] * 40,
    "one adapter, decode": [1],
    "two adapters and base, prefill": [0] * 9 + [NONE] * 5 + [1] * 17,
    "an adapter in two places": [0] * 3 + [1] * 4 + [0] * 5 + [NONE] + [1],
    "base only": [NONE] * 12,
    "an adapter without weights": [EMPTY] * 4,
}
LAYERS = {"one matrix": (64,), "query, key and value": (64, 16, 16), "gate and up": (80, 80)}

REGISTER = """
from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU
import acclimate_vllm_plugin as plugin
{before}
plugin.register()
plugin.register()
print(getattr(PunicaWrapperCPU, "is_acclimate", False))
"""


class Wrappers:
    """Stock vLLM's class, and a subclass of it with our two methods."""

    def __init__(self) -> None:
        self.torch: Any = importlib.import_module("torch")
        self.cpu_lora = importlib.import_module("acclimate_vllm_plugin.cpu_lora")
        self.stock: Any = importlib.import_module("vllm.lora.punica_wrapper.punica_cpu").PunicaWrapperCPU
        self.ours: Any = type("Ours", (self.stock,), {})
        self.cpu_lora.install(self.ours)

    def prepared(self, kind: Any, tokens: list[int]) -> Any:
        """A wrapper that was told which token belongs to which slot, as vLLM tells it before each batch."""
        layers = importlib.import_module("vllm.lora.layers")
        wrapper = kind(256, 16, "cpu")
        mapping = layers.LoRAMapping(tuple(slot + 1 for slot in tokens), (tokens[0] + 1,), is_prefill=True)
        wrapper.update_metadata(mapping, [1, 2, 3], SLOTS, 100)
        return wrapper

    def weights(self, outputs: tuple[int, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        torch = self.torch
        torch.manual_seed(0)
        a = tuple(torch.randn(SLOTS, 1, RANK, INPUTS).bfloat16() * 0.1 for _ in outputs)
        b = tuple(torch.randn(SLOTS, 1, size, RANK).bfloat16() * 0.1 for size in outputs)
        for matrix in (*a, *b):
            matrix[EMPTY] = 0
        return a, b


@pytest.fixture(scope="module")
def wrappers() -> Iterator[Wrappers]:
    pytest.importorskip("vllm", reason="vLLM is not installed for this interpreter")
    yield Wrappers()


@pytest.mark.parametrize("outputs", LAYERS.values(), ids=LAYERS.keys())
@pytest.mark.parametrize("tokens", BATCHES.values(), ids=BATCHES.keys())
def test_the_outputs_are_stock_vllms(wrappers: Wrappers, tokens: list[int], outputs: tuple[int, ...]) -> None:
    torch = wrappers.torch
    a, b = wrappers.weights(outputs)
    x = torch.randn(len(tokens), INPUTS).bfloat16()
    y = torch.randn(len(tokens), sum(outputs)).bfloat16()
    expected, found = y.clone(), y.clone()

    with torch.inference_mode():
        wrappers.prepared(wrappers.stock, tokens).add_lora_linear(expected, x, a, b, 1.0, outputs)
        wrappers.prepared(wrappers.ours, tokens).add_lora_linear(found, x, a, b, 1.0, outputs)

    torch.testing.assert_close(found, expected, rtol=0.016, atol=0.016)  # two roundings of bfloat16
    assert torch.equal(found, y) == all(slot in (NONE, EMPTY) for slot in tokens)


def test_a_base_request_beside_an_adapter_is_left_alone_even_if_all_slots_are_full(wrappers: Wrappers) -> None:
    torch = wrappers.torch
    a, b = wrappers.weights((64,))
    for matrix in (*a, *b):
        matrix[EMPTY] = matrix[0]
    x, y = torch.randn(4, INPUTS).bfloat16(), torch.randn(4, 64).bfloat16()
    found = y.clone()

    wrappers.prepared(wrappers.ours, [0, 0, NONE, NONE]).add_lora_linear(found, x, a, b, 1.0, (64,))

    assert torch.equal(found[2:], y[2:])
    assert not torch.equal(found[:2], y[:2])


def test_a_slot_that_gets_another_adapter_is_seen(wrappers: Wrappers) -> None:
    torch = wrappers.torch
    a, b = wrappers.weights((64, 16))
    wrapper = wrappers.prepared(wrappers.ours, [0] * 4)
    x = torch.randn(4, INPUTS).bfloat16()

    with torch.inference_mode():
        before, after, expected = (torch.zeros(4, 80).bfloat16() for _ in range(3))
        wrapper.add_lora_linear(before, x, a, b, 1.0, (64, 16))
        b[1][0].zero_()
        b[0][0].copy_(torch.randn(1, 64, RANK))
        wrapper.add_lora_linear(after, x, a, b, 1.0, (64, 16))
        wrappers.prepared(wrappers.stock, [0] * 4).add_lora_linear(expected, x, a, b, 1.0, (64, 16))

    assert not torch.equal(before, after)
    torch.testing.assert_close(after, expected, rtol=0.016, atol=0.016)


def test_what_has_another_form_goes_to_stock_vllm(wrappers: Wrappers) -> None:
    torch = wrappers.torch
    a, b = wrappers.weights((64,))
    x, y = torch.randn(4, INPUTS), torch.zeros(4, 64)  # float32 beside bfloat16 weights
    expected = y.clone()

    wrappers.prepared(wrappers.stock, [0] * 4).add_lora_linear(expected, x, a, b, 1.0, (64,))
    wrappers.prepared(wrappers.ours, [0] * 4).add_lora_linear(y, x, a, b, 1.0, (64,))

    assert torch.equal(y, expected)


@pytest.mark.parametrize(
    ("is_ours", "before", "installed"),
    [
        ("1", "", "True"),
        ("", "", "False"),
        ("1", "plugin.KNOWN_SOURCES = dict.fromkeys(plugin.KNOWN_SOURCES)", "False"),
    ],
    ids=["in our engine", "in somebody else's vLLM", "beside code that it does not know"],
)
def test_it_replaces_only_what_it_knows_and_only_in_our_engine(
    wrappers: Wrappers, is_ours: str, before: str, installed: str
) -> None:
    code = REGISTER.format(before=before)
    environment = {"ACCLIMATE_ENGINE": is_ours, "PATH": "/usr/bin:/bin", "HF_HUB_OFFLINE": "1"}
    environment[CORE_VARIABLE] = this_core()

    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environment, check=True, capture_output=True, text=True
    )

    assert done.stdout.splitlines()[-1] == installed
