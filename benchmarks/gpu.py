"""What only a GPU can show: `make gpu-check JSON=1`, some ten minutes on a machine that has one.

Training (in 16 and in 4 bits, alone, beside an engine that answers, while that engine sleeps, on several GPUs),
swapping adapters, and how long an answer takes meanwhile. A part that fails says why, and the others go on; where there
is no vLLM, the trainer's parts are all there is. What has no record in `benchmarks/results` is *written, not run*.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.material import materials, missing_runtime, model_at_hand
from tests.support.engine import MODEL, START_SECONDS, home_with_model
from tests.support.random_adapter import write_random_adapter

from acclimate_indexer.errors import AcclimateError, ModelError, RuntimeMissing
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel, local_model
from acclimate_indexer.prompts import PromptBuilder
from acclimate_server.engine.lease import EngineLease, stop_engine
from acclimate_server.engine.options import EngineOptions
from acclimate_server.runtime.find import find_runtime
from acclimate_training.devices import GpuShare, gpu_share, installed_gpus
from acclimate_training.encoding import training_examples
from acclimate_training.engine import EngineClient
from acclimate_training.engine_sleep import engine_asleep
from acclimate_training.recipe import Device, Recipe
from acclimate_training.task import Lesson, Task, loaded, performed
from acclimate_training.together import performed_together

PAIRS = 800
STEPS = 25
PROMPT_TOKENS, ANSWER_TOKENS = 500, 16
ASKED = 20  # answers for a median
MICRO_BATCHES = (8, 16, 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What all parts share."""

    local: LocalModel
    where: Device
    folder: Path
    prompt: tuple[int, ...]
    lesson: Lesson
    pad_id: int

    @classmethod
    def of(cls, local: LocalModel, where: Device, folder: Path, *, pairs: int = PAIRS, steps: int = STEPS) -> "Check":
        recipe = Recipe.for_device(where)
        builder = PromptBuilder.load(local.folder, local.fim, recipe.budget)
        (material,) = materials([], pairs=pairs, held_out=1)
        examples = training_examples(
            material.pairs["completion"],
            builder,
            repository=material.name,
            max_target_tokens=recipe.max_target_tokens,
            around_weight=recipe.around_weight,
        )
        longest = max(examples, key=lambda example: example.length)
        return cls(
            local=local,
            where=where,
            folder=folder,
            prompt=longest.prompt[-PROMPT_TOKENS:],
            lesson=Lesson(phase="train", examples=examples, validation=(), fingerprint="gpu", steps=steps),
            pad_id=builder.end_of_text_id,
        )

    def task(self, name: str, **changes: Any) -> Task:
        """The same training, in a folder of its own, with these fields of the recipe changed."""
        return Task(
            lesson=self.lesson,
            model=self.local,
            recipe=Recipe.for_device(self.where, changes),
            device=self.where,
            seed=0,
            threads=0,
            minutes=1.0,
            pad_id=self.pad_id,
            checkpoints=self.folder / name / "checkpoints",
            target=self.folder / name / "adapter",
        )

    def trained(self, name: str, **changes: Any) -> dict[str, Any]:
        """Trains in this process."""
        import torch

        if self.where == "cuda":
            torch.cuda.reset_peak_memory_stats()
        task = self.task(name, **changes)
        found = _figures(performed(task, loaded(task), lambda _: None))
        return found | ({"peak_gigabytes": torch.cuda.max_memory_allocated() / 1e9} if self.where == "cuda" else {})


def main(repositories: list[Path]) -> dict[str, Any]:  # noqa: ARG001 - every benchmark is asked alike
    """The figures of every part, or why there are none."""
    if skipped := missing_runtime():
        return dict(skipped)
    gpus = installed_gpus()
    if not gpus:
        return {"skipped": "no GPU answers on this machine"}
    with tempfile.TemporaryDirectory() as folder:
        model = model_at_hand(Path(folder) / "tiny")
        check = Check.of(model, "cuda", Path(folder))
        found: dict[str, Any] = {"model": model.name, "gpus": len(gpus), "gigabytes": gpus[0].total_bytes / 1e9}
        found["train"] = _part(lambda: check.trained("alone"))
        for count in MICRO_BATCHES:
            name = f"train in {count}s"
            found[name] = _part(partial(check.trained, name, micro_batch=count))
        if find_spec("bitsandbytes") is not None:
            found["train in 4 bits"] = _part(lambda: check.trained("four bits", method="qlora"))
        if len(gpus) > 1:
            found["train on two"] = _part(lambda: _together(check))
        try:
            runtime = find_runtime(Home.default())
            local_model(Home.default(), MODEL)
        except (RuntimeMissing, ModelError) as error:
            return found | {"engine": {"skipped": str(error)}}
        home = home_with_model(Path(folder) / "home", model.folder)
        options = EngineOptions(runtime_python=runtime.python, device=runtime.device)
        return found | asyncio.run(beside_an_engine(check, home, options))


async def beside_an_engine(check: Check, home: Home, options: EngineOptions) -> dict[str, Any]:
    """What an engine does meanwhile; on a GPU it also sleeps and wakes."""
    lease = await EngineLease.acquire(home, options, local_model(home, MODEL))
    client = EngineClient(lease.address)
    found: dict[str, Any] = {}
    try:
        await lease.wait_ready(START_SECONDS)
        found["answers"] = await _answers(client, check, MODEL)
        found["adapter"] = await _swapped(client, check)
        if check.where == "cuda":
            found["share"] = _part(lambda: _share_words(needed_bytes=2 * 10**9))
        training = asyncio.create_task(asyncio.to_thread(_part, lambda: check.trained("beside")))
        during = await _answers(client, check, MODEL)
        found["train beside"] = await training | {"answers": during}
        if check.where == "cuda":
            found["sleep"] = await asyncio.to_thread(_part, lambda: _asleep(check, client, home))
            found["answers after"] = await _answers(client, check, MODEL)
    except AcclimateError as error:
        found["failed"] = str(error)
    finally:
        await client.aclose()
        await lease.release()
        await stop_engine(home)
    return found


def _part(measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return measure()
    except (AcclimateError, RuntimeError, OSError) as error:
        return {"failed": f"{type(error).__name__}: {error}"}


def _together(check: Check) -> dict[str, Any]:
    return _figures(performed_together(check.task("together"), 2, check.folder / "processes", lambda _: None))


def _share_words(*, needed_bytes: int) -> dict[str, Any]:
    share: GpuShare = gpu_share("auto", installed_gpus(), engine_gpu=0, needed_bytes=needed_bytes, can_sleep=True)
    return {"policy": share.policy, "reason": share.reason}


def _asleep(check: Check, client: EngineClient, home: Home) -> dict[str, Any]:
    """Raises EngineError if the engine answers otherwise than before."""
    from acclimate_training.hardware import free_bytes

    awake, started = free_bytes(check.where), time.monotonic()
    with engine_asleep(client.address, check.prompt, model=MODEL, home=home):
        found = {"seconds_to_sleep": time.monotonic() - started, "freed_gigabytes": (free_bytes("cuda") - awake) / 1e9}
        found |= check.trained("asleep")
        started = time.monotonic()
    return found | {"seconds_to_wake": time.monotonic() - started}


async def _answers(client: EngineClient, check: Check, model: str) -> dict[str, float]:
    """Seconds to the first piece of an answer and to its end; each prompt is another one for the prefix cache."""
    first, whole = [], []
    for number in range(ASKED):
        prompt, started = (*check.prompt[number:], *check.prompt[:number]), time.monotonic()
        async with aclosing(client.stream(prompt, model=model, max_tokens=ANSWER_TOKENS)) as pieces:
            with suppress(StopAsyncIteration):
                await anext(pieces)
            first.append(time.monotonic() - started)
            async for _ in pieces:
                pass
        whole.append(time.monotonic() - started)
    return {"first_seconds": statistics.median(first), "whole_seconds": statistics.median(whole)}


async def _swapped(client: EngineClient, check: Check) -> dict[str, Any]:
    folder = await asyncio.to_thread(write_random_adapter, check.local.folder, check.folder / "random", seed=0)
    started = time.monotonic()
    await client.load_adapter("random", folder)
    seconds = time.monotonic() - started
    found = {"seconds_to_load": seconds, "answers": await _answers(client, check, "random")}
    await client.unload_adapter("random")
    return found


def _figures(done: Any) -> dict[str, Any]:
    return {
        "steps": done.stopped_at,
        "tokens_per_second": done.tokens_per_second,
        "first_loss": done.curve[0].training,
        "last_loss": done.curve[-1].training,
    }
