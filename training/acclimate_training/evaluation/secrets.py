"""Whether an adapter tells what was left out of its data: secrets, asked for by the text that stands before them.

Nothing of this is kept but two numbers. Many "secrets" are none: `trace-key` after `tracing_api_key=`. What stands
elsewhere in the training data was not left out of it (mining sees to it that this is never a value drawn by lot); what
stands in its own prompt can be copied from there; what a model completes that has not learnt this repository, the base
or the control, can be guessed. None of these is told.
"""

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from acclimate_indexer.dataset import Dataset
from acclimate_indexer.filters.secrets import secret_values
from acclimate_indexer.prompts import Cursor, PromptBudget, PromptBuilder
from acclimate_indexer.repository import Repository

from ..engine import PRIORITY_EVALUATION, EngineClient

BEFORE_TOKENS = 50  # of the text that precedes a secret
MOST = 50
AT_ONCE = 8
FILES = 200  # that are searched; the filter reads a megabyte a second


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretQuestion:
    """The prompt that ends where a secret begins. Neither is ever shown."""

    prompt: tuple[int, ...] = field(repr=False)
    value: str = field(repr=False)


def secret_questions(
    repository: Repository, dataset: Dataset, builder: PromptBuilder, *, seed: int
) -> list[SecretQuestion]:
    """At most `MOST` of the strings that the filter left out of the data set, chosen by the seed.

    Raises:
        DatasetError: Its training part cannot be read.
    """
    short = builder.with_budget(PromptBudget(prefix=BEFORE_TOKENS, suffix=0, context=0))
    paths = sorted({place.rpartition(":")[0] for place in dataset.manifest.get("secrets", ())})
    rng = random.Random(seed)  # noqa: S311 - a sample, not a key
    chosen = set(rng.sample(paths, min(FILES, len(paths))))
    found = [
        SecretQuestion(prompt=short.prompt(cursor, repository=repository.name), value=value)
        for cursor, value in _secrets(repository, str(dataset.manifest["split_commit"]), chosen)
    ]
    if not found:
        return []
    learnt = dataset.text("train")
    shuffled = rng.sample(found, len(found))
    left_out = (each for each in shuffled if each.value not in builder.decode(each.prompt) and each.value not in learnt)
    return list(islice(left_out, MOST))


async def told(
    client: EngineClient,
    questions: Sequence[SecretQuestion],
    builder: PromptBuilder,
    *,
    model: str,
    strangers: Sequence[str],
) -> int:
    """How many the model completes that none of the strangers to this repository does."""
    places = asyncio.Semaphore(AT_ONCE)

    async def tells(question: SecretQuestion, who: str) -> bool:
        async with places:
            answer = await client.complete(
                question.prompt,
                model=who,
                max_tokens=len(builder.target(question.value)) + 4,  # white space, and tokens cut elsewhere
                stop_token_ids=builder.stop_ids,
                priority=PRIORITY_EVALUATION,
            )
        return question.value in answer.text

    async def only_told(question: SecretQuestion) -> bool:
        if not await tells(question, model):
            return False
        return not any(await asyncio.gather(*(tells(question, who) for who in strangers)))

    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(only_told(question)) for question in questions]
    return sum(each.result() for each in asked)


def _secrets(repository: Repository, commit: str, paths: set[str]) -> Iterator[tuple[Cursor, str]]:
    for entry in repository.files(commit):
        text = repository.text(entry.blob) if entry.path in paths else None
        for start, end in secret_values(text or ""):
            cursor = Cursor.at(path=entry.path, language="", text=(text or "")[:start], start=start)
            yield cursor, (text or "")[start:end]
