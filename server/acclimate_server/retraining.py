"""A training that the editor asked for: from the request to the last line of progress.

It never raises for what is foreseeable: the last `Progress` says how it ended, as the child's own lines do.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from acclimate_indexer.errors import AcclimateError, UsageError
from acclimate_training.job import Job, Phase, Progress

from .completion.base_model import installed_model
from .completion.connection import runtime_python
from .keeping_up import Claim
from .pipeline_process import PipelineProcess, new_run_id, resolved_job
from .runtime.find import find_runtime

if TYPE_CHECKING:
    from .session import OpenRepository, Session

log = logging.getLogger(__name__)

PHASES: tuple[Phase, ...] = ("mine", "train", "evaluate")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainRequest:
    """The argument of `acclimate.retrain`, checked.

    Attributes:
        is_automatic: Nobody asked for it, so that nobody is interrupted by how it ends.
        adapter: Version to evaluate, where `phases` have no training.
    """

    repository: Path
    minutes: float | None = None
    max_pairs: int | None = None
    force: bool = False
    work_done_token: str | int | None = None
    is_automatic: bool = False
    phases: tuple[Phase, ...] = PHASES
    adapter: str | None = None

    @classmethod
    def from_argument(cls, argument: Mapping[str, Any], default_repository: Path | None) -> Self:
        """Reads the command's one object.

        Raises:
            UsageError: A field has the wrong type, or there is no repository to train on.
        """
        repository = argument.get("repository") or default_repository
        if not isinstance(repository, str | Path):
            raise UsageError("Which repository? Open a folder, or give `repository`, an absolute path.")
        return cls(
            repository=Path(repository),
            minutes=_number(argument, "minutes"),
            max_pairs=None if (pairs := _number(argument, "maxPairs")) is None else int(pairs),
            force=bool(argument.get("force", False)),
            work_done_token=argument.get("workDoneToken"),
        )


class Retraining:
    """One run. `follow` does the work; `cancel` may be called at any time, also before the child is there."""

    def __init__(self, session: "Session", request: RetrainRequest) -> None:
        self.run = new_run_id()
        self.request = request
        self._session = session
        self._process: PipelineProcess | None = None
        self._claim: Claim | None = None
        self._cancelled: str | None = None
        self.is_over = False

    async def follow(self) -> AsyncIterator[Progress]:
        """Every line of progress, the last one with a state; it is over by then, and another may begin."""
        try:
            async for progress in self._progress():
                if progress.state is not None:
                    self._close()
                yield progress
        finally:
            self._close()

    def cancel(self, reason: str) -> None:
        """Asks the run to stop; its last line follows within about a second."""
        self._cancelled = reason
        if self._process is not None:
            self._process.cancel(reason)

    async def end(self, reason: str) -> None:
        """Stops the run and returns when no process of it is left."""
        self._cancelled = reason
        if self._process is not None:
            await self._process.end(reason)

    async def _progress(self) -> AsyncIterator[Progress]:
        try:
            self._process = await self._start()
            if self._cancelled is not None:
                self._process.cancel(self._cancelled)
            async for progress in self._process.follow():
                yield progress
        except AcclimateError as error:
            yield Progress(state="failed", reason=str(error))
        except OSError as error:
            log.warning("The training could not be started", exc_info=True)
            yield Progress(state="failed", reason=f"The training could not be started: {error}.")

    def _close(self) -> None:
        self.is_over = True
        if self._claim is not None:
            self._claim.release()

    async def _start(self) -> PipelineProcess:
        session, request = self._session, self.request
        opened = await session.open_repository(request.repository)
        if not request.is_automatic:  # what starts by itself has its claim already
            await self._claim_for(opened)
        job, python = await asyncio.get_running_loop().run_in_executor(session.executor, self._prepared, opened)
        return await PipelineProcess.start(job, opened.home.runs, python=python, engine=session.connection.address)

    async def _claim_for(self, opened: "OpenRepository") -> None:
        """
        Raises:
            UsageError: Another editor or a terminal is faster.
        """
        self._claim = Claim(opened.home)
        underway = await asyncio.get_running_loop().run_in_executor(self._session.executor, self._claim.take)
        if underway:
            raise UsageError(f"{underway} Wait for it, or cancel it where it was started.")

    def _prepared(self, opened: "OpenRepository") -> tuple[Job, Path]:
        session, request, settings = self._session, self.request, opened.settings
        python = find_runtime(session.home, runtime_python(settings)).python
        model = session.connection.model or installed_model(session.home, settings.model.name)
        job = resolved_job(
            run=self.run,
            home=session.home,
            repository=opened.repository.work_tree or opened.repository.common_directory,
            settings=settings,
            model=model.name,
            phases=request.phases,
            minutes=request.minutes,
            max_pairs=request.max_pairs,
            force=request.force,
            adapter=request.adapter,
        )
        return job, python


def _number(argument: Mapping[str, Any], name: str) -> float | None:
    value = argument.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise UsageError(f"`{name}` must be a number above 0, not {value!r}.")
    return float(value)
