"""Cores that are not this process's: virtual environments with a copy of our code, whose training child is a probe."""

import os
import shutil
import subprocess
import venv
from dataclasses import dataclass
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path

from acclimate_server.runtime.link import site_packages
from acclimate_training.core import CORE_VARIABLE, this_core

PACKAGES = ("acclimate_indexer", "acclimate_training", "acclimate_server", "acclimate_vllm_plugin")

# Takes the place of the training: says what it sees, waits until the pipe beside its run is closed, then says what a
# process that it starts sees.
CHILD = """
import pathlib, subprocess, sys
SEEN = '''
import acclimate_indexer, acclimate_training, acclimate_vllm_plugin, psutil
from importlib.metadata import entry_points, version
for package in (acclimate_indexer, acclimate_training, acclimate_vllm_plugin):
    print(package.__file__)
print(version("acclimate"), [point.value for point in entry_points(group="vllm.general_plugins")])
'''
exec(SEEN)
sys.stdout.flush()
(pathlib.Path(sys.argv[1]).parents[1] / "pipe").read_bytes()
subprocess.run([sys.executable, "-P", "-c", SEEN], check=True)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """One of them.

    Attributes:
        code: Where its packages lie.
    """

    python: Path
    code: Path
    version: str

    def start(self, program: str, *arguments: str) -> "subprocess.Popen[str]":
        """Starts a program with this core, told of no other."""
        environment = {name: value for name, value in os.environ.items() if name != CORE_VARIABLE}
        command = [str(self.python), "-P", "-c", program, *arguments]
        return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def make_core(folder: Path, *, version: str, is_editable: bool = False) -> Core:
    """Makes a core of the packages of this process, with its libraries."""
    venv.create(folder, symlinks=True)
    installed = site_packages(folder)
    code = folder / "checkout" if is_editable else installed
    for name in PACKAGES:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        shutil.copytree(Path(spec.origin).parent, code / name, ignore=shutil.ignore_patterns("__pycache__"))
    (code / "acclimate_training/__main__.py").write_text(CHILD, encoding="utf-8")
    metadata = installed / f"acclimate-{version}.dist-info"
    metadata.mkdir()
    headers = f"Metadata-Version: 2.1\nName: acclimate\nVersion: {version}\n"
    (metadata / "METADATA").write_text(headers, encoding="utf-8")
    points = distribution("acclimate").read_text("entry_points.txt")
    assert points is not None
    (metadata / "entry_points.txt").write_text(points, encoding="utf-8")
    if is_editable:
        (installed / "_editable_acclimate.pth").write_text(f"{code}\n", encoding="utf-8")
    libraries = this_core().replace(os.pathsep, "\n")
    (installed / "libraries.pth").write_text(f"{libraries}\n", encoding="utf-8")
    return Core(python=folder / "bin/python", code=code, version=version)
