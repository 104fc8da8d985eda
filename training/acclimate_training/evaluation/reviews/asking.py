"""Puts held-out hunks to the engine: the one token that decides of all of them, then what is said of the likeliest.

Of a hunk that is less likely to be commented on than most clean ones nothing more is asked: no comment on it would
pass the budget for false alarms, and each costs as much as a dozen first tokens.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict, replace

from ...engine import PRIORITY_EVALUATION, EngineClient
from ...reviewing.answers import Chance, Said
from ...reviewing.asking import Asker, Opinion
from ..contenders import Model
from ..generation import REQUESTS_AT_ONCE, Served
from ..results import ResultStore, ReviewResult
from .questions import ReviewQuestion

PURSUED_SHARE = 0.3  # of the clean hunks: three times the budget, since checks and the second look take more away
MIN_CLEAN = 10  # fewer do not tell what most clean hunks get

Todo = tuple[Model, ReviewQuestion]


def floor(questions: Sequence[ReviewQuestion], model: Model, store: ResultStore) -> float:
    """The chance from which on a hunk is pursued; infinity while too few clean ones were asked about."""
    clean = [store.reviews.get(each.digest(model)) for each in questions if each.pair.comment is None]
    chances = sorted(each.chance for each in clean if each is not None)
    return chances[int(len(chances) * (1 - PURSUED_SHARE))] if len(chances) >= MIN_CLEAN else float("inf")


def is_open(result: ReviewResult, least: float) -> bool:
    """Whether a comment is likely enough, and was not asked for."""
    return not result.text and result.chance >= least and result.chance > 0


def unasked(questions: Sequence[ReviewQuestion], stores: Mapping[Model, ResultStore]) -> list[Todo]:
    """Whose first token is not known."""
    return [(model, each) for each in questions for model in stores if each.digest(model) not in stores[model].reviews]


def unpursued(questions: Sequence[ReviewQuestion], stores: Mapping[Model, ResultStore]) -> list[Todo]:
    """Of whom it is known only that a comment is likely enough."""
    floors = {model: floor(questions, model, store) for model, store in stores.items()}
    return [
        (model, question)
        for question in questions
        for model, store in stores.items()
        if (known := store.reviews.get(question.digest(model))) is not None and is_open(known, floors[model])
    ]


async def ask_reviews(
    client: EngineClient,
    questions: Sequence[ReviewQuestion],
    served: Mapping[Model, Served],
    *,
    stop_ids: Sequence[int],
    seconds: float,
    report: Callable[[int, int, float | None], None],
) -> None:
    """Asks what is not yet known, until the time is up. `report` hears done, of and the seconds left.

    Raises:
        EngineError: It cannot be asked.
    """
    ends = time.monotonic() + seconds
    stores: dict[Model, ResultStore] = {model: each.store for model, each in served.items()}
    askers = {
        model: Asker(client=client, model=each.name, stop_ids=stop_ids, priority=PRIORITY_EVALUATION)
        for model, each in served.items()
    }

    async def first(model: Model, question: ReviewQuestion) -> None:
        chance = await askers[model].chance(question.prompt(model)(question.pair.hunk))
        stores[model].add_review(_written(question.digest(model), Opinion(chance=chance)))

    async def pursue(model: Model, question: ReviewQuestion) -> None:
        known = opinion_of(stores[model].reviews[question.digest(model)])
        opinion = await askers[model].pursued(known, question.pair.hunk, question.language, question.prompt(model))
        stores[model].add_review(_written(question.digest(model), opinion))

    await _each(first, unasked(questions, stores), ends, report)
    await _each(pursue, unpursued(questions, stores), ends, report)


def opinion_of(result: ReviewResult) -> Opinion:
    """What was found, as it was found."""
    chance = Chance(comment=result.chance, decided=result.decided)
    if not result.text:
        return Opinion(chance=chance)
    said = Said(text=result.text, is_whole=result.is_whole, placed=result.placed, likelihood=result.likelihood)
    return Opinion(chance=chance, said=said, settled=result.settled)


def _written(example: str, opinion: Opinion) -> ReviewResult:
    chance = opinion.chance
    result = ReviewResult(example=example, chance=chance.comment, decided=chance.decided, settled=opinion.settled)
    return result if opinion.said is None else replace(result, **asdict(opinion.said))


async def _each(
    ask: Callable[[Model, ReviewQuestion], Coroutine[None, None, None]],
    waiting: Sequence[Todo],
    ends: float,
    report: Callable[[int, int, float | None], None],
) -> None:
    """Asks several at once; none after the time is up."""
    places, done = asyncio.Semaphore(REQUESTS_AT_ONCE), 0

    async def put(model: Model, question: ReviewQuestion) -> None:
        nonlocal done
        async with places:
            if time.monotonic() > ends:
                return
            await ask(model, question)
        done += 1
        report(done, len(waiting), None)

    async with asyncio.TaskGroup() as group:
        for model, question in waiting:
            group.create_task(put(model, question))
