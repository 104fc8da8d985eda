"""Starts, follows and ends the training child: `python -P -m acclimate_training job.json` in its own folder.

The command line and the editor use the same three steps. The child never outlives its owner: the kernel tells it when
the parent dies, and it runs in a group of its own, so that a kill reaches what it started.
"""

import asyncio
import logging
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from acclimate_indexer.home import Home
from acclimate_training.core import CORE_VARIABLE, this_core
from acclimate_training.devices import GpuPolicy
from acclimate_training.engine_address import VARIABLES, EngineAddress
from acclimate_training.job import (
    END_STATES,
    Job,
    Phase,
    Progress,
    ProgressLog,
    RefitPolicy,
    read_progress,
)

from .settings import Settings

log = logging.getLogger(__name__)

POLL_SECONDS = 0.1  # how often the child's progress is read; it writes at most ten lines a second
ASK_SECONDS = 1.0  # between asking the child to stop and killing it
LEAVING_SECONDS = 10.0  # after its last line; torch takes a second or two to go

JOB_FILE = "job.json"
PROGRESS_FILE = "progress.jsonl"
LOG_FILE = "run.log"

# Python started by us must see neither the user's paths nor a virtual environment's of the folder that is open.
_DROPPED = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONUSERBASE", "VIRTUAL_ENV")

# Runs inside the child before anything else. PR_SET_PDEATHSIG is 1; a parent that died before the call is noticed by
# its number. `-c` with `-P` keeps the working directory off the path, as `-m` with `-P` does.
_LAUNCH = """
import ctypes, os, runpy, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM) if sys.platform == "linux" else None
if os.getppid() != int(sys.argv[1]): sys.exit(130)
sys.argv = sys.argv[2:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def child_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of every Python child: this core, safe paths, no hub, no telemetry."""
    kept = {name: value for name, value in environ.items() if name not in _DROPPED}
    return kept | {
        CORE_VARIABLE: this_core(),
        "PYTHONSAFEPATH": "1",
        "PYTHONUNBUFFERED": "1",  # the log of a killed child is whole
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "TOKENIZERS_PARALLELISM": "false",  # the child forks nothing that needs it, and warns otherwise
    }


def new_run_id(now: datetime | None = None) -> str:
    """A name for a run that sorts by time and is never used twice."""
    return f"{(now or datetime.now(UTC)):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run's folder: `job.json` in, `progress.jsonl` out, `run.log` beside them."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def progress(self) -> Path:
        return self.folder / PROGRESS_FILE

    @property
    def log(self) -> Path:
        return self.folder / LOG_FILE


class PipelineProcess:
    """One running child. Follow it with `async for progress in process.follow()`; the last line says how it ended."""

    def __init__(self, run: Run, process: asyncio.subprocess.Process) -> None:
        self.run = run
        self._process = process
        self._cancelled_because: str | None = None
        self._cancelling: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls, job: Job, runs: Path, *, python: Path, engine: EngineAddress | None = None
    ) -> "PipelineProcess":
        """Writes the job into a new folder under `runs` and starts the child with `python`."""
        run = Run(folder=runs / job.id)
        await asyncio.to_thread(_write_job, job, run)
        environment = child_environment()
        for name in VARIABLES:
            environment.pop(name, None)
        if engine is not None:
            environment |= engine.to_environment()
        arguments = ["-P", "-c", _LAUNCH, str(os.getpid()), "acclimate_training", str(run.folder / JOB_FILE)]
        with run.log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                str(python),
                *arguments,
                cwd=run.folder,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,  # else it holds the editor's pipe
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        log.info("run %s started as process %d", run.id, process.pid)
        return cls(run, process)

    async def follow(self) -> AsyncIterator[Progress]:
        """Every line of the child's progress; the last one has a state, whoever had to write it, and comes when no
        process of the run is left.
        """
        offset = 0
        while True:
            has_ended = self._process.returncode is not None
            lines, offset = read_progress(self.run.progress, offset)
            for line in lines:
                if line.state in END_STATES:
                    await self._wait(LEAVING_SECONDS)
                    self._kill_group()
                    await self._process.wait()
                    yield line
                    return
                yield line
            if has_ended:
                break
            await self._wait(POLL_SECONDS)
        self._kill_group()
        last = self._last_line(self._process.returncode or 0)
        ProgressLog(self.run.progress).report(last)
        yield last

    def cancel(self, reason: str) -> None:
        """Asks the child to stop, and kills it a second later. `follow` then gives the last line."""
        if self._cancelling is None and self._process.returncode is None:
            self._cancelled_because = reason
            self._cancelling = asyncio.create_task(self._end())

    async def end(self, reason: str) -> None:
        """Stops the child and returns when it is gone; writes the last line if the child could not."""
        self.cancel(reason)
        if self._cancelling is not None:
            await self._cancelling
        lines, _ = await asyncio.to_thread(read_progress, self.run.progress)
        if not lines or lines[-1].state not in END_STATES:
            ProgressLog(self.run.progress).report(self._last_line(self._process.returncode or 0))

    async def _end(self) -> None:
        with suppress(ProcessLookupError):
            self._process.terminate()
        await self._wait(ASK_SECONDS)
        self._kill_group()
        await self._process.wait()

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), seconds)

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):  # the group is gone with its last member
            os.killpg(self._process.pid, signal.SIGKILL)

    def _last_line(self, returncode: int) -> Progress:
        if self._cancelled_because is not None:
            return Progress(state="cancelled", reason=self._cancelled_because)
        how = f"ended by signal {-returncode}" if returncode < 0 else f"ended with code {returncode}"
        hint = " (out of memory?)" if returncode == -signal.SIGKILL else ""
        return Progress(state="failed", reason=f"The training process {how}{hint}. Its log: {str(self.run.log)!r}.")


def _write_job(job: Job, run: Run) -> None:
    run.folder.mkdir(parents=True, exist_ok=True)
    run.folder.chmod(0o700)
    job.write(run.folder / JOB_FILE)


def pipeline_python(phases: tuple[Phase, ...], runtime_python: Path | None) -> Path:
    """Mining needs no tensor library and runs where we run; everything else runs in the runtime."""
    if runtime_python is None or set(phases) <= {"mine"}:
        return Path(sys.executable)
    return runtime_python


def resolved_job(
    *,
    run: str,
    home: Home,
    repository: Path,
    settings: Settings,
    model: str,
    phases: tuple[Phase, ...],
    minutes: float | None = None,
    max_pairs: int | None = None,
    force: bool = False,
    dataset: str | None = None,
    adapter: str | None = None,
) -> Job:
    """The job that these settings make; what is given here goes before them."""
    training = settings.training
    return Job(
        id=run,
        repository=repository,
        data=home.data,
        cache=home.cache,
        phases=phases,
        model=model,
        minutes=training.minutes if minutes is None else minutes,
        evaluation_minutes=settings.evaluation.minutes,
        max_pairs=(training.max_pairs or None) if max_pairs is None else max_pairs,
        force=force,
        seed=training.seed,
        threads=training.threads,
        dataset=dataset,
        adapter=adapter,
        mining=settings.mining_overrides(),
        gate=asdict(settings.gate),
        recipe=settings.recipe_overrides(),
        gpu_policy=cast("GpuPolicy", training.gpu_policy),  # one of its choices: the settings say so
        refit=cast("RefitPolicy", training.refit),
    )
