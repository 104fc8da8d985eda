"""Says in under two seconds what this machine offers, and what will be installed, how large and how long.

The standard library alone, since `make run` asks before anything is installed:
`PYTHONPATH=server python3 -m acclimate_server.runtime.preflight`.
"""

import argparse
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from .hardware import GpuChoice, cpu_flags, gpu_choice, gpus, memory_gb
from .requirements import COMPLETE, EXTENTS, LIBRARIES, PYTHON_VERSIONS, Device, runtime_version

MIN_MEMORY_GB = 7.5  # a training of the 0.5B model in bf16 took 8 GB, the engine beside it is not yet counted
GOOD_MEMORY_GB = 14.0  # training and engine side by side
MODEL_SECONDS = 120  # 0.5 GB at 10 MB/s and 45 s of conversion
MODEL_BYTES: dict[Device, int] = {"cpu": 500_000_000, "cuda": 3_100_000_000}  # to download; 15 GB for a 24 GB GPU
MODEL_DISK_BYTES: dict[Device, int] = {"cpu": 2_500_000_000, "cuda": 3_500_000_000}  # parts, joined file, weights
CORE_DOWNLOAD_BYTES = 29_000_000  # the files of all libraries, compressed
CORE_BYTES = 176_000_000  # .venv with all libraries and pip, summed on Python 3.11
CORE_SECONDS = 15


class Places(Protocol):
    """Where things lie: `acclimate_indexer.home.Home`, which cannot be imported before the core is installed."""

    @property
    def data(self) -> Path: ...

    @property
    def cache(self) -> Path: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at.

    Attributes:
        blocking: Nothing will work until it is mended; else it is a matter of speed or will be installed.
    """

    name: str
    ok: bool
    sentence: str
    blocking: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """All checks, and what an installation would take; zeros when all is there."""

    checks: tuple[Check, ...]
    device: Device
    download_bytes: int
    disk_bytes: int
    seconds: int

    @property
    def is_fit(self) -> bool:
        return all(check.ok or not check.blocking for check in self.checks)


def preflight(
    home: Places,
    *,
    core_is_ready: bool = True,
    flags: frozenset[str] | None = None,
    gpu: GpuChoice | None = None,
    free_bytes: Callable[[Path], int] | None = None,
) -> Preflight:
    """Looks at this machine; what a test knows better is passed in."""
    choice = gpu_choice(gpus()) if gpu is None else gpu
    device: Device = "cpu" if choice.gpu is None else "cuda"
    has_runtime, has_model = _has_runtime(home, device), _has_model(home)
    missing = EXTENTS[device]
    download = (0 if has_runtime else missing.download_bytes) + (0 if has_model else MODEL_BYTES[device])
    disk = (0 if has_runtime else missing.disk_bytes) + (0 if has_model else MODEL_DISK_BYTES[device])
    seconds = (0 if has_runtime else missing.seconds) + (0 if has_model else MODEL_SECONDS)
    if not core_is_ready:
        download, disk, seconds = download + CORE_DOWNLOAD_BYTES, disk + CORE_BYTES, seconds + CORE_SECONDS
    checks = (
        _python(),
        _venv(),
        _system(),
        _processor(cpu_flags() if flags is None else flags, device),
        _memory(*memory_gb()),
        Check(name="GPU", ok=True, sentence=choice.sentence),
        _disk((home.data, home.cache), disk, free_bytes or _free_bytes),
        _runtime(has_runtime, device),
        _model(has_model, device),
    )
    return Preflight(checks=checks, device=device, download_bytes=download, disk_bytes=disk, seconds=seconds)


def _python() -> Check:
    words = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info[:2] in PYTHON_VERSIONS:
        return Check(name="Python", ok=True, sentence=f"{words}.")
    known = ", ".join(f"{major}.{minor}" for major, minor in PYTHON_VERSIONS)
    return Check(name="Python", ok=False, blocking=True, sentence=f"{words}: one of {known} is needed.")


def _venv() -> Check:
    if find_spec("venv") and find_spec("ensurepip"):
        return Check(name="venv", ok=True, sentence="virtual environments can be made.")
    sentence = "this Python cannot make virtual environments. On Debian and Ubuntu: `apt install python3-venv`."
    return Check(name="venv", ok=False, blocking=True, sentence=sentence)


def _system() -> Check:
    words = f"{platform.system()} {platform.machine()}"
    if (platform.system(), platform.machine()) == ("Linux", "x86_64"):
        return Check(name="system", ok=True, sentence=f"{words}.")
    sentence = f"{words}: `acclimate adapt` needs Linux x86-64, whatever `engine.url` says. On Windows, use WSL."
    return Check(name="system", ok=False, blocking=True, sentence=sentence)


def _processor(flags: frozenset[str], device: Device) -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if device == "cpu" and "avx2" not in flags:
        words = f"{cores} cores without AVX2, which vLLM's CPU build needs"
        sentence = f"{words}: `acclimate adapt` stops here, whatever `engine.url` says."
        return Check(name="processor", ok=False, blocking=True, sentence=sentence)
    known = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in flags]
    is_slow = device == "cpu" and flags.isdisjoint({"avx512_bf16", "amx_bf16"})  # as `has_bf16`, which is not there yet
    slow = "; without avx512_bf16 everything is slower" if is_slow else ""
    return Check(name="processor", ok=True, sentence=f"{cores} cores, {', '.join(known) or 'no AVX2'}{slow}.")


def _memory(total_gb: float, available_gb: float) -> Check:
    words = f"{available_gb:.1f} of {total_gb:.1f} GB free"
    if total_gb < MIN_MEMORY_GB:
        sentence = f"{words}: training needs {MIN_MEMORY_GB:.1f} GB. Only a remote engine and mining will work."
        return Check(name="memory", ok=False, sentence=sentence)
    if available_gb < GOOD_MEMORY_GB:
        tight = f"{words}; {GOOD_MEMORY_GB:.0f} GB free hold training and engine side by side, less may swap."
        return Check(name="memory", ok=True, sentence=tight)
    return Check(name="memory", ok=True, sentence=f"{words}.")


def _disk(folders: tuple[Path, ...], needed: int, free_bytes: Callable[[Path], int]) -> Check:
    free = min(free_bytes(_existing(folder)) for folder in folders)
    words = f"{free / 1e9:.1f} GB free in {' and '.join(dict.fromkeys(str(folder) for folder in folders))}"
    if free < needed:
        sentence = f"{words}, {needed / 1e9:.1f} GB are needed. Free some, or set ACCLIMATE_HOME to a larger disk."
        return Check(name="disk", ok=False, blocking=True, sentence=sentence)
    return Check(name="disk", ok=True, sentence=f"{words}.")


def _runtime(is_there: bool, device: Device) -> Check:
    if is_there:
        return Check(name="runtime", ok=True, sentence="torch, transformers, peft and vLLM are there.")
    extent = EXTENTS[device]
    size = f"{extent.download_bytes / 1e9:.1f} GB to download, {extent.disk_bytes / 1e9:.1f} GB on disk"
    build = "GPU build" if device == "cuda" else "CPU build"
    sentence = f"not installed: {build} of torch and vLLM, {size}, about {_duration(extent.seconds)}."
    return Check(name="runtime", ok=False, sentence=sentence)


def _model(is_there: bool, device: Device) -> Check:
    if is_there:
        return Check(name="model", ok=True, sentence="a base model is there.")
    size = f"about {MODEL_BYTES[device] / 1e9:.1f} GB to download"
    return Check(name="model", ok=False, sentence=f"no base model yet: {size}, about {_duration(MODEL_SECONDS)}.")


def _has_runtime(home: Places, device: Device) -> bool:
    if all(find_spec(name) is not None for name in LIBRARIES):
        return True
    return (home.data / "runtime" / runtime_version(device) / COMPLETE).is_file()


def _has_model(home: Places) -> bool:
    return any((home.cache / "models").glob("*/acclimate.json"))


def _existing(folder: Path) -> Path:
    return next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"  # 90 s is "2 minutes"


@dataclass(frozen=True, slots=True, kw_only=True)
class _LinuxPlaces:
    """`Home.default` as it comes out on Linux; a test compares the two."""

    data: Path
    cache: Path


def linux_places() -> _LinuxPlaces:
    """Where the data and the cache lie, before platformdirs can be asked."""
    if root := os.environ.get("ACCLIMATE_HOME"):
        data = Path(root).expanduser().resolve()
        return _LinuxPlaces(data=data, cache=data / "cache")
    data_root = os.environ.get("XDG_DATA_HOME", "").strip() or "~/.local/share"
    cache_root = os.environ.get("XDG_CACHE_HOME", "").strip() or "~/.cache"
    return _LinuxPlaces(
        data=Path(data_root).expanduser() / "acclimate", cache=Path(cache_root).expanduser() / "acclimate"
    )


def main() -> int:
    """Says it on stderr; exit code 3 if something must be mended first."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--core-is-ready", action="store_true", help="the environment of the core is installed")
    core_is_ready: bool = parser.parse_args().core_is_ready
    found = preflight(linux_places(), core_is_ready=core_is_ready)
    for check in found.checks:
        sys.stderr.write(f"{'ok' if check.ok else '!!' if check.blocking else '..'}  {check.name}: {check.sentence}\n")
    if found.seconds:
        sizes = f"{found.download_bytes / 1e9:.1f} GB to download, {found.disk_bytes / 1e9:.1f} GB on disk"
        sys.stderr.write(f"To install: {sizes}, about {_duration(found.seconds)} on a fast line.\n")
    else:
        sys.stderr.write("All is there: nothing will be installed.\n")
    return 0 if found.is_fit else 3


if __name__ == "__main__":
    sys.exit(main())
