"""Room on the disk, asked before a download; and how far a download is, read off the disk."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from acclimate_indexer.errors import DiskFull

from ..ticking import ticking

Report = Callable[[str, int, int], None]
FreeBytes = Callable[[Path], int]


def silent(_stage: str, _done: int, _of: int) -> None:
    """Reports to nobody."""


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def require_room(folder: Path, needed_bytes: int, *, name: str, free: FreeBytes = free_bytes) -> None:
    """Checks that the model `name` will fit.

    Raises:
        DiskFull: It will not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = max(0, needed_bytes - size_bytes(folder))
    found = free(folder)
    if found < missing:
        raise DiskFull(
            f"The disk has too little room for {name!r}: {missing / 1e9:.1f} GB more are needed in {str(folder)!r}, "
            f"{found / 1e9:.1f} GB are free. Free some, or set ACCLIMATE_HOME to a larger disk."
        )


def size_bytes(folder: Path) -> int:
    """What the files below `folder` hold; files that vanish meanwhile do not count."""
    total = 0
    for directory, _, names in os.walk(folder):  # unlike rglob, it bears a folder that vanishes
        for name in names:
            with suppress(FileNotFoundError):
                total += Path(directory, name).stat().st_size
    return total


@contextmanager
def reported_growth(folder: Path, stage: str, of_bytes: int, report: Report) -> Iterator[None]:
    """Reports how much of `of_bytes` lies in `folder`, while something that shows no progress itself writes there."""
    with ticking(lambda: report(stage, min(size_bytes(folder), of_bytes), of_bytes)):
        yield
    report(stage, of_bytes, of_bytes)
