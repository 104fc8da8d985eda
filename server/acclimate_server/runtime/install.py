"""Installs the runtime: a virtual environment of its own, from the pinned and hashed lists.

The lists are complete, so they are installed without resolving: vLLM's metadata asks for torchvision, torchaudio and
torchcodec, whose builds on the index do not fit torch's CPU build and break `import transformers.models.qwen2`.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from acclimate_indexer.durable import disk_full_named, write_json
from acclimate_indexer.errors import DiskFull, RuntimeMissing
from acclimate_indexer.home import Home
from acclimate_training.core import CORE_VARIABLE, this_core
from acclimate_training.ticking import reported_seconds, ticking

from .find import Runtime, environment_python, installed_runtime
from .hardware import gpu_choice, gpus
from .link import site_packages, write_link
from .requirements import (
    COMPLETE,
    EXTENTS,
    PYTHON_VERSIONS,
    TORCH_CPU_HASHED_FOR,
    TORCH_CPU_LIST,
    Device,
    lists_of,
    package_count,
    requirement_list,
    runtime_version,
)

Report = Callable[[str, int, int], None]

TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"  # the CPU builds of torch are on no other index
# Hash-checking of torch is explicit, since its one line has no hash for every Python; wheels alone: nothing of a
# package runs while it is installed. Byte code is written at the first import, of what is imported only.
PIP_INSTALL = ("install", "--no-deps", "--only-binary=:all:", "--no-compile", "--no-input", "--progress-bar=off")
CHECK_SECONDS = 17  # the first import of torch and vLLM, from a cold disk
CHECK = "import torch, peft, transformers.models.qwen2.modeling_qwen2, vllm, acclimate_training.job"


def install_runtime(home: Home, report: Report, *, device: Device | None = None) -> Runtime:
    """Installs the runtime for this machine's GPU or processor, or finds it whole. An interrupted one starts anew.

    Raises:
        RuntimeMissing: The installation failed, with the last words of what failed.
        DiskFull: There is no room.
    """
    chosen: Device = device or ("cuda" if gpu_choice(gpus()).gpu else "cpu")
    folder = home.create().runtime(runtime_version(chosen))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder.with_name(f"{folder.name}.lock")):
        if (installed := installed_runtime(home, chosen)) is not None:
            return installed
        _require_python()
        _require_room(folder.parent, chosen)
        with disk_full_named(folder):
            _install(folder, chosen, report)
    found = installed_runtime(home, chosen)
    assert found is not None
    return found


def _install(folder: Path, device: Device, report: Report) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # half of it may be missing anywhere; pip's cache still has the downloads
    log = folder.with_name(f"{folder.name}.log")
    log.write_text("", encoding="utf-8")
    report("create the runtime's environment", 0, 1)
    _run([sys.executable, "-P", "-m", "venv", str(folder)], log)
    report("create the runtime's environment", 1, 1)
    with _progress(folder, log, package_count(device), report):
        if device == "cpu":
            _install_torch_cpu(folder, log)
        rest = lists_of(device)[-1]
        _run([*_pip(folder), "--require-hashes", "-r", str(rest)], log)
    write_link(site_packages(folder))  # after pip, which would take the core's libraries for its own
    with reported_seconds("check the runtime, seconds", CHECK_SECONDS, report):
        _run([str(environment_python(folder)), "-P", "-c", CHECK], log)
    record = {"schema": 1, "device": device, "python": sys.version.split()[0], "torch_hash_checked": _torch_is_hashed()}
    write_json(folder / COMPLETE, record)


def _install_torch_cpu(folder: Path, log: Path) -> None:
    """Asks the places that the user's pip knows first: a mirror or a local folder may have the CPU build."""
    path = requirement_list(TORCH_CPU_LIST)
    pinned = next(line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("torch=="))
    wanted = ["--require-hashes", "-r", str(path)] if _torch_is_hashed() else [pinned.split(" ")[0]]
    try:
        _run([*_pip(folder), *wanted], log)
    except RuntimeMissing:
        _run([*_pip(folder), "--extra-index-url", TORCH_CPU_INDEX, *wanted], log)


def _torch_is_hashed() -> bool:
    return sys.version_info[:2] == TORCH_CPU_HASHED_FOR


def _pip(folder: Path) -> list[str]:
    return [str(environment_python(folder)), "-P", "-m", "pip", *PIP_INSTALL]


def _run(command: list[str], log: Path) -> None:
    """Runs a step; its output goes to the log."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    environment |= {"PYTHONSAFEPATH": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", CORE_VARIABLE: this_core()}
    with log.open("a", encoding="utf-8") as output:
        start = output.tell()
        done = subprocess.run(command, stdout=output, stderr=output, cwd=log.parent, env=environment, check=False)
    if done.returncode == 0:
        return
    said = log.read_text(encoding="utf-8", errors="replace")[start:]
    if "No space left on device" in said:
        raise DiskFull(f"The disk is full: the runtime could not be installed in {str(log.parent)!r}. Free some space.")
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "no output")
    raise RuntimeMissing(
        f"The runtime could not be installed: {last} The whole output is in {str(log)!r}. Run `acclimate doctor --fix` "
        "again once that is mended; what was downloaded is kept."
    )


@contextmanager
def _progress(folder: Path, log: Path, total: int, report: Report) -> Iterator[None]:
    """Reports while pip works: packages seen in its output first, then those that lie in the environment."""

    def tick() -> None:
        installed = sum(1 for _ in site_packages(folder).glob("*.dist-info")) - 1  # pip's own
        said = log.read_text(encoding="utf-8", errors="replace")
        if said.count("Installing collected packages") > (1 if total > 1 else 0):
            report("install the runtime", min(max(installed, 0), total), total)
        else:
            report("download the runtime", min(said.count("\nCollecting ") + 1, total), total)

    with ticking(tick):
        yield
    report("install the runtime", total, total)


def _require_python() -> None:
    if sys.version_info[:2] in PYTHON_VERSIONS:
        return
    words = ", ".join(f"{major}.{minor}" for major, minor in PYTHON_VERSIONS)
    running = ".".join(str(part) for part in sys.version_info[:2])
    raise RuntimeMissing(
        f"The runtime is pinned for Python {words}; this is {running}. Install acclimate with one of these, or set "
        "`runtime.python` to an interpreter that has torch, transformers, peft and vLLM."
    )


def _require_room(folder: Path, device: Device, free_bytes: Callable[[Path], int] | None = None) -> None:
    needed = EXTENTS[device].disk_bytes + EXTENTS[device].download_bytes  # pip's cache keeps the downloads
    free = shutil.disk_usage(folder).free if free_bytes is None else free_bytes(folder)
    if free < needed:
        raise DiskFull(
            f"The disk has too little room: the runtime needs {needed / 1e9:.1f} GB in {str(folder)!r}, "
            f"{free / 1e9:.1f} GB are free. Free some space, or set ACCLIMATE_HOME to a larger disk."
        )
