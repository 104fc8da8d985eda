"""An adapter against the base in one engine, and vLLM's own adapter arithmetic in an engine without our plugin."""

import asyncio
import random
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.engine import START_SECONDS

from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel
from acclimate_server.engine.child import free_port
from acclimate_server.engine.command import vllm_command, vllm_environment
from acclimate_server.engine.options import EngineOptions, EngineSpec
from acclimate_training.engine import EngineAddress, EngineClient

ADAPTER = "random adapter"
PROMPT_TOKENS = (500, 1500)  # what a completion takes without retrieval, and a long one
DECODE_TOKENS = 64
ROUNDS = 3  # base and adapter in turn, so that a noisy neighbour disturbs both; the median counts


async def in_stock_vllm(home: Home, options: EngineOptions, model: LocalModel, adapter: Path) -> dict[str, Any]:
    """The same comparison in an engine without our plugin."""
    async with _stock_engine(home, options, model) as client:
        return await adapter_against_base(client, model, adapter)


async def adapter_against_base(client: EngineClient, model: LocalModel, adapter: Path) -> dict[str, Any]:
    """Tokens a second of both, and the median of the rounds' ratios."""
    await client.load_adapter(ADAPTER, adapter)
    names = (model.name, ADAPTER)
    for name in names:  # the first request of each kind allocates
        await _seconds(client, name, _random_prompt(32), 4)
    figures: dict[str, Any] = {}
    for tokens in PROMPT_TOKENS:
        rates: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(ROUNDS):
            for name, found in rates.items():
                seconds, _ = await _seconds(client, name, _random_prompt(tokens), 1)
                found.append(tokens / seconds)
        figures[f"prefill of {tokens} tokens"] = _compared(*rates.values())
    rates = {name: [] for name in names}
    for _ in range(ROUNDS):
        for name, found in rates.items():
            prompt = _random_prompt(32)
            whole, count = await _seconds(client, name, prompt, DECODE_TOKENS)
            first, _ = await _seconds(client, name, prompt, 1)
            found.append((count - 1) / (whole - first))
    figures["decode"] = _compared(*rates.values())
    return figures


def _compared(base: Sequence[float], adapter: Sequence[float]) -> dict[str, float]:
    """The ratio is the median of the rounds' own, since a neighbour's load changes between rounds."""
    return {
        "base_tokens_per_second": statistics.median(base),
        "adapter_tokens_per_second": statistics.median(adapter),
        "ratio": statistics.median(ours / theirs for ours, theirs in zip(adapter, base, strict=True)),
    }


async def _seconds(client: EngineClient, model: str, prompt: Sequence[int], max_tokens: int) -> tuple[float, int]:
    started = time.perf_counter()
    completion = await client.complete(prompt, model=model, max_tokens=max_tokens)
    return time.perf_counter() - started, len(completion.token_ids)


def _random_prompt(tokens: int) -> list[int]:
    return [random.randrange(1000, 100_000) for _ in range(tokens)]  # noqa: S311  # never in the prefix cache


@asynccontextmanager
async def _stock_engine(home: Home, options: EngineOptions, model: LocalModel) -> AsyncIterator[EngineClient]:
    """The same command as the supervisor's, with the plugin told to stay out."""
    assert options.runtime_python is not None
    spec = EngineSpec.of(options, model, options.runtime_python)
    port, key = free_port(), "benchmark"
    with home.engine_log.open("ab") as log:
        process = subprocess.Popen(  # noqa: ASYNC220  # milliseconds
            [sys.executable, "-P", "-m", "acclimate_server.engine.guard", *vllm_command(spec, port)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=home.engine_log.parent,
            env=vllm_environment(key, spec) | {"ACCLIMATE_ENGINE": "0"},
        )
    client = EngineClient(EngineAddress(url=f"http://127.0.0.1:{port}", key=key))
    try:
        async with asyncio.timeout(START_SECONDS):
            while not await client.is_healthy():  # noqa: ASYNC110  # it is another process: nobody sets an event
                await asyncio.sleep(0.5)
        yield client
    finally:
        await client.aclose()
        assert process.stdin is not None
        process.stdin.close()  # the guard ends vLLM
        await asyncio.to_thread(process.wait)
