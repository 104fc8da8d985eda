"""Other answers beside the likeliest, for somebody who asked by hand and may choose."""

import asyncio
from contextlib import aclosing

from acclimate_indexer.completion_cut import is_complete
from acclimate_indexer.errors import EngineError
from acclimate_indexer.prompts import after_held_back, held_back

from ..session import Session
from .asking import Spot, question_at

TEMPERATURE = 0.8  # below it a small model says nearly the same again
WAIT_SECONDS = 1.5  # beyond the likeliest answer; who waits longer has written it


async def other_answers(session: Session, spot: Spot, count: int) -> list[str]:
    """At most so many further texts, uncut; those that are written in time."""
    client = session.connection.client
    if count < 1 or client is None:
        return []
    try:
        question = await question_at(session, spot, spot.chosen)
    except EngineError:
        return []
    cursor, held = spot.cursor, held_back(spot.cursor.prefix)

    async def one(seed: int) -> str:
        written = text = ""
        stream = client.stream(
            question.prompt,
            model=question.model,
            max_tokens=question.max_tokens,
            stop_token_ids=question.stop_ids,
            temperature=TEMPERATURE,
            seed=seed,
        )
        async with aclosing(stream) as pieces:
            async for piece in pieces:
                written += piece.text
                text = after_held_back(written, held) or ""
                if is_complete(text, language=cursor.language, prefix=cursor.prefix, suffix=cursor.suffix):
                    break
        return text

    tasks = [asyncio.create_task(one(seed)) for seed in range(1, count + 1)]
    try:
        done, _ = await asyncio.wait(tasks, timeout=WAIT_SECONDS)
        return [task.result() for task in tasks if task in done and task.exception() is None]
    finally:
        for task in tasks:
            task.cancel()
