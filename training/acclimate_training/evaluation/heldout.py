"""The measured comparison: which pairs, which results are known, what is still to be measured, and the table."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from acclimate_indexer.errors import EngineError
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.pairs import Split

from ..engine import EngineAddress, EngineClient
from ..lineage import Setting
from ..registry import Adapter
from .contenders import Table, example_to_show, served_answer, table
from .generation import Contender, generate_answers, wait_until_healthy
from .results import ResultStore
from .sample import Question, questions

LOSS_PAIRS = 80  # about a second each on a processor, for both contenders
GENERATED_PAIRS = 120  # 5 points of exact match can just be told apart; the next thousand costs hours on a processor
LOSS_SHARE = 0.4  # of the evaluation's minutes; what it leaves goes to the generation

Report = Callable[[int, int, float], None]  # done, of, seconds left


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """One adapter against its base on one data set's held-out pairs."""

    split: Split
    questions: list[Question]
    base: ResultStore
    adapter: ResultStore
    seed: int

    @property
    def has_unmeasured_losses(self) -> bool:
        known = self.base.losses.keys() & self.adapter.losses.keys()
        return any(question.name not in known for question in self.loss_questions)

    @property
    def has_unanswered_questions(self) -> bool:
        known = self.base.generations.keys() & self.adapter.generations.keys()
        return any(question.name not in known for question in self.questions)

    @property
    def loss_questions(self) -> list[Question]:
        return self.questions[:LOSS_PAIRS]

    def table(self) -> Table:
        return table(self.questions, base=self.base, adapter=self.adapter, seed=self.seed)

    def shown_example(self) -> dict[str, Any] | None:
        """A held-out pair to show, with the answers where they are known."""
        question = example_to_show(self.questions, base=self.base, adapter=self.adapter)
        if question is None:
            return None
        answers = {name: served_answer(question, store) for name, store in self._stores()}
        return question.pair.to_json() | {"served": {name: text for name, text in answers.items() if text is not None}}

    def generate(
        self,
        address: EngineAddress,
        setting: Setting,
        adapter: Adapter,
        *,
        seconds: float,
        report: Report,
        on_wait: Callable[[float], None],
    ) -> str | None:
        """Asks the engine; returns a sentence if it could not answer. What was answered stays."""
        problem: str | None = None
        try:
            asyncio.run(self._generate(address, setting, adapter, seconds=seconds, report=report, on_wait=on_wait))
        except* EngineError as group:
            problem = _first_message(group)
        return problem

    async def _generate(
        self,
        address: EngineAddress,
        setting: Setting,
        adapter: Adapter,
        *,
        seconds: float,
        report: Report,
        on_wait: Callable[[float], None],
    ) -> None:
        name = setting.model.name
        client = EngineClient(address)
        try:
            await wait_until_healthy(client, on_wait=on_wait)
            served = await client.base_model()
            if served != name:
                raise EngineError(f"The engine serves {served!r}, but the adapter is for {name!r}.")
            await client.load_adapter(adapter.version, adapter.folder)
            await generate_answers(
                client,
                self.questions,
                [
                    Contender(served_as=name, store=self.base),
                    Contender(served_as=adapter.version, store=self.adapter),
                ],
                builder=setting.builder,
                seconds=seconds,
                report=lambda done, left: report(done, len(self.questions), left),
            )
        finally:
            await client.aclose()

    def _stores(self) -> tuple[tuple[str, ResultStore], tuple[str, ResultStore]]:
        return (("base", self.base), ("adapter", self.adapter))


def held_out(setting: Setting, home: RepositoryHome, *, version: str) -> HeldOut:
    """The test part; the validation part where a repository is too young or too small to have one."""
    split: Split = "test"
    pairs = list(setting.dataset.pairs(split))
    if not pairs:
        split = "validation"
        pairs = list(setting.dataset.pairs(split))
    identity = setting.model.identity
    return HeldOut(
        split=split,
        questions=questions(
            pairs, setting.builder, repository=setting.repository, seed=setting.seed, at_most=GENERATED_PAIRS
        ),
        base=ResultStore(home.evaluations, model_identity=identity),
        adapter=ResultStore(home.evaluations, model_identity=identity, adapter=version),
        seed=setting.seed,
    )


def _first_message(group: BaseExceptionGroup[BaseException]) -> str:
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return str(first)
