"""Files that are whole or absent: written under a temporary name, synced, then renamed."""

import errno
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import DiskFull


@contextmanager
def disk_full_named(path: Path) -> Iterator[None]:
    """Turns "no space left" into a sentence about `path`.

    Raises:
        DiskFull: There is no room.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                f"The disk is full: {str(path)!r} could not be written. Free some space, then run it again."
            ) from error
        raise


def write_text(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Writes `text` so that a reader sees the old file or the new one, never a part.

    Raises:
        DiskFull: There is no room.
    """
    with disk_full_named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(mode)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def write_json(path: Path, record: dict[str, Any], *, mode: int = 0o644) -> None:
    """Writes one JSON object, whole or not at all."""
    write_text(path, json.dumps(record, indent=1, ensure_ascii=False) + "\n", mode=mode)
