"""Answers of the engine on held-out pairs, base and adapter in turn, asked and ended as the server does it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from acclimate_indexer.completion_cut import is_complete
from acclimate_indexer.errors import EngineUnavailable
from acclimate_indexer.prompts import PromptBuilder

from ..engine import PRIORITY_EVALUATION, EngineClient
from .results import GenerationResult, ResultStore
from .sample import Question

MAX_TOKENS = 64  # the server's default for `completion.max_tokens`
QUESTIONS_AT_ONCE = 4  # each asks both contenders, so eight requests: a processor batches them, nobody waits long
POLL_SECONDS = 1.0  # between two looks at an engine that is still loading
HEALTH_SECONDS = 300.0  # a large model from a slow disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """Under which name the engine serves it, and where its answers go."""

    served_as: str
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
    questions: Sequence[Question],
    contenders: Sequence[Contender],
    *,
    builder: PromptBuilder,
    seconds: float,
    report: Callable[[int, float], None],
) -> None:
    """Asks every contender what is not yet in its store, until the time is up.

    A question that was begun is put to all of them, so that all have answers to the same pairs.
    """
    open_questions = [item for item in questions if any(item.name not in each.store.generations for each in contenders)]
    done = len(questions) - len(open_questions)
    known = done
    started = time.monotonic()
    places = asyncio.Semaphore(QUESTIONS_AT_ONCE)

    async def put(question: Question) -> None:
        nonlocal done
        async with places:
            if time.monotonic() - started > seconds:
                return
            await asyncio.gather(*(_answer(client, question, contender, builder) for contender in contenders))
        done += 1
        each = (time.monotonic() - started) / (done - known)
        report(done, max(0.0, min(each * (len(questions) - done), seconds - (time.monotonic() - started))))

    async with asyncio.TaskGroup() as group:
        for question in open_questions:
            group.create_task(put(question))


async def _answer(client: EngineClient, question: Question, contender: Contender, builder: PromptBuilder) -> None:
    if question.name in contender.store.generations:
        return
    pair = question.pair
    text, was_cut_off = "", False
    stream = client.stream(
        question.example.prompt,
        model=contender.served_as,
        max_tokens=MAX_TOKENS,
        stop_token_ids=builder.stop_ids,
        priority=PRIORITY_EVALUATION,
    )
    async with aclosing(stream) as pieces:
        async for piece in pieces:
            text += piece
            if is_complete(text, language=pair.language, prefix=pair.prefix, suffix=pair.suffix):
                was_cut_off = True  # all that follows would be cut away: the server stops here, too
                break
    # Text that encodes to the limit did not end by itself; the engine's stream does not say so.
    stopped = not was_cut_off and len(builder.target(text)) <= MAX_TOKENS
    contender.store.add_generation(GenerationResult(example=question.name, text=text, stopped=stopped))
