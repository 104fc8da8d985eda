"""Whether the engine computes what the trainer did: their losses on the same middles.

A difference means that what is served is not what was measured: another precision, a kernel's fault, the wrong weights.
"""

import asyncio
import time
from collections.abc import Sequence

from ..engine import EngineClient
from .generation import Served
from .requests import Request

AT_ONCE = 4  # each is a whole prefill
PAIRS = 50


async def engine_less_trainer(
    client: EngineClient, requests: Sequence[Request], served: Served, *, seconds: float
) -> float | None:
    """The engine's loss less the trainer's in nats a token, over the requests of one model whose loss was measured.

    None if not a single one was measured, or the time was up before all were: half of them would say less, and the
    next evaluation may have more time.
    """
    known = [request for request in requests if request.digest in served.store.losses][:PAIRS]
    if not known:
        return None
    started = time.monotonic()
    places = asyncio.Semaphore(AT_ONCE)

    async def nats(request: Request) -> float | None:
        async with places:
            if time.monotonic() - started > seconds:
                return None
            example = request.question.examples[request.contender.form]
            every = await client.token_nats((*example.prompt, *example.target), model=served.name)
            return sum(every[-len(example.target) :])

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(nats(request)) for request in known]
    given = [task.result() for task in tasks]
    if None in given:
        return None
    losses = [served.store.losses[request.digest] for request in known]
    return (sum(filter(None, given)) - sum(loss.nats for loss in losses)) / sum(loss.tokens for loss in losses)
