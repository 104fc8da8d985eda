"""Tells a child in the runtime which core it belongs to.

The runtime is shared by all cores of a user and holds none of our code: a file in its site-packages appends the folders
that a variable of the environment names. We set it for our own children; vLLM and torchrun hand it on to theirs.
"""

import os
import sysconfig
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

CORE_VARIABLE = "ACCLIMATE_CORE"
LINK = "acclimate.pth"  # in a runtime's site-packages, the same for every core


def this_core() -> str:
    """The variable's value: the site-packages that this process takes our code and its libraries from.

    Joined as PATH is: a virtual environment is not made in a folder that has the separator in its name.
    """
    folders = [Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("platlib"))]
    with suppress(PackageNotFoundError):
        folders.append(Path(str(distribution("acclimate").locate_file(""))))  # elsewhere after `pip install --user`
    found = dict.fromkeys(folder.resolve() for folder in folders)
    # Without a runtime's own, which hold the link: tests and benchmarks run there, and it would read itself forever.
    return os.pathsep.join(str(folder) for folder in found if not (folder / LINK).is_file())
