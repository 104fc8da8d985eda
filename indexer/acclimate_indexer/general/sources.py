"""Where code that others wrote lies on this machine, as source: read only, nothing of it is imported or run.

The interpreter's own library and what is installed beside it are there always; the others where somebody works in that
language. Links are not followed: a folder of the work tree may point anywhere.
"""

import os
import stat
import sys
import sysconfig
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from acclimate_indexer.filters.generated import unwanted_path
from acclimate_indexer.languages.language import Language
from acclimate_indexer.languages.registry import language_of

MAX_FILE_BYTES = 512 * 1024  # larger files are almost always generated or data
MIN_FILE_BYTES = 400  # a dozen lines: less has no room for a hole and what stands around it
MAX_ENTRIES = 60_000  # of a root that are looked at; a GPU runtime's site-packages has 50,000

_PACKAGES = ("site-packages", "dist-packages")
# Folders of one package each, by glob: where people's tools put the sources of what they build on. `~` is the user's
# home, `$X` a variable, `.` the work tree. Of several that match, the last in order is the newest and is taken.
_LIBRARIES = (
    ("go", ("$GOROOT/src", "/usr/local/go/src", "/usr/lib/go-*/src", "/usr/lib/go/src")),
    (
        "rust",
        (
            "$RUSTUP_HOME/toolchains/*/lib/rustlib/src/rust/library",
            "~/.rustup/toolchains/*/lib/rustlib/src/rust/library",
        ),
    ),
    ("jdk", ("$JAVA_HOME/lib/src.zip", "/usr/lib/jvm/*/lib/src.zip")),
)
# Folders of many packages; all that match are taken.
_COLLECTIONS = (
    ("site-packages", ("./.venv/lib/python3*/site-packages", "./venv/lib/python3*/site-packages")),
    (
        "node",
        (
            "./node_modules",
            "./node_modules/.pnpm/*/node_modules",
            "./*/node_modules",
            "./*/*/node_modules",
            "/usr/lib/node_modules",
            "/usr/local/lib/node_modules",
            "/usr/lib/node_modules/npm/node_modules",
            "/usr/share/nodejs",
        ),
    ),
    ("go modules", ("$GOMODCACHE", "$GOPATH/pkg/mod", "~/go/pkg/mod")),
    ("crates", ("$CARGO_HOME/registry/src/*", "~/.cargo/registry/src/*")),
    ("composer", ("./vendor", "/usr/share/php")),
    ("gems", ("/usr/lib/ruby/gems/*/gems", "/var/lib/gems/*/gems", "~/.gem/ruby/*/gems", "/usr/lib/ruby/3*")),
    ("lua", ("/usr/share/lua/5.*", "/usr/local/share/lua/5.*")),
    ("headers", ("/usr/include", "/usr/local/include")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A folder, or a zip archive, of other people's code.

    Attributes:
        is_library: All of it is one package, called `name`; else each folder at its top is one.
    """

    name: str
    place: Path
    is_library: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralFile:
    """A file below a root; `path` is relative to it, with slashes."""

    root: Root
    path: str
    size_bytes: int
    language: Language

    @property
    def package(self) -> str:
        return self.root.name if self.root.is_library else package_of(self.path)


def package_of(path: str) -> str:
    """The package that a path below a root belongs to: its first folder, or the name of a lone module."""
    folder, slash, rest = path.partition("/")
    if not slash:
        return folder.partition(".")[0]
    if folder.startswith("@"):  # npm's scopes
        return f"{folder}/{rest.partition('/')[0]}"
    if "." in folder and "@" in path:  # Go's modules: github.com/owner/name@v1.2.3
        return path[: path.index("@")]
    return folder


def roots_at_hand(work_tree: Path | None, environ: Mapping[str, str] = os.environ) -> tuple[Root, ...]:
    """What is there and can be read, always in the same order.

    Args:
        work_tree: Of the repository under study: what it has installed is general code, too.
    """
    library = Root(name="python", place=Path(sysconfig.get_path("stdlib")), is_library=True)
    installed = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    found = [library, *(Root(name="site-packages", place=Path(place)) for place in (*installed, *_packages_on_path()))]
    for name, globs in _COLLECTIONS:
        found += [Root(name=name, place=place) for each in globs for place in _matches(each, work_tree, environ)]
    for name, globs in _LIBRARIES:
        places = [place for each in globs for place in _matches(each, work_tree, environ)]
        found += [Root(name=name, place=place, is_library=True) for place in places[-1:]]
    unique: dict[Path, Root] = {}
    for root in filter(_is_readable, found):
        unique.setdefault(root.place.resolve(), root)
    return tuple(unique.values())


def _packages_on_path() -> list[str]:
    return [place for place in sys.path if Path(place).name in _PACKAGES]


def _matches(pattern: str, work_tree: Path | None, environ: Mapping[str, str]) -> list[Path]:
    """The places that a glob names, in the order of their names; none where what it starts from is not there."""
    first, _, rest = pattern.partition("/")
    if first == "~":
        start = Path.home()
    elif first == ".":
        if work_tree is None:
            return []
        start = work_tree
    elif first.startswith("$"):
        if not environ.get(first[1:]):
            return []
        start = Path(environ[first[1:]])
    else:
        start = Path("/")
    with suppress(OSError, ValueError):
        return sorted(place for place in start.glob(rest or ".") if first != "." or not _leads_away(place, start))
    return []


def _leads_away(place: Path, work_tree: Path) -> bool:
    """Whether a place in a work tree is reached by a link: the repository decides what is in its tree."""
    inside = [place, *place.parents][: len(place.relative_to(work_tree).parts)]
    return any(each.is_symlink() for each in inside)


def _is_readable(root: Root) -> bool:
    is_archive = root.place.suffix == ".zip" and zipfile.is_zipfile(root.place)
    return os.access(root.place, os.R_OK) and (root.place.is_dir() or is_archive)


def general_files(roots: Iterable[Root]) -> Iterator[GeneralFile]:
    """The files in a known language that people wrote, in the order of their paths.

    Of a package that several roots hold, the first root's is taken: two versions of one file are no two files.
    """
    taken: dict[tuple[str, str], Root] = {}
    for root in roots:
        for path, size_bytes in _entries(root):
            language = language_of(path)
            if language is None or not MIN_FILE_BYTES <= size_bytes <= MAX_FILE_BYTES or unwanted_path(path):
                continue
            file = GeneralFile(root=root, path=path, size_bytes=size_bytes, language=language)
            if taken.setdefault((root.name, file.package), root) is root:
                yield file


def _entries(root: Root) -> Iterator[tuple[str, int]]:
    """Path and size of each file of a root, sorted."""
    if root.place.is_dir():
        yield from _entries_of_folder(root.place)
        return
    with suppress(OSError, zipfile.BadZipFile), zipfile.ZipFile(root.place) as archive:
        for entry in sorted(archive.infolist(), key=lambda entry: entry.filename)[:MAX_ENTRIES]:
            yield entry.filename, entry.file_size


def _entries_of_folder(top: Path) -> Iterator[tuple[str, int]]:
    looked_at = 0
    waiting = [""]
    while waiting and looked_at < MAX_ENTRIES:
        folder = waiting.pop()
        try:
            with os.scandir(top / folder) as entries:
                ordered = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            continue  # not ours to read
        looked_at += len(ordered)
        folders = []
        for entry in ordered:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                if not (entry.name.startswith((".", "__pycache__")) or entry.name in _PACKAGES):
                    folders.append(path)
                continue
            with suppress(OSError):
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(found.st_mode):
                    yield path, found.st_size
        waiting += reversed(folders)


class Reader:
    """Reads files of roots; keeps archives open until it is left."""

    def __init__(self) -> None:
        self._archives: dict[Path, zipfile.ZipFile] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def data(self, file: GeneralFile) -> bytes | None:
        """What is in a file, at most `MAX_FILE_BYTES` of it; None if it cannot be read."""
        try:
            if file.root.place.suffix == ".zip":
                with self._archive(file.root.place).open(file.path) as entry:
                    return entry.read(MAX_FILE_BYTES)
            with (file.root.place / file.path).open("rb") as opened:
                return opened.read(MAX_FILE_BYTES)
        except (OSError, KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
            return None  # gone, damaged, compressed in another way, or with a password

    def _archive(self, place: Path) -> zipfile.ZipFile:
        if place not in self._archives:
            self._archives[place] = self._open.enter_context(zipfile.ZipFile(place))
        return self._archives[place]
