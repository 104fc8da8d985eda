"""Starts the converter with the runtime's interpreter, since this process may have no tensor library."""

import math
import os
import shutil
import subprocess
from pathlib import Path

from acclimate_indexer.errors import DiskFull, ModelError

from ..core import CORE_VARIABLE, this_core
from ..ticking import reported_seconds
from .space import Report

# Part of a model's identity: count it up when `convert` would write other weights. It stands here, since who imports
# `convert` can reach torch.
CONVERTER = "acclimate-gguf-1"
# Of the 0.5 GB file on two cores: 46 s, 8 of them for importing torch.
SECONDS_PER_GB = 76
START_SECONDS = 8
CONVERT_MODULE = "acclimate_training.model_store.convert"


def converted(gguf: Path, folder: Path, *, runtime_python: Path, report: Report) -> None:
    """Converts `gguf` into `folder`, anew if an earlier try left something there.

    Raises:
        ModelError: The converter failed.
        DiskFull: There is no room.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    log = gguf.parent / "convert.log"
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    environment |= {"PYTHONSAFEPATH": "1", "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    environment[CORE_VARIABLE] = this_core()
    with log.open("w", encoding="utf-8") as output:
        command = [str(runtime_python), "-P", "-m", CONVERT_MODULE, str(gguf), str(folder)]
        usual = math.ceil(SECONDS_PER_GB * gguf.stat().st_size / 1e9) + START_SECONDS
        with reported_seconds("convert to safetensors, seconds", usual, report):
            done = subprocess.run(command, stdout=output, stderr=output, cwd=gguf.parent, env=environment, check=False)
    if done.returncode != 0:
        _explain(gguf, log)


def _explain(gguf: Path, log: Path) -> None:
    said = log.read_text(encoding="utf-8", errors="replace")
    if "No space left on device" in said:
        raise DiskFull(f"The disk is full: {gguf.name!r} could not be converted. Free some space, then run it again.")
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "no output; out of memory?")
    raise ModelError(f"{gguf.name!r} could not be converted to safetensors: {last} All of it is in {str(log)!r}.")
