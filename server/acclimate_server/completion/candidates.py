"""Other answers beside the likeliest, for somebody who asked by hand and may choose."""

import asyncio

from acclimate_indexer.errors import EngineError

from ..session import Session
from .asking import Spot, question_at
from .memory import RawAnswer
from .writing import written

TEMPERATURE = 0.8  # below it a small model says nearly the same again
WAIT_SECONDS = 1.5  # beyond the likeliest answer; who waits longer has written it


async def other_answers(session: Session, spot: Spot, count: int) -> list[RawAnswer]:
    """At most so many further answers, uncut; those that are written in time."""
    client = session.connection.client
    if count < 1 or client is None:
        return []
    try:
        question = await question_at(session, spot, spot.chosen)
    except EngineError:
        return []
    seeds = range(1, count + 1)
    tasks = [asyncio.create_task(written(client, question, temperature=TEMPERATURE, seed=seed)) for seed in seeds]
    try:
        done, _ = await asyncio.wait(tasks, timeout=WAIT_SECONDS)
        return [task.result() for task in tasks if task in done and task.exception() is None]
    finally:
        for task in tasks:
            task.cancel()
