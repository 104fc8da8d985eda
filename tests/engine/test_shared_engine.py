"""One real vLLM for several people and several versions of an adapter: who gets what, and what runs on."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.conftest import MakeRepository
from tests.support.adapter_folder import record
from tests.support.engine import MODEL, START_SECONDS, engine_processes, home_with_model, until
from tests.support.lsp import connected
from tests.support.random_adapter import write_random_adapter

from acclimate_indexer.errors import EngineError, EngineUnavailable
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel
from acclimate_indexer.prompts import Cursor, PromptBudget, PromptBuilder
from acclimate_indexer.repository import Repository
from acclimate_server.engine.freeing import free_engine
from acclimate_server.engine.lease import EngineLease
from acclimate_server.engine.options import EngineOptions
from acclimate_training.engine import Completion, EngineClient
from acclimate_training.registry import AdapterRegistry

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1200)]

CODE = "def add(first, second):\n    return \n"
ANSWER_TOKENS = 12
LONG_ANSWER_TOKENS = 64  # seconds on two cores; an adapter is loaded in a tenth of one
BUSY = re.compile(r"^vllm:num_requests_running\{.*\} [1-9]", re.MULTILINE)
NOISE = 0.5  # of a nat: two ways through bfloat16; a wrong adapter's tokens cost several


@pytest.fixture
async def lease(engine_home: Home, engine_options: EngineOptions) -> AsyncIterator[EngineLease]:
    """Of the home that the suite's engine belongs to."""
    lease = await EngineLease.acquire(engine_home, engine_options, LocalModel.from_manifest(engine_home.model(MODEL)))
    await lease.wait_ready(START_SECONDS)
    yield lease
    await lease.release()


@pytest.fixture
async def client(lease: EngineLease) -> AsyncIterator[EngineClient]:
    client = EngineClient(lease.address)
    yield client
    await client.aclose()


@pytest.fixture
def prompt(real_model_folder: Path) -> list[int]:
    """A hole in a function, as token ids."""
    builder = PromptBuilder.load(real_model_folder, LocalModel.from_manifest(real_model_folder).fim, PromptBudget())
    cursor = Cursor.at(path="sums.py", language="python", text=CODE, start=len(CODE) - 1)
    return list(builder.prompt(cursor, repository="sums"))


async def until_running(client: EngineClient) -> None:
    """Waits until the engine has begun with a request."""
    async with asyncio.timeout(60):
        while not BUSY.search(await client.metrics()):  # noqa: ASYNC110  # of another process
            await asyncio.sleep(0.05)


async def assert_same(
    client: EngineClient, prompt: list[int], one: Completion, other: Completion, *, model: str
) -> None:
    """The same tokens. Beside other requests the engine rounds otherwise: where they part, both must be as likely."""
    pairs = enumerate(zip(one.token_ids, other.token_ids, strict=False))
    parting = next((number for number, (first, second) in pairs if first != second), None)
    if parting is None:
        return
    before = [*prompt, *one.token_ids[:parting]]
    costs = [
        (await client.token_nats([*before, answer.token_ids[parting]], model=model))[-1] for answer in (one, other)
    ]
    assert abs(costs[0] - costs[1]) < NOISE


async def test_a_request_finishes_on_the_adapter_that_it_began_with_while_the_next_takes_over(
    client: EngineClient, prompt: list[int], real_model_folder: Path, tmp_path: Path
) -> None:
    old, new = [
        await asyncio.to_thread(write_random_adapter, real_model_folder, tmp_path / f"swap-{seed}", seed=seed)
        for seed in (11, 12)
    ]
    await client.load_adapter("swap-11", old)
    undisturbed = await client.complete(prompt, model="swap-11", max_tokens=LONG_ANSWER_TOKENS)

    running = asyncio.create_task(client.complete(prompt, model="swap-11", max_tokens=LONG_ANSWER_TOKENS))
    await until_running(client)
    await client.load_adapter("swap-12", new)
    await client.unload_adapter("swap-11")  # as somebody else may: the name goes, and the request stays
    taken_over = await client.complete(prompt, model="swap-12", max_tokens=ANSWER_TOKENS)
    is_still_running = not running.done()
    disturbed = await running

    alone = await client.complete(prompt, model="swap-12", max_tokens=ANSWER_TOKENS)
    await client.load_adapter("swap-11", old)
    assert is_still_running
    await assert_same(client, prompt, undisturbed, disturbed, model="swap-11")
    await assert_same(client, prompt, alone, taken_over, model="swap-12")
    assert taken_over.token_ids != undisturbed.token_ids[: len(taken_over.token_ids)]
    for name in ("swap-11", "swap-12"):
        await client.unload_adapter(name)


async def test_two_homes_share_an_engine_and_each_gets_its_own_adapter(
    lease: EngineLease,
    client: EngineClient,
    prompt: list[int],
    real_model_folder: Path,
    make_repository: MakeRepository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    theirs = await asyncio.to_thread(write_random_adapter, real_model_folder, tmp_path / "a-1", seed=21)
    await client.load_adapter("a-1", theirs)
    home = home_with_model(tmp_path / "other home", real_model_folder)
    monkeypatch.setenv("ACCLIMATE_HOME", str(home.data))
    repository, shared = make_repository({"sums.py": CODE}), tmp_path / "shared"
    shared.mkdir()
    await asyncio.to_thread(publish_random, home, repository, "b-1", real_model_folder, seed=22)
    engine = {"url": lease.address.url, "key": lease.address.key, "adapters_folder": str(shared)}

    async with connected(repository, {"model": {"name": MODEL}, "engine": engine}) as editor:
        await editor.status_where(lambda status: status["engine"]["state"] == "ready", 60)
        editor.open(repository / "sums.py", CODE)
        await editor.inline(repository / "sums.py", 1, 11)
        await editor.status_where(lambda status: status["adapter"]["state"] == "in use", 60)
        await editor.inline(repository / "sums.py", 1, 11)
        status = await editor.command("acclimate.status")

    assert (status["engine"], status["completed_by"]) == ({"state": "ready", "reason": ""}, "b-1")
    assert (shared / "b-1").is_dir()
    both = ("a-1", "b-1")
    alone = [await client.complete(prompt, model=name, max_tokens=ANSWER_TOKENS) for name in both]
    together = await asyncio.gather(*(client.complete(prompt, model=name, max_tokens=ANSWER_TOKENS) for name in both))
    assert alone[0].token_ids != alone[1].token_ids
    for name, one, other in zip(both, alone, together, strict=True):
        await assert_same(client, prompt, one, other, model=name)
    assert engine_processes(home) == []  # it never had an engine of its own
    for name in both:
        await client.unload_adapter(name)


async def test_a_wrong_key_is_said_in_the_status(
    lease: EngineLease, real_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = home_with_model(tmp_path / "other home", real_model_folder)
    monkeypatch.setenv("ACCLIMATE_HOME", str(home.data))
    folder = tmp_path / "folder"
    folder.mkdir()

    options = {"model": {"name": MODEL}, "engine": {"url": lease.address.url, "key": "somebody else's"}}
    async with connected(folder, options) as editor:
        status = await editor.status_where(lambda status: status["engine"]["state"] == "failed", 60)

    assert "refused the key. Check `engine.key`" in status["engine"]["reason"]


async def test_freeing_ends_it_while_it_loads_and_with_a_request_in_flight(
    real_model_folder: Path, engine_options: EngineOptions, prompt: list[int], tmp_path: Path
) -> None:
    home = home_with_model(tmp_path / "home", real_model_folder)
    model = LocalModel.from_manifest(home.model(MODEL))
    lease = await EngineLease.acquire(home, engine_options, model)
    await until(lambda: len(engine_processes(home)) >= 4, START_SECONDS)  # supervisor, guard, server and core

    assert await free_engine(home, "a test")

    assert engine_processes(home) == []
    await lease.release()
    lease = await EngineLease.acquire(home, engine_options, model)
    await lease.wait_ready(START_SECONDS)
    client = EngineClient(lease.address)
    stream = client.stream(prompt, model=MODEL, max_tokens=3000)
    await anext(stream)

    assert await free_engine(home, "a test")

    assert engine_processes(home) == []
    with pytest.raises(EngineError) as caught:
        async for _ in stream:
            pass
    assert isinstance(caught.value, EngineUnavailable)
    await client.aclose()
    await until(lambda: "freed by a test" in lease.state.reason)
    await lease.release()


def publish_random(home: Home, repository: Path, version: str, model_folder: Path, *, seed: int) -> None:
    """An adapter of `repository` in use that no training made, with what a server wants to know of it."""
    registry = AdapterRegistry(home.for_repository(Repository.open(repository).common_directory))
    partial = registry.partial(version)
    partial.rmdir()
    write_random_adapter(model_folder, partial, seed=seed)
    model = LocalModel.from_manifest(model_folder)
    registry.publish(partial, record(version, base={"name": MODEL, "identity": model.identity}))
    registry.set_live(version)
