"""Answers of the engine on held-out pairs, all contenders in turn, asked and ended as the server does it."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from acclimate_indexer.completion_cut import cut, is_complete
from acclimate_indexer.confidence import Certainty
from acclimate_indexer.errors import EngineUnavailable
from acclimate_indexer.prompts import PromptBuilder, after_held_back, held_back

from ..engine import PRIORITY_EVALUATION, EngineClient
from .contenders import Model
from .requests import Request
from .results import GenerationResult, ResultStore

MAX_TOKENS = 64  # the server's default for `completion.max_tokens`
REQUESTS_AT_ONCE = 8  # a processor batches them, and none waits long
POLL_SECONDS = 1.0  # between two looks at an engine that is still loading
HEALTH_SECONDS = 300.0  # a large model from a slow disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Under which name the engine serves a model, and where its answers go."""

    name: str
    store: ResultStore


async def wait_until_healthy(
    client: EngineClient, *, seconds: float = HEALTH_SECONDS, on_wait: Callable[[float], None] = lambda _: None
) -> None:
    """Returns when the engine can be asked; until then `on_wait` hears the seconds waited.

    Raises:
        EngineUnavailable: It cannot in time.
    """
    started = time.monotonic()
    while not await client.is_healthy():
        waited = time.monotonic() - started
        on_wait(waited)
        if waited > seconds:
            raise EngineUnavailable(
                f"The engine at {client.address.url!r} is not ready after {seconds:.0f} s. `acclimate status` says why."
            )
        await asyncio.sleep(POLL_SECONDS)


async def generate_answers(
    client: EngineClient,
    requests: Sequence[Request],
    served: Mapping[Model, Served],
    *,
    builder: PromptBuilder,
    seconds: float,
    report: Callable[[int, int, float], None],
) -> None:
    """Asks what is not yet in the stores, until the time is up. `report` hears done, of and the seconds left."""
    waiting = [each for each in requests if each.digest not in served[each.contender.model].store.generations]
    done, started = 0, time.monotonic()
    places = asyncio.Semaphore(REQUESTS_AT_ONCE)

    async def put(request: Request) -> None:
        nonlocal done
        async with places:
            elapsed = time.monotonic() - started
            if elapsed > seconds:
                return
            await _answer(client, request, served[request.contender.model], builder)
        done += 1
        elapsed = time.monotonic() - started
        left = min(elapsed / done * (len(waiting) - done), seconds - elapsed)
        report(len(requests) - len(waiting) + done, len(requests), max(0.0, left))

    async with asyncio.TaskGroup() as group:
        for request in waiting:
            group.create_task(put(request))


async def _answer(client: EngineClient, request: Request, served: Served, builder: PromptBuilder) -> None:
    pair = request.question.pair
    prompt = request.question.examples[request.contender.form].prompt
    text, certainty, was_cut_off, started = "", Certainty(), False, time.monotonic()
    stream = client.stream(
        prompt,
        model=served.name,
        max_tokens=MAX_TOKENS,
        stop_token_ids=builder.stop_ids,
        priority=PRIORITY_EVALUATION,
    )
    async with aclosing(stream) as pieces:
        async for piece in pieces:
            certainty.add(piece.text, piece.nats)
            text = after_held_back(certainty.written, held_back(pair.prefix)) or ""
            if is_complete(text, language=pair.language, prefix=pair.prefix, suffix=pair.suffix):
                was_cut_off = True  # all that follows would be cut away: the server stops here, too
                break
    milliseconds = round(1000 * (time.monotonic() - started), 1)
    shown = cut(text, language=pair.language, prefix=pair.prefix, suffix=pair.suffix)
    # Text that encodes to the limit did not end by itself; the engine's stream does not say so.
    stopped = not was_cut_off and len(builder.target(certainty.written)) <= MAX_TOKENS
    served.store.add_generation(
        GenerationResult(
            example=request.digest,
            text=text,
            stopped=stopped,
            prompt_tokens=len(prompt),
            milliseconds=milliseconds,
            confidence=certainty.confidence(shown),
        )
    )
