"""Whole runs in processes of their own: to be killed, cancelled, stopped, and hit by what disks do.

What runs is the entry of `python -P -m acclimate_training`. It is started with `multiprocessing`'s fork server, which
has loaded the tensor libraries once for all children: ten restarts then take seconds, not minutes.
"""

import json
import multiprocessing
import os
import signal
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tests.support.git_folder import GitFolder, module
from tests.support.training_child import PRELOADED

from acclimate_indexer.general.sources import Root
from acclimate_indexer.home import Home, RepositoryHome
from acclimate_training.adapter_files import WEIGHTS
from acclimate_training.job import Job, Progress, read_progress
from acclimate_training.pipeline import run_job

LIBRARY = Root(name="python", place=Path(sysconfig.get_path("stdlib"), "email"), is_library=True)  # read in a second
MAX_PAIRS = 110
STEPS = 10  # 0.4 of those pairs in fours, whatever the machine's speed: the minutes allow far more
RECIPE = {"batch": 4, "micro_batch": 2, "layers": "all", "max_epochs": 0.4}
PATIENCE_SECONDS = 120.0  # for what should have happened long ago


@dataclass(frozen=True, slots=True, kw_only=True)
class Accident:
    """What befalls a process when it is about to do something, as Python's own audit events tell.

    Attributes:
        event: The audit event.
        ending: Of one of its arguments.
        where: A part of the same argument.
        count: Happens at this occurrence and at no other.
        then: Hears the argument.
    """

    event: str
    then: Callable[[str], None]
    ending: str = ""
    where: str = ""
    count: int = 1

    def lie_in_wait(self) -> None:
        seen = 0

        def hear(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal seen
            if event != self.event or seen >= self.count:
                return
            for each in map(str, arguments):
                if each.endswith(self.ending) and self.where in each:
                    seen += 1
                    if seen == self.count:
                        self.then(each)
                    return

        sys.addaudithook(hear)


def be_killed(_: str) -> None:
    """As the system does it when memory runs out, or power is lost."""
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChild:
    """A run that goes on beside the test."""

    folder: Path
    process: BaseProcess

    @property
    def lines(self) -> list[Progress]:
        return read_progress(self.folder / "progress.jsonl")[0]

    @property
    def phases(self) -> set[str]:
        return {line.phase for line in self.lines}

    @property
    def last(self) -> Progress:
        return self.lines[-1]

    def wait_for(self, condition: Callable[[], bool]) -> bool:
        """Whether it came true before the process ended."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"the condition did not come true in time: {self.lines[-3:]}"
            if self.process.exitcode is not None:
                return condition()
            time.sleep(0.01)
        return True

    def send(self, number: signal.Signals) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def ended(self) -> int | None:
        """The exit code, negative for a signal."""
        self.process.join(PATIENCE_SECONDS)
        return self.process.exitcode

    def log(self) -> str:
        return (self.folder / "run.log").read_text(encoding="utf-8", errors="replace")


def started(job: Job, *accidents: Accident, environment: Mapping[str, str] | None = None) -> RunChild:
    """Writes the job and starts the run."""
    folder = run_folder(job)
    job.write(folder / "job.json")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*PRELOADED, "tests.support.run_child", "acclimate_training.trainer"])
    process = context.Process(target=_run, args=(folder, accidents, dict(environment or {})), daemon=True)
    process.start()
    return RunChild(folder=folder, process=process)


def _run(folder: Path, accidents: tuple[Accident, ...], environment: dict[str, str]) -> None:
    log = os.open(folder / "run.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.environ |= environment
    os.setsid()  # as the server starts it: its priority is its own
    os.chdir(folder)
    for accident in accidents:
        accident.lie_in_wait()
    sys.exit(run_job(folder / "job.json", general_roots=[LIBRARY]))


def shop(folder: Path) -> Path:
    """A repository with a history: what came later is the test part."""
    found = GitFolder.new(folder)
    found.commit({f"src/till_{number}.py": module(f"till{number}", 4) for number in range(22)})
    found.commit({f"src/cart_{number}.py": module(f"cart{number}", 4) for number in range(2)}, day=60)
    return found.path


def a_job(home: Home, repository: Path, model: str, name: str, **changes: Any) -> Job:
    """Training and control take the same steps however slow the machine is."""
    job = Job(
        id=name,
        repository=repository,
        data=home.data,
        cache=home.cache,
        phases=("mine", "train", "evaluate"),
        model=model,
        minutes=1.0,
        evaluation_minutes=1.0,
        max_pairs=MAX_PAIRS,
        recipe=RECIPE,
        threads=1,
    )
    return replace(job, **changes)


def repository_home(job: Job) -> RepositoryHome:
    return Home(data=job.data, cache=job.cache, config=job.data).for_repository(job.repository / ".git")


def run_folder(job: Job) -> Path:
    return repository_home(job).runs / job.id


def weights(folder: Path) -> bytes:
    return (folder / WEIGHTS).read_bytes()


def only(folder: Path) -> Path:
    """The one entry of a folder; what a kill left there would be another."""
    (found,) = folder.iterdir()
    return found


def results(folder: Path) -> list[tuple[str, str, str]]:
    """All that was measured: in which file, the kind and the question."""
    found = []
    for file in sorted(folder.glob("*.jsonl")):
        for line in filter(None, file.read_text(encoding="utf-8").split("\n")):
            with suppress(ValueError):  # torn by a kill
                record = json.loads(line)
                found.append((file.name, str(record["kind"]), str(record["example"])))
    return found
