"""The real vLLM with the real model: completions, adapters, aborts, and ends that leave nothing behind."""

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from pathlib import Path

import httpx
import psutil
import pytest
from tests.support.engine import MODEL, START_SECONDS, engine_processes, home_with_model
from tests.support.random_adapter import write_random_adapter

from acclimate_indexer.errors import EngineRefused
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel
from acclimate_indexer.prompts import Cursor, PromptBudget, PromptBuilder
from acclimate_server.engine.lease import EngineLease, read_engine_state
from acclimate_server.engine.options import EngineOptions
from acclimate_training.engine import EngineClient

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1200)]

CODE = "def add(first, second):\n    return \n"
NOISE = 0.5  # of a logit: two ways through bfloat16; the logits of the random adapters' tokens spread over some 20
LONG = 3000  # tokens to generate: minutes on a processor, so an abort is unmistakable

HOLDER = """
import asyncio, pathlib, sys
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel
from acclimate_server.engine.lease import EngineLease
from acclimate_server.engine.options import EngineOptions
async def hold():
    home = Home.default({"ACCLIMATE_HOME": sys.argv[1]})
    options = EngineOptions(runtime_python=pathlib.Path(sys.argv[2]), device=sys.argv[3], idle_seconds=1)
    await EngineLease.acquire(home, options, LocalModel.from_manifest(home.model(sys.argv[4])))
    print("held", flush=True)
    await asyncio.Event().wait()
asyncio.run(hold())
"""


@pytest.fixture
async def client(engine_home: Home, engine_options: EngineOptions) -> AsyncIterator[EngineClient]:
    """A client of the suite's engine, under a lease of its own."""
    model = LocalModel.from_manifest(engine_home.model(MODEL))
    lease = await EngineLease.acquire(engine_home, engine_options, model)
    await lease.wait_ready(START_SECONDS)
    client = EngineClient(lease.address)
    yield client
    await client.aclose()
    await lease.release()


@pytest.fixture
def prompt(real_model_folder: Path) -> list[int]:
    """A hole in a function, as token ids."""
    builder = PromptBuilder.load(real_model_folder, LocalModel.from_manifest(real_model_folder).fim, PromptBudget())
    cursor = Cursor.at(path="sums.py", language="python", text=CODE, start=len(CODE) - 1)
    return list(builder.prompt(cursor, repository="sums"))


async def until(condition: Callable[[], Awaitable[bool]], seconds: float) -> float:
    """How long it took."""
    started = time.monotonic()
    while not await condition():
        assert time.monotonic() < started + seconds, "the condition never came true"
        await asyncio.sleep(0.1)
    return time.monotonic() - started


async def running_requests(client: EngineClient) -> int:
    match = re.search(r"^vllm:num_requests_running\{.*\} (\S+)$", await client.metrics(), re.MULTILINE)
    assert match is not None
    return int(float(match[1]))


async def test_the_base_completes_from_ids_and_streams_the_same(client: EngineClient, prompt: list[int]) -> None:
    answer = await client.complete(prompt, model=MODEL, max_tokens=8)
    streamed = [piece async for piece in client.stream(prompt, model=MODEL, max_tokens=8)]

    assert await client.is_healthy()
    assert await client.base_model() == MODEL
    assert answer.text.startswith(" first + second")
    assert "".join(piece.text for piece in streamed) == answer.text
    assert sum(len(piece.nats) for piece in streamed) == len(answer.token_ids)
    assert all(nats >= 0 for piece in streamed for nats in piece.nats)
    assert 0 < len(answer.token_ids) <= 8


async def test_no_address_but_the_health_answers_without_the_key(client: EngineClient) -> None:
    root = client.address.url.removesuffix("/v1")
    async with httpx.AsyncClient(base_url=root, trust_env=False) as http:
        found = {path: (await http.get(path)).status_code for path in ("/health", "/metrics", "/version", "/v1/models")}

    assert found == {"/health": 200, "/metrics": 401, "/version": 401, "/v1/models": 401}
    assert "vllm:num_requests_running" in await client.metrics()


async def test_a_stop_token_ends_the_answer_and_is_not_printed(client: EngineClient, prompt: list[int]) -> None:
    whole = await client.complete(prompt, model=MODEL, max_tokens=8)

    answer = await client.complete(prompt, model=MODEL, max_tokens=8, stop_token_ids=[whole.token_ids[1]])

    assert answer.finish_reason == "stop"
    assert answer.token_ids == whole.token_ids[:2]


async def test_adapters_are_loaded_and_swapped_while_it_runs(
    client: EngineClient, prompt: list[int], real_model_folder: Path, tmp_path: Path
) -> None:
    names = ("random-1", "random-2")
    before = await client.complete(prompt, model=MODEL, max_tokens=12)
    for seed, name in enumerate(names):
        folder = await asyncio.to_thread(write_random_adapter, real_model_folder, tmp_path / name, seed=seed)
        await client.load_adapter(name, folder)
        await client.load_adapter(name, folder)

    alone = [await client.complete(prompt, model=name, max_tokens=12) for name in names]
    together = await asyncio.gather(
        *(client.complete(prompt, model=name, max_tokens=12, priority=20) for name in (*names, MODEL))
    )

    assert set(names) <= await client.adapters()
    assert len({answer.token_ids for answer in (before, *alone)}) == 3
    assert together[2].token_ids == before.token_ids  # beside two adapters in one batch, the base stays the base
    for name in names:
        await client.unload_adapter(name)
    assert not set(names) & await client.adapters()


@pytest.mark.tensor
@pytest.mark.filterwarnings("ignore")  # transformers warns about its own parts
async def test_the_engine_computes_with_an_adapter_what_peft_does(
    client: EngineClient, prompt: list[int], real_model_folder: Path, tmp_path: Path
) -> None:
    peft, transformers = pytest.importorskip("peft"), pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    folder = write_random_adapter(real_model_folder, tmp_path / "random-3", seed=3)
    await client.load_adapter("random-3", folder)

    answer = await client.complete(prompt, model="random-3", max_tokens=8)

    base = transformers.AutoModelForCausalLM.from_pretrained(real_model_folder, dtype=torch.bfloat16)
    model = peft.PeftModel.from_pretrained(base, folder)

    def regret() -> float:
        """By how much the model would rather have said something else than the engine did."""
        with torch.inference_mode():
            logits = model(torch.tensor([[*prompt, *answer.token_ids]])).logits[0, len(prompt) - 1 : -1].float()
        chosen = logits.gather(1, torch.tensor(answer.token_ids).unsqueeze(1)).squeeze(1)
        return float((logits.max(dim=1).values - chosen).max())

    assert regret() < NOISE
    with model.disable_adapter():
        assert regret() > NOISE
    await client.unload_adapter("random-3")


async def test_a_folder_that_is_no_adapter_is_refused(client: EngineClient, tmp_path: Path) -> None:
    with pytest.raises(EngineRefused):
        await client.load_adapter("nothing", tmp_path)

    assert await client.is_healthy()


async def test_an_unknown_adapter_is_refused_by_name(client: EngineClient) -> None:
    with pytest.raises(EngineRefused, match="missing-adapter"):
        await client.complete([1, 2, 3], model="missing-adapter", max_tokens=1)


async def test_a_wrong_key_is_refused(client: EngineClient) -> None:
    stranger = EngineClient(type(client.address)(url=client.address.url, key="guess"))

    with pytest.raises(EngineRefused, match="refused the key"):
        await stranger.base_model()

    await stranger.aclose()


async def test_leaving_a_stream_aborts_the_generation(client: EngineClient, prompt: list[int]) -> None:
    async with aclosing(client.stream(prompt, model=MODEL, max_tokens=LONG)) as pieces:
        async for _ in pieces:
            assert await running_requests(client) == 1
            break

    assert await until(lambda: _is_idle(client), 10) < 10


async def test_cancelling_the_task_aborts_the_generation(client: EngineClient, prompt: list[int]) -> None:
    task = asyncio.create_task(client.complete(prompt, model=MODEL, max_tokens=LONG))
    await until(lambda: _is_busy(client), 20)

    task.cancel()

    with suppress(asyncio.CancelledError):
        await task
    assert await until(lambda: _is_idle(client), 10) < 10


async def test_a_killed_holder_leaves_no_engine_even_while_it_loads(
    real_model_folder: Path, engine_options: EngineOptions, tmp_path: Path
) -> None:
    home = home_with_model(tmp_path / "home", real_model_folder)
    arguments = [str(home.data), str(engine_options.runtime_python), engine_options.device, MODEL]
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    await until(lambda: _has_processes(home, 3), 30)

    holder.kill()

    await holder.wait()
    await until(lambda: _has_ended(home), 40)
    assert read_engine_state(home) is None


async def test_a_dead_core_is_noticed_and_a_killed_supervisor_leaves_nothing(
    real_model_folder: Path, engine_options: EngineOptions, tmp_path: Path
) -> None:
    home = home_with_model(tmp_path / "home", real_model_folder)
    lease = await EngineLease.acquire(home, engine_options, LocalModel.from_manifest(home.model(MODEL)))
    await lease.wait_ready(START_SECONDS)
    core = next(process for process in engine_processes(home) if "EngineCore" in " ".join(process.cmdline()))

    core.kill()

    await until(lambda: _is_in_state(lease, "starting"), 60)
    assert "restarted after a crash" in lease.state.reason
    await until(lambda: _has_processes(home, 3), 60)
    state = read_engine_state(home)
    assert state is not None
    psutil.Process(state["pid"]).kill()
    await until(lambda: _has_ended(home), 40)
    await lease.release()


async def _is_idle(client: EngineClient) -> bool:
    return await running_requests(client) == 0


async def _is_busy(client: EngineClient) -> bool:
    return await running_requests(client) > 0


async def _has_processes(home: Home, count: int) -> bool:
    return len(engine_processes(home)) >= count


async def _has_ended(home: Home) -> bool:
    return not engine_processes(home)


async def _is_in_state(lease: EngineLease, state: str) -> bool:
    return lease.state.state == state
