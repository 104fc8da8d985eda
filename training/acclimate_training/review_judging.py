"""The last part of an evaluation: how well an adapter reviews, and whether it may.

It has a verdict of its own and comes after that on completions, with time of its own: nothing of that depends on it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from acclimate_indexer.errors import EngineError

from .engine import EngineAddress, EngineClient
from .evaluation.contenders import Model
from .evaluation.generation import Served, wait_until_healthy
from .evaluation.heldout import Asked
from .evaluation.results import ResultStore
from .evaluation.reviews.asking import ask_reviews, unasked, unpursued
from .evaluation.reviews.judged import Reviewed
from .evaluation.reviews.questions import ReviewQuestion, review_questions
from .evaluation.reviews.table import calibration, review_table
from .evaluation.reviews.verdict import review_verdict
from .registry import Adapter
from .reporting import Run

REVIEW_SHARE = 0.15  # of the seconds that the engine is asked, while reviews are open; what completions leave, too


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a record has to say of an adapter's reviews."""

    table: dict[str, Any]
    calibration: dict[str, Any]
    verdict: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ReviewJudging:
    """The reviews of one adapter and its base on one data set's held-out hunks.

    Attributes:
        stores: Of base and adapter.
    """

    run: Run
    setting: Asked
    adapter: Adapter
    stores: Mapping[Model, ResultStore]

    @property
    def is_open(self) -> bool:
        """Whether there is anything to ask."""
        return bool(unasked(self._questions, self.stores) or unpursued(self._questions, self.stores))

    def ask(self, seconds: float) -> None:
        """Asks for as long as there is time. What stands in the way is noted, and stops nothing else."""
        address = EngineAddress.from_environment()
        if address is None or seconds <= 0 or not self.is_open:
            return
        try:
            asyncio.run(self._asked(address, seconds))
        except* EngineError as group:
            self.run.note(f"Reviews were not all measured: {group.exceptions[0]}")

    def found(self) -> Found:
        """What is known by now."""
        reviewed = Reviewed.of(self._questions, self.stores)
        table = review_table(reviewed, seed=self.setting.seed)
        calibrated = calibration(reviewed)
        return Found(table=table, calibration=calibrated, verdict=review_verdict(table, calibrated["threshold"]))

    @cached_property
    def _questions(self) -> Sequence[ReviewQuestion]:
        setting = self.setting
        return review_questions(setting.dataset, setting.builder, repository=setting.repository, seed=setting.seed)

    async def _asked(self, address: EngineAddress, seconds: float) -> None:
        client = EngineClient(address)
        names: dict[Model, str] = {"base": self.setting.model.name, "adapter": self.adapter.version}
        try:
            await wait_until_healthy(client, on_wait=self.run.report_engine)
            await client.load_adapter(self.adapter.version, self.adapter.folder)
            with self.run.phase("review") as advance:
                await ask_reviews(
                    client,
                    self._questions,
                    {model: Served(name=names[model], store=store) for model, store in self.stores.items()},
                    stop_ids=self.setting.builder.stop_ids,
                    seconds=seconds,
                    report=advance,
                )
        finally:
            await client.aclose()
