"""Lets a runtime's interpreter see the core: one file in its site-packages that appends the core's.

So there is one version of our own code and of the core's libraries, editable checkouts and the vLLM plugin's entry
point included. What both hold is taken from the runtime, which was resolved for vLLM.
"""

import os
import sys
import sysconfig
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

LINK = "acclimate.pth"


def core_folders() -> tuple[Path, ...]:
    """The site-packages that this process takes our code and its libraries from."""
    folders = [Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("platlib"))]
    with suppress(PackageNotFoundError):
        folders.append(Path(str(distribution("acclimate").locate_file(""))))  # elsewhere after `pip install --user`
    return tuple(dict.fromkeys(folder.resolve() for folder in folders))


def site_packages(environment: Path) -> Path:
    """The site-packages of a virtual environment made with this very Python version."""
    return environment / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


def link_core(folder: Path) -> None:
    """Writes the link into the site-packages `folder`, if it is not there or points elsewhere."""
    # Not plain paths, one a line: those would be appended without reading the .pth files of an editable install.
    calls = "; ".join(f"site.addsitedir({str(core)!r})" for core in core_folders())
    wanted = f"import site; {calls}\n"
    link = folder / LINK
    if link.is_file() and link.read_text(encoding="utf-8") == wanted:
        return
    temporary = folder / f".{LINK}.{os.getpid()}"
    temporary.write_text(wanted, encoding="utf-8")
    temporary.replace(link)
