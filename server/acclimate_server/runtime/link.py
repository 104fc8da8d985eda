"""Lets a runtime's interpreter see the core that started it: one file in its site-packages that appends the core's.

So there is one version of our own code and of the core's libraries, editable checkouts and the vLLM plugin's entry
point included. What both hold is taken from the runtime, which was resolved for vLLM. Which core it is says the
environment, so that nobody rewrites the file and several cores use a runtime at once.
"""

import os
import sys
from pathlib import Path

from acclimate_training.core import CORE_VARIABLE, LINK

# Not plain paths, one a line: those would be appended without reading the .pth files of an editable install.
LINE = (
    "import os, site; "
    f"list(map(site.addsitedir, filter(None, os.environ.get({CORE_VARIABLE!r}, '').split(os.pathsep))))\n"
)


def site_packages(environment: Path) -> Path:
    """The site-packages of a virtual environment made with this very Python version."""
    return environment / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


def write_link(folder: Path) -> None:
    """Writes the link into the site-packages `folder`, if it is not there or an earlier version's."""
    link = folder / LINK
    if link.is_file() and link.read_text(encoding="utf-8") == LINE:
        return
    temporary = folder / f".{LINK}.{os.getpid()}"
    temporary.write_text(LINE, encoding="utf-8")
    temporary.replace(link)
