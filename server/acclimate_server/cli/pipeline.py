"""Runs the training child from the command line: what it needs, its bars, and Ctrl-C."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from acclimate_indexer.errors import TrainingError
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel
from acclimate_indexer.repository import Repository
from acclimate_training.engine import EngineAddress
from acclimate_training.job import Job, Phase, Progress

from ..completion.base_model import installed_model
from ..completion.connection import engine_options, runtime_python
from ..engine.lease import EngineLease
from ..pipeline_process import PipelineProcess, new_run_id, resolved_job
from ..runtime.find import find_runtime
from ..settings import Settings
from ..words import phase_words
from .context import Context
from .terminal import Phases, Terminal


def opened_repository(path: Path) -> Repository:
    """The repository at `path`, or the one that `path` lies in.

    Raises:
        RepositoryError: There is none, or it has no commits.
    """
    return Repository.open(path.expanduser().resolve())


def tree_of(repository: Repository) -> Path:
    """What a job names the repository by."""
    return repository.work_tree or repository.common_directory


@asynccontextmanager
async def held_engine(home: Home, settings: Settings, model: LocalModel) -> AsyncIterator[EngineLease]:
    """The engine for as long as the block runs; it loads its model while other work goes on.

    Raises:
        EngineError: It cannot be started, or serves another model to somebody else.
        RuntimeMissing: There is no vLLM.
    """
    lease = await EngineLease.acquire(home, engine_options(home, settings), model)
    try:
        yield lease
    finally:
        await lease.release()


async def run_child(
    job: Job, runs: Path, *, python: Path, engine: EngineAddress | None, terminal: Terminal
) -> dict[str, Any]:
    """Runs the job to its end and gives its result.

    Raises:
        TrainingError: It failed, or was cancelled by somebody else.
    """
    process = await PipelineProcess.start(job, runs, python=python, engine=engine)
    last = Progress()
    try:
        with terminal.progress() as phases:
            async for last in process.follow():
                _show(phases, last)
    except asyncio.CancelledError:
        await process.end("Cancelled with Ctrl-C.")
        raise
    if last.state != "finished":
        raise TrainingError(last.reason or f"The run {job.id} was {last.state}.")
    return last.result or {}


async def run_with_engine(
    repository: Repository,
    settings: Settings,
    context: Context,
    *,
    phases: tuple[Phase, ...],
    force: bool = False,
    adapter: str | None = None,
) -> dict[str, Any]:
    """Runs these phases with what is installed, the engine held meanwhile, and gives the result.

    Raises:
        RuntimeMissing, ModelMissing: Something is not installed.
        EngineError: The engine cannot be started, or serves another model to somebody else.
        TrainingError: The run failed, or was cancelled by somebody else.
    """
    home = context.home.create()
    python = find_runtime(home, runtime_python(settings)).python
    model = installed_model(home, settings.model.name)
    job = resolved_job(
        run=new_run_id(),
        home=home,
        repository=tree_of(repository),
        settings=settings,
        model=model.name,
        phases=phases,
        force=force,
        adapter=adapter,
    )
    runs = home.for_repository(repository.common_directory).runs
    async with held_engine(home, settings, model) as lease:
        return await run_child(job, runs, python=python, engine=lease.address, terminal=context.terminal)


def _show(phases: Phases, progress: Progress) -> None:
    if progress.state is not None or not progress.phase:
        return
    details = []
    if progress.loss is not None:
        details.append(f"loss {progress.loss:.2f}")
    if progress.tokens_per_second is not None:
        details.append(f"{progress.tokens_per_second:,.0f} tokens/s")
    if progress.message:
        details.append(progress.message)
    phases.update(
        phase_words(progress.phase),
        progress.step,
        progress.of,
        seconds_left=progress.seconds_left,
        detail=", ".join(details),
    )
