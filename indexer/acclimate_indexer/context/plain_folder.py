"""The source files of a folder without git, for the live index.

Such a folder may be anything: a project that was downloaded, a collection of scripts, a folder of repositories, a disk
of measurements. So what is looked at and what is read is limited, the nearest files come first, no link is followed,
and what tools leave behind or carry their own history (a repository, an environment of Python's) is passed over.
"""

import logging
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path

from acclimate_indexer.filters.generated import unwanted_path
from acclimate_indexer.languages.registry import language_of
from acclimate_indexer.mining.analyses import Blobs, MinedFile
from acclimate_indexer.mining.options import MiningOptions
from acclimate_indexer.mining.scan import OTHER_LANGUAGE, Scan, is_excluded, is_prose
from acclimate_indexer.repository import BlobEntry, decoded

from .work_tree import WorkTree, blob_name

log = logging.getLogger(__name__)

MAX_ENTRIES = 50_000  # that are looked at: about a second on a local disk
MAX_FILES = 2_000  # of code; larger collections of it are under version control
MAX_BYTES = 16 * 1024 * 1024  # of code: some 15 seconds of one process, once
MAX_PROSE_FILES = 200  # text files in an arbitrary folder are seldom about its code
APART = frozenset((".git", ".hg", ".svn", "pyvenv.cfg"))  # a folder that holds one of these is something of its own


class PlainFolder:
    """One folder; `paths` says where the blobs of its last scan lie."""

    def __init__(self, folder: Path, paths: Mapping[str, str] | None = None) -> None:
        self.folder = folder.resolve()
        self._paths = dict(paths or {})

    def state(self) -> str:
        """Always the same: nobody tells what changes in such a folder, but for the files in editors."""
        return ""

    def scan(self, options: MiningOptions) -> Scan:
        """Reads the files that there is room for. Of files with the same content the first counts."""
        tree = WorkTree(self.folder, options.max_file_bytes)
        mined: list[MinedFile] = []
        prose: list[BlobEntry] = []
        unwanted = partial(_unwanted, options)
        self._paths = {}
        room_bytes = MAX_BYTES
        for path, size_bytes in _files(self.folder):
            if is_prose(path, options):
                prose.append(BlobEntry(path=path, blob="", size_bytes=size_bytes))  # named when somebody reads it
                continue
            language = language_of(path)
            if language is None or unwanted(path) or (data := tree.data(path)) is None:
                continue
            room_bytes -= len(data)
            if room_bytes < 0 or len(mined) == min(MAX_FILES, options.max_files):
                log.info("%s holds more code than is indexed: %d files are.", self.folder, len(mined))
                break
            blob = blob_name(data)
            if blob not in self._paths:
                self._paths[blob] = path
                mined.append(MinedFile(path=path, blob=blob, size_bytes=len(data), language=language))
        return Scan(
            mined=tuple(sorted(mined, key=lambda file: file.path)),
            prose=tuple(prose[:MAX_PROSE_FILES]),
            licence_files=(),
            left_out={},
            unwanted=unwanted,
            language_of=language_of,
        )

    def text(self, blob: str) -> str | None:
        """The text of a file as it was scanned; None if it changed since."""
        path = self._paths.get(blob)
        data = None if path is None else WorkTree(self.folder, MAX_BYTES).data(path)
        return None if data is None or blob_name(data) != blob else decoded(data)

    def opener(self) -> Callable[[], Blobs]:
        return partial(PlainFolder, self.folder, self._paths)


def _unwanted(options: MiningOptions, path: str) -> str:
    """Why a path is left out; empty for one that is not."""
    if language_of(path) is None:
        return OTHER_LANGUAGE
    if is_excluded(path, options):
        return "excluded"
    return "hidden" if _is_hidden(path) else unwanted_path(path)


def _files(root: Path) -> Iterator[tuple[str, int]]:
    """Regular files and their sizes in bytes, those of outer folders first, in the order of their names."""
    room = MAX_ENTRIES
    folders = deque([""])
    while folders and room > 0:
        inside = folders.popleft()
        entries = _entries(root / inside, room)
        room -= len(entries)
        if inside and any(entry.name in APART for entry in entries):
            continue
        for entry in entries:
            path = inside + entry.name
            if _is_hidden(path):
                continue
            with suppress(OSError):  # gone meanwhile
                if entry.is_file(follow_symlinks=False):
                    yield path, entry.stat(follow_symlinks=False).st_size
                elif entry.is_dir(follow_symlinks=False) and not unwanted_path(f"{path}/"):
                    folders.append(f"{path}/")


def _entries(folder: Path, at_most: int) -> list["os.DirEntry[str]"]:
    """What a folder holds, by name; names that are no text, which no prompt can hold, left out."""
    try:
        with os.scandir(folder) as entries:
            named = [entry for entry in islice(entries, at_most) if _is_text(entry.name)]
            return sorted(named, key=lambda entry: entry.name)
    except OSError:  # forbidden, gone, or a path that is too long
        return []


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _is_hidden(path: str) -> bool:
    return path.startswith(".") or "/." in path
