"""The texts of files as they lie in a folder, and as editors have them open."""

import hashlib
import os
import stat
from pathlib import Path

from acclimate_indexer.repository import decoded


class WorkTree:
    """A folder and the buffers of files in it. Nothing outside of the folder is read, wherever links lead."""

    def __init__(self, folder: Path, max_file_bytes: int) -> None:
        self.folder = folder.resolve()
        self.blobs: dict[str, str] = {}
        self.buffers: dict[str, str] = {}
        self._max_file_bytes = max_file_bytes

    def text(self, path: str) -> str | None:
        """The text as it was read. Of a file that changed unnoticed there is none: its lines moved."""
        if path in self.buffers:
            return self.buffers[path]
        data = self.data(path)
        if data is None or (path in self.blobs and blob_name(data) != self.blobs[path]):
            return None
        return decoded(data)

    def data(self, path: str) -> bytes | None:
        """A regular file; None where there is none, where a link leads away, or it is too large."""
        place = self.folder / path
        try:
            if not Path(os.path.realpath(place.parent)).is_relative_to(self.folder):
                return None
            descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                about = os.fstat(descriptor)
                if not stat.S_ISREG(about.st_mode) or about.st_size > self._max_file_bytes:
                    return None
                with os.fdopen(descriptor, "rb", closefd=False) as file:
                    return file.read()
            finally:
                os.close(descriptor)
        except (OSError, ValueError):  # gone, forbidden, or a name that no file can have
            return None


def blob_name(data: bytes) -> str:
    """What git calls these bytes, in a repository of SHA-1 names; in another every file counts as changed."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
