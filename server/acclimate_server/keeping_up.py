"""Whether retraining is due in a repository, and that no two retrainings of it pile up."""

import os
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from acclimate_indexer.dataset import MiningOptions
from acclimate_indexer.errors import UsageError
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.repository import Repository
from acclimate_training.drift import Drift, DriftLimits, measured_drift
from acclimate_training.job import Job

from .pipeline_process import JOB_FILE
from .settings import Settings


def current_drift(repository: Repository, home: RepositoryHome, settings: Settings) -> Drift:
    """How far the repository is beyond its adapter, by the limits of the settings. Reads git: not for an event loop.

    Raises:
        RepositoryError: git cannot read the repository.
    """
    limits = DriftLimits(lines=settings.training.drift_lines, share=settings.training.drift_share)
    return measured_drift(repository, home, limits, MiningOptions.from_settings(settings.mining_overrides()))


class Claim:
    """The right to retrain one repository. The kernel gives it back when its holder dies."""

    def __init__(self, home: RepositoryHome) -> None:
        self._home = home
        self._lock = FileLock(home.retrain_lock, thread_local=False)  # taken in a worker thread, given back anywhere

    def take(self) -> str:
        """Takes the right. Gives a sentence about who was faster; an empty one if nobody was."""
        is_taken = False
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            is_taken = True
        run = training_underway(self._home)
        if not is_taken and run is None:
            return ""
        which = "" if run is None else f" ({run})"  # one that was begun just now has no process yet
        return f"A training of this repository runs already{which}, or waits for its turn."

    def release(self) -> None:
        """Gives the right back. Without having it, nothing happens."""
        self._lock.release()


def training_underway(home: RepositoryHome) -> str | None:
    """The run of a training child of this repository, whoever started it; one that waits for its turn counts, too."""
    runs = f"{home.runs}{os.sep}"
    for process in psutil.process_iter(["cmdline"]):
        job_file = (process.info["cmdline"] or [""])[-1]
        if job_file.startswith(runs) and job_file.endswith(JOB_FILE) and _trains(Path(job_file)):
            return Path(job_file).parent.name
    return None


def _trains(job_file: Path) -> bool:
    try:
        return "train" in Job.read(job_file).phases
    except UsageError:
        return False
