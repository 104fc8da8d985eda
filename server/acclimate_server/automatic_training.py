"""Keeps adapters up to date while nobody works: retrains when it is due, and goes on with unfinished evaluations.

One task of the language server. It starts what the command `acclimate.retrain` starts, and only while the user is away,
the machine has time to spare and is on mains power. What runs goes on when the user comes back: it is of low priority.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from acclimate_indexer.errors import AcclimateError
from acclimate_training.drift import Drift
from acclimate_training.evaluation.unfinished import has_more_to_measure
from acclimate_training.registry import Adapter, AdapterRegistry

from .attempts import Attempts
from .idle import why_machine_is_busy
from .keeping_up import Claim, current_drift
from .retraining import RetrainRequest
from .session import OpenRepository, Session
from .status import DriftStatus

log = logging.getLogger(__name__)

T = TypeVar("T")

CHECK_SECONDS = 180.0  # two calls of git each time

Start = Callable[[RetrainRequest], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    request: RetrainRequest
    remember: Callable[[], None]


class AutomaticTraining:
    """Watches the repository that was worked in last.

    Args:
        start: Runs a training to its end, and shows it in the editor.
        why_busy: Why the machine has no time to spare; empty if it has.
        now: The time, in UTC.
    """

    def __init__(
        self,
        session: Session,
        start: Start,
        *,
        why_busy: Callable[[], str] = why_machine_is_busy,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._session = session
        self._start = start
        self._why_busy = why_busy
        self._now = now

    async def run(self) -> None:
        """Looks every few minutes, and whenever there is something new to look at."""
        news = self._session.activity.news
        while True:
            idle_seconds = self._session.settings.training.idle_minutes * 60
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), min(CHECK_SECONDS, idle_seconds))
            news.clear()
            try:
                await self.check()
            except Exception:  # a background task's boundary: without this it would never look again
                log.exception("Looking for work to do while idle failed")

    async def check(self) -> None:
        """Measures the drift, says it, and begins what is due, if anything; returns when that has ended."""
        session, folder = self._session, self._session.activity.folder
        if folder is None:
            return
        try:
            opened = await session.open_repository(folder)
            drift = await self._in_thread(lambda: current_drift(opened.repository, opened.home, opened.settings))
        except AcclimateError as error:
            log.info("%s", error)
            session.board.update(drift=None)
            return
        session.board.update(drift=_status(opened, drift))
        if reason := self._why_not_now(opened):
            log.debug("%s", reason)
            return
        claim = Claim(opened.home)
        try:
            request = await self._in_thread(lambda: self._due(claim, opened, drift))
            if request is not None:
                log.info("starting by itself (%s): %s", ", ".join(request.phases), drift.said)
                await self._start(request)
        finally:
            claim.release()

    def _why_not_now(self, opened: OpenRepository) -> str:
        session, training = self._session, opened.settings.training
        if session.is_closed:
            return "The editor is closed."
        if not training.automatic and not opened.settings.evaluation.automatic:
            return "Nothing is to start by itself."
        if session.training is not None and not session.training.is_over:
            return "A training runs."
        if session.activity.idle_seconds < training.idle_minutes * 60:
            return "The user is at work."
        return self._why_busy()

    def _due(self, claim: Claim, opened: OpenRepository, drift: Drift) -> RetrainRequest | None:
        """What to begin; remembered as begun. The claim is kept for a training, but not for an evaluation."""
        if self._wanted(opened, drift) is None or claim.take():
            return None
        wanted = self._wanted(opened, drift)  # asked again: another editor may have been faster
        if wanted is None:
            return None
        wanted.remember()
        if "train" not in wanted.request.phases:
            claim.release()
        return wanted.request

    def _wanted(self, opened: OpenRepository, drift: Drift) -> _Wanted | None:
        settings, attempts, now = opened.settings, Attempts(home=opened.home), self._now()
        place = opened.repository.work_tree or opened.repository.common_directory
        if settings.training.automatic and drift.exceeds and attempts.may_retrain(drift.to, now):
            request = RetrainRequest(repository=place, is_automatic=True)
            return _Wanted(request=request, remember=partial(attempts.retraining, drift.to, now))
        adapter = self._unfinished(opened, drift.to) if settings.evaluation.automatic else None
        if adapter is None:
            return None
        known = adapter.version, adapter.record.get("metrics")
        if not attempts.may_evaluate(*known, now):
            return None
        request = RetrainRequest(repository=place, is_automatic=True, phases=("evaluate",), adapter=adapter.version)
        return _Wanted(request=request, remember=partial(attempts.evaluating, *known, now))

    def _unfinished(self, opened: OpenRepository, head: str) -> Adapter | None:
        """The newest adapter or the one in use, where the engine that runs can measure more of it."""
        connection, registry = self._session.connection, AdapterRegistry(opened.home)
        if connection.client is None or connection.model is None:
            return None
        for adapter in (*registry.versions()[-1:], registry.live()):
            if adapter is None or adapter.base_identity != connection.model.identity:
                continue
            if _is_measurable(opened, adapter, head):
                return adapter
        return None

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._session.executor, work)


def _is_measurable(opened: OpenRepository, adapter: Adapter, head: str) -> bool:
    data = adapter.record.get("dataset")
    has_data = isinstance(data, dict) and (opened.home.datasets / str(data.get("hash")) / "manifest.json").is_file()
    return has_data and has_more_to_measure(adapter.record, head)


def _status(opened: OpenRepository, drift: Drift) -> DriftStatus:
    place: Path = opened.repository.work_tree or opened.repository.common_directory
    return DriftStatus(
        repository=str(place),
        commit=drift.commit,
        lines=drift.lines,
        share=round(drift.share, 4),
        commits=drift.commits,
        days=round(drift.days, 1),
        loss_rise=None if drift.loss_rise is None else round(drift.loss_rise.rise, 3),
        exceeds=drift.exceeds,
        said=drift.said,
    )
