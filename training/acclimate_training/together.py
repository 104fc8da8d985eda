"""A training on several GPUs: torchrun's processes do it, one a GPU, and this one follows.

They are told by a file and tell by files, all in a folder of their own. None outlives whoever follows: the kernel ends
torchrun with this process, and each of its own with it.

With two processes on a processor: `tests/training/test_distributed.py`. On CUDA: written, not run.
"""

import ctypes
import json
import math
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from acclimate_indexer import errors
from acclimate_indexer.durable import write_json
from acclimate_indexer.errors import AcclimateError, TrainingError

from .devices import GpuShare, launch_command, limit_memory
from .recipe import Recipe
from .task import Task, loaded, performed

if TYPE_CHECKING:
    from .course import Step, Trained

TASK, STEPS, DONE, FAILED, LOG = "task.pickle", "steps.jsonl", "done.pickle", "failed.json", "processes.log"
POLL_SECONDS = 0.2
LOG_CHARACTERS = 300  # of the last words of a process that gave no reason
SET_DEATH_SIGNAL = 1  # prctl's PR_SET_PDEATHSIG


def processes_for(share: GpuShare | None, recipe: Recipe) -> int:
    """How many can share the pairs of a step evenly; a base in 4 bits is loaded onto one GPU."""
    gpus = 1 if share is None or recipe.method == "qlora" else len(share.gpus)
    batch = recipe.batch
    return next(count for count in range(max(1, min(gpus, batch)), 0, -1) if batch % count == 0)


def performed_together(task: Task, processes: int, folder: Path, report: "Callable[[Step], None]") -> "Trained":
    """Performs a task in so many processes; `folder` is emptied for it.

    Raises:
        AcclimateError: As `performed` does.
    """
    from .course import Step

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    micro_batch = math.gcd(task.recipe.micro_batch, task.recipe.batch // processes)
    told = replace(task, recipe=replace(task.recipe, micro_batch=micro_batch))
    (folder / TASK).write_bytes(pickle.dumps(told))
    command = launch_command(Path(sys.executable), "acclimate_training.together", folder / TASK, processes=processes)
    with (folder / LOG).open("wb") as log:
        child = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_end_with_parent
        )
    offset = 0
    try:
        while True:
            has_ended = child.poll() is not None
            lines, offset = _lines_since(folder / STEPS, offset)
            for line in lines:
                report(Step(**json.loads(line)))
            if has_ended:
                break
            time.sleep(POLL_SECONDS)
    finally:
        child.kill()  # its processes end with it
        child.wait()
    if not (folder / DONE).exists():
        raise _reason(folder, child.returncode)
    trained: Trained = pickle.loads((folder / DONE).read_bytes())  # noqa: S301 - ours, of this minute
    return trained


def _reason(folder: Path, returncode: int) -> AcclimateError:
    try:
        record = json.loads((folder / FAILED).read_text(encoding="utf-8"))
        kind: type[AcclimateError] = getattr(errors, record["kind"])
        return kind(record["said"])
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        said = (folder / LOG).read_text(encoding="utf-8", errors="replace").strip()[-LOG_CHARACTERS:]
        return TrainingError(f"The training on several GPUs ended with code {returncode}: {said or 'without a word'}")


def _lines_since(file: Path, offset: int) -> tuple[list[bytes], int]:
    """The whole lines after byte `offset`, and where they end."""
    try:
        with file.open("rb") as stream:
            stream.seek(offset)
            whole, newline, _ = stream.read().rpartition(b"\n")
    except FileNotFoundError:
        return [], offset
    return (whole.splitlines(), offset + len(whole) + 1) if newline else ([], offset)


def _end_with_parent() -> None:
    """Between fork and exec, and at the start of each process: a parent that is killed cannot end anybody."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_DEATH_SIGNAL, signal.SIGKILL)


def main(task_file: Path) -> int:
    """One of the processes."""
    _end_with_parent()
    import torch

    from . import distributed

    folder = task_file.parent
    task: Task = pickle.loads(task_file.read_bytes())  # noqa: S301 - whoever starts us has written it just now
    if task.device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    if task.share is not None:
        limit_memory(task.share)
    try:
        with (folder / STEPS).open("a", encoding="utf-8") as steps:

            def report(step: "Step") -> None:
                steps.write(json.dumps(asdict(step)) + "\n")
                steps.flush()

            trained = performed(task, loaded(task), report)
    except AcclimateError as error:
        with suppress(OSError):
            write_json(folder / FAILED, {"kind": type(error).__name__, "said": str(error)})
        return 1
    if distributed.is_first():
        (folder / DONE).write_bytes(pickle.dumps(trained))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
