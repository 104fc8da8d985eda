"""The pinned lists of what the runtime holds, and the version that they make together.

The standard library alone: `make run` asks before anything is installed.
"""

import hashlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Device = Literal["cpu", "cuda"]

TORCH_CPU_LIST = "requirements-torch-cpu.txt"
TORCH_CPU_HASHED_FOR = (3, 11)  # its hash is of this version's wheel, the only one that was at hand
COMPLETE = "acclimate-runtime.json"  # in a runtime's folder, written last: without it the runtime is half installed
LIBRARIES = ("torch", "transformers", "peft", "vllm")  # an interpreter that finds these is a runtime
LISTS: dict[Device, str] = {"cpu": "requirements-cpu.txt", "cuda": "requirements-cuda.txt"}
PYTHON_VERSIONS = ((3, 11), (3, 12), (3, 13))  # the lists have hashes for these


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """What an installation takes.

    Attributes:
        seconds: On two cores with 30 MB/s of network.
    """

    download_bytes: int
    disk_bytes: int
    seconds: int


EXTENTS: dict[Device, Extent] = {
    "cpu": Extent(download_bytes=885_000_000, disk_bytes=3_300_000_000, seconds=120),  # measured: 3.2 GB, 71 to 110 s
    "cuda": Extent(download_bytes=4_260_000_000, disk_bytes=11_000_000_000, seconds=400),  # sizes summed, time guessed
}


def requirement_list(name: str) -> Path:
    """The list's file, which lies beside this module in a checkout and in the wheel."""
    return Path(__file__).parent / name


def lists_of(device: Device) -> tuple[Path, ...]:
    """All lists of a runtime, in the order of installation."""
    torch = (requirement_list(TORCH_CPU_LIST),) if device == "cpu" else ()
    return (*torch, requirement_list(LISTS[device]))


def runtime_version(device: Device = "cpu") -> str:
    """Names a runtime by what it holds and for which Python, so that a changed list gets a new folder."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in lists_of(device))).hexdigest()[:8]
    return f"{device}-py{sys.version_info.major}{sys.version_info.minor}-{digest}"


def package_count(device: Device) -> int:
    """How many distributions an installed runtime holds, beside pip."""
    return sum(len(re.findall(r"^\w", path.read_text(encoding="utf-8"), re.MULTILINE)) for path in lists_of(device))
