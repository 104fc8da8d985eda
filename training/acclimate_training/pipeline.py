"""The background process from its start to its last line of progress, whatever happens in between."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from acclimate_indexer.errors import AcclimateError
from acclimate_indexer.general.sources import Root

from .cancellation import Cancelled, cancellable, leave
from .job import END_STATES, Job, Progress, ProgressLog
from .phases import Pipeline

logger = logging.getLogger(__name__)

NICENESS = 10  # the editor and the engine go first
AUTOGROUP = Path("/proc/self/autogroup")
REASON_CHARACTERS = 200  # of a foreign error in the last line; run.log has all of it


def run_job(job_path: Path, *, general_roots: Sequence[Root] | None = None) -> int:
    """Runs a job to its end: 0 finished, 1 failed. Progress goes beside the job, and logs to stderr.

    When the run is cancelled this does not return: the process ends with 130. `general_roots` is as in `Pipeline`.
    """
    _prepare_process()
    report = _with_one_end(ProgressLog(job_path.parent / "progress.jsonl"))
    cancelled = Progress(state="cancelled", reason="The run was asked to stop.")
    try:
        with cancellable(when_late=lambda: report(cancelled)):
            pipeline = Pipeline(Job.read(job_path), report, job_path.parent, general_roots=general_roots)
            report(Progress(state="finished", result=pipeline.run()))
    except Cancelled:
        report(cancelled)
        leave()
    except AcclimateError as error:
        logger.info("failed: %s", error)
        report(Progress(state="failed", reason=str(error)))
        return 1
    except Exception as error:  # the process's border: whoever follows the run must learn how it ended
        logger.exception("the run failed")
        what = f"{type(error).__name__}: {error}".partition("\n")[0][:REASON_CHARACTERS]
        log = str(job_path.parent / "run.log")
        report(Progress(state="failed", reason=f"The run failed unexpectedly ({what}). Its log: {log!r}."))
        return 1
    return 0


def _prepare_process() -> None:
    """Before anything heavy is imported: no network, a low priority, logs on stderr."""
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    # Threads that wait must sleep, not spin: beside other busy processes spinning made products 2.6 times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")  # sequences differ in length
    _give_way()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    for talkative in ("httpx", "httpcore", "filelock", "git"):
        logging.getLogger(talkative).setLevel(logging.WARNING)


def _give_way() -> None:
    """Lowers this process's priority, and on Linux that of its session.

    With autogroups, which desktops have, the kernel shares the processor among sessions first: niceness then counts
    only among the processes of one, and ours has a session of its own.
    """
    os.nice(max(0, NICENESS - os.nice(0)))
    with suppress(OSError):
        AUTOGROUP.write_text(str(NICENESS), encoding="ascii")


def _with_one_end(log: ProgressLog) -> Callable[[Progress], None]:
    """The log's `report`, deaf after the line that says how it ended: two threads may want to write that one."""
    lock = threading.Lock()
    has_ended = False

    def report(progress: Progress) -> None:
        nonlocal has_ended
        with lock:
            if has_ended:
                return
            has_ended = progress.state in END_STATES
            log.report(progress)

    return report
