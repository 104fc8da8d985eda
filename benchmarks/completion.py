"""Completion: an adapter against the base in one engine, and the language server against a bare call to that engine.

`python -m benchmarks.completion --stock` also measures vLLM's own adapter arithmetic, in an engine without our plugin.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.engine import MODEL, MODEL_FOLDER, START_SECONDS, home_with_model
from tests.support.random_adapter import write_random_adapter

from acclimate_indexer.completion_cut import is_complete
from acclimate_indexer.errors import ModelError, RuntimeMissing
from acclimate_indexer.home import Home
from acclimate_indexer.languages.registry import language_of
from acclimate_indexer.models import LocalModel, local_model
from acclimate_indexer.prompts import Cursor, PromptBudget, PromptBuilder
from acclimate_indexer.repository import Repository
from acclimate_server.cli.ask import AskedServer, asked_server
from acclimate_server.engine.child import free_port
from acclimate_server.engine.command import vllm_command, vllm_environment
from acclimate_server.engine.lease import EngineLease, stop_engine
from acclimate_server.engine.options import EngineOptions, EngineSpec
from acclimate_server.runtime.find import find_runtime
from acclimate_training.engine import EngineAddress, EngineClient

ADAPTER = "random"
PROMPT_TOKENS = (500, 1500)  # what a completion takes without retrieval, and a long one
DECODE_TOKENS = 64
ROUNDS = 3  # base and adapter in turn, so that a noisy neighbour disturbs both; the median counts
PLACES = 6  # cursors for the server's overhead
MAX_TOKENS = 64  # the setting `completion.max_tokens` for them


def main(repositories: list[Path], *, stock: bool = False) -> dict[str, Any]:
    """All figures; seconds are medians, a ratio is adapter over base."""
    try:
        runtime = find_runtime(Home.default())
        named = os.environ.get(MODEL_FOLDER)
        model = LocalModel.from_manifest(Path(named)) if named else local_model(Home.default(), MODEL)
    except (RuntimeMissing, ModelError) as error:
        return {"skipped": str(error)}
    with tempfile.TemporaryDirectory() as folder:
        home = home_with_model(Path(folder) / "home", model.folder)
        adapter = write_random_adapter(model.folder, Path(folder) / ADAPTER, seed=0)
        options = EngineOptions(runtime_python=runtime.python, device=runtime.device)
        result = asyncio.run(_measured(home, options, adapter, _places(repositories)))
        if stock:
            result["adapter in stock vLLM"] = asyncio.run(_stock(home, options, adapter))
        return {"model": model.name, "device": runtime.device} | result


async def _measured(home: Home, options: EngineOptions, adapter: Path, places: list[Path]) -> dict[str, Any]:
    lease = await EngineLease.acquire(home, options, local_model(home, MODEL))
    client = EngineClient(lease.address)
    try:
        await lease.wait_ready(START_SECONDS)
        return {
            "adapter": await _adapter_against_base(client, adapter),
            "server": await _server_against_engine(client, home, places),
        }
    finally:
        await client.aclose()
        await lease.release()
        await stop_engine(home)


async def _stock(home: Home, options: EngineOptions, adapter: Path) -> dict[str, Any]:
    async with _stock_engine(home, options) as client:
        return await _adapter_against_base(client, adapter)


async def _adapter_against_base(client: EngineClient, adapter: Path) -> dict[str, Any]:
    await client.load_adapter(ADAPTER, adapter)
    for name in (MODEL, ADAPTER):  # the first request of each kind allocates
        await _seconds(client, name, _random_prompt(32), 4)
    figures: dict[str, Any] = {}
    for tokens in PROMPT_TOKENS:
        rates: dict[str, list[float]] = {MODEL: [], ADAPTER: []}
        for _ in range(ROUNDS):
            for name, found in rates.items():
                seconds, _ = await _seconds(client, name, _random_prompt(tokens), 1)
                found.append(tokens / seconds)
        figures[f"prefill of {tokens} tokens"] = _compared(rates)
    rates = {MODEL: [], ADAPTER: []}
    for _ in range(ROUNDS):
        for name, found in rates.items():
            prompt = _random_prompt(32)
            whole, count = await _seconds(client, name, prompt, DECODE_TOKENS)
            first, _ = await _seconds(client, name, prompt, 1)
            found.append((count - 1) / (whole - first))
    figures["decode"] = _compared(rates)
    return figures


def _compared(rates: dict[str, list[float]]) -> dict[str, float]:
    """The ratio is the median of the rounds' own, since a neighbour's load changes between rounds."""
    base, adapter = rates[MODEL], rates[ADAPTER]
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


async def _server_against_engine(client: EngineClient, home: Home, places: list[Path]) -> dict[str, Any]:
    """The same prompt through the whole server, and bare until as much text is there as the server waits for."""
    model = local_model(home, MODEL)
    builder = PromptBuilder.load(model.folder, model.fim, PromptBudget())
    through: list[float] = []
    bare: list[float] = []
    asking: list[float] = []
    with _environment("ACCLIMATE_HOME", str(home.data)), tempfile.TemporaryDirectory() as folder:
        options = {"model": {"name": MODEL}, "adapter": "none", "completion": {"max_tokens": MAX_TOKENS}}
        async with asked_server(Path(folder), options) as server:
            await server.wait_engine(START_SECONDS)
            for place in places:
                text, path = place.read_text(encoding="utf-8"), Path(folder) / place.name
                offset = _middle_of_a_line(text)
                language = language_of(place.name)
                assert language is not None
                cursor = Cursor.at(path=path.name, language=language.name, text=text, start=offset)
                prompt = builder.prompt(cursor, repository=Path(folder).name)
                server.open(path, language.name, text)
                for round_number in range(ROUNDS + 1):
                    times = (
                        await _through_server(server, path, text, offset),
                        await _bare(client, prompt, builder.stop_ids, cursor),
                        await _status(server),
                    )
                    if round_number:  # the first one fills the prefix cache
                        for found, seconds in zip((through, bare, asking), times, strict=True):
                            found.append(seconds)
    overheads = [whole - ask - engine for whole, engine, ask in zip(through, bare, asking, strict=True)]
    return {
        "places": len(places),
        "completion_seconds": statistics.median(through) - statistics.median(asking),
        "bare_call_seconds": statistics.median(bare),
        "overhead_milliseconds": statistics.median(overheads) * 1000,
    }


async def _through_server(server: AskedServer, path: Path, text: str, offset: int) -> float:
    started = time.perf_counter()
    await server.complete(path, text, offset)
    return time.perf_counter() - started


async def _status(server: AskedServer) -> float:
    """`complete` of the asking server asks for the status as well, which no editor does."""
    started = time.perf_counter()
    await server.status()
    return time.perf_counter() - started


async def _bare(client: EngineClient, prompt: Sequence[int], stop_ids: Sequence[int], cursor: Cursor) -> float:
    started = time.perf_counter()
    answer = ""
    stream = client.stream(prompt, model=MODEL, max_tokens=MAX_TOKENS, stop_token_ids=stop_ids)
    async with aclosing(stream) as pieces:
        async for piece in pieces:
            answer += piece.text
            if is_complete(answer, language=cursor.language, prefix=cursor.prefix, suffix=cursor.suffix):
                break
    return time.perf_counter() - started


def _middle_of_a_line(text: str) -> int:
    """Somewhere in the middle of the file, after a third of a line that is long enough."""
    lines = text.splitlines(keepends=True)
    for number in range(len(lines) // 2, len(lines)):
        if len(lines[number].strip()) > 30:  # room for a beginning and for an answer
            indent = len(lines[number]) - len(lines[number].lstrip())
            return sum(map(len, lines[:number])) + indent + len(lines[number].strip()) // 3
    return len(text) // 2


def _places(repositories: list[Path]) -> list[Path]:
    """Files to complete in: of the given repositories, else of the standard library."""
    if not repositories:
        return [Path(str(module.__file__)) for module in (argparse, asyncio.tasks, json.decoder, statistics, textwrap)]
    found: list[Path] = []
    for repository in map(Repository.open, repositories):
        root = repository.work_tree
        paths = [entry.path for entry in repository.files(repository.head()) if language_of(entry.path) is not None]
        if root is not None:
            found += [root / path for path in sorted(paths)[:: max(1, len(paths) // PLACES)][:PLACES]]
    return found


@asynccontextmanager
async def _stock_engine(home: Home, options: EngineOptions) -> AsyncIterator[EngineClient]:
    """The same command as the supervisor's, with the plugin told to stay out."""
    assert options.runtime_python is not None
    spec = EngineSpec.of(options, local_model(home, MODEL), options.runtime_python)
    port, key = free_port(), "benchmark"
    with home.engine_log.open("ab") as log:
        process = subprocess.Popen(  # noqa: ASYNC220  # milliseconds
            [sys.executable, "-P", "-m", "acclimate_server.engine.guard", *vllm_command(spec, port)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=home.engine_log.parent,
            env=vllm_environment(key, spec.device) | {"ACCLIMATE_ENGINE": "0"},
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


@contextlib.contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repositories", nargs="*", type=Path)
    parser.add_argument("--stock", action="store_true", help="also measure vLLM's own adapter arithmetic")
    arguments = parser.parse_args()
    print(json.dumps(main(arguments.repositories, stock=arguments.stock), indent=1))
