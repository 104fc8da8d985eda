"""The names that Python code finds outside of its repository: the standard library's, and those of what is installed.

Sources and stubs are read as text, and nothing of a project's environment is imported. Only modules of the standard
library that are written in C are, since they have no source.
"""

import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from .vocabulary import words_of

ENVIRONMENTS = (".venv", "venv", "env")  # where a project's environment lies in its work tree, as tools make it
MAX_FILE_BYTES = 1024 * 1024  # larger sources are tables
MAX_LIBRARY_BYTES = 100 * 1024 * 1024  # of sources read: some four seconds; what is imported comes first
_SOURCES = (".py", ".pyi")
_COMPILED = (".so", ".pyd")
_NOT_READ = frozenset(("__pycache__", "test", "tests", "testing", "idlelib", "lib2to3", "site-packages", "turtledemo"))
_IN_C = """
array binascii bz2 cmath collections datetime decimal errno fcntl functools gc grp hashlib itertools json lzma marshal
math mmap operator os posix pwd pyexpat random re resource select signal socket sqlite3 ssl struct sys syslog termios
threading time types typing unicodedata weakref zlib _asyncio _ast _io _thread _ctypes builtins
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonLibrary:
    """Names outside of a repository.

    Attributes:
        words: That stand in the sources.
        modules: First names of modules all of whose names are among `words`.
        partly: Of modules of which only a part could be read, and of installed ones that were not read.
    """

    words: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()
    partly: frozenset[str] = frozenset()


@cache
def standard_library() -> PythonLibrary:
    """The running interpreter's; it takes half a second, once."""
    words: set[str] = set(sys.stdlib_module_names)
    for name in _IN_C.split():
        try:
            words.update(_names_in(import_module(name)))
        except ImportError:
            continue  # not on this platform
    for file in _sources(Path(sysconfig.get_path("stdlib"))):
        words.update(words_of(_text(file)))
    return PythonLibrary(words=frozenset(words), modules=frozenset((*sys.stdlib_module_names, "__future__")))


def installed_library(work_tree: Path | None, wanted: Iterable[str]) -> PythonLibrary:
    """What the environment in a work tree holds, `wanted` modules first; nothing where there is none."""
    folder = None if work_tree is None else site_packages_in(work_tree)
    if folder is None:
        return PythonLibrary()
    first = frozenset(wanted)
    modules = sorted(_modules_in(folder), key=lambda place: (_first_name(place) not in first, place.name))
    words: set[str] = set()
    whole: set[str] = set()
    partly: set[str] = set()
    room = MAX_LIBRARY_BYTES
    for place in modules:
        name = _first_name(place)
        if room <= 0:
            partly.add(name)
            continue
        words.add(name)
        for file in _sources(place):
            words.update(words_of(_text(file)))
            room -= file.stat().st_size
        (partly if _has_hidden_parts(place) else whole).add(name)
    return PythonLibrary(words=frozenset(words), modules=frozenset(whole - partly), partly=frozenset(partly))


def site_packages_in(work_tree: Path) -> Path | None:
    """The site-packages of the project's own environment; links are not followed."""
    for name in ENVIRONMENTS:
        root = work_tree / name
        if root.is_symlink() or not (root / "pyvenv.cfg").is_file():
            continue
        for folder in sorted(root.glob("lib/python3*/site-packages")):
            if folder.is_dir() and not folder.is_symlink():
                return folder
    return None


def _modules_in(folder: Path) -> Iterator[Path]:
    for entry in os.scandir(folder):
        is_package = entry.is_dir(follow_symlinks=False) and entry.name.isidentifier() and entry.name not in _NOT_READ
        is_module = entry.is_file(follow_symlinks=False) and entry.name.endswith((*_SOURCES, *_COMPILED))
        if is_package or is_module:
            yield Path(entry.path)


def _first_name(place: Path) -> str:
    return place.name.partition(".")[0]


def _sources(place: Path) -> Iterator[Path]:
    """The readable sources of a module or below a folder, regular files only, in a fixed order."""
    if place.is_file():
        if place.suffix in _SOURCES:
            yield place
        return
    for folder, inner, _ in os.walk(place, followlinks=False):
        inner[:] = sorted(name for name in inner if name not in _NOT_READ)
        for entry in sorted(os.scandir(folder), key=lambda each: each.name):
            is_source = entry.name.endswith(_SOURCES) and entry.is_file(follow_symlinks=False)
            if is_source and entry.stat().st_size <= MAX_FILE_BYTES:
                yield Path(entry.path)


def _has_hidden_parts(place: Path) -> bool:
    """Whether something in a module is compiled and no stub says what."""
    if place.is_file():
        return place.suffix in _COMPILED and not place.with_name(f"{_first_name(place)}.pyi").is_file()
    compiled = (file for kind in _COMPILED for file in place.rglob(f"*{kind}"))
    return any(not file.with_name(f"{_first_name(file)}.pyi").is_file() for file in compiled)


def _names_in(thing: object) -> set[str]:
    """The names of a module, of its classes and of the values in it."""
    names = set(dir(thing))
    for name in tuple(names):
        names.update(dir(getattr(thing, name, None)))
    return names


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""  # gone or forbidden: its names are then unknown
