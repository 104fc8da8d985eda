"""What of the code at hand is the repository's own after all: installed, copied, or an older state of it.

By name: the packages that the repository holds and the names under which it is published. By content: files that are
almost one of its files, as `filters.duplicates` compares holes; here the hole is the whole file.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import Any, Self

from acclimate_indexer.filters.duplicates import Mark, NearDuplicates
from acclimate_indexer.languages.registry import language_of
from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.repository import BlobEntry, Repository

from .sources import MAX_FILE_BYTES, MIN_FILE_BYTES, GeneralFile

MAX_COMPARED_FILES = 6_000  # of the repository; 10 KB cost 2 ms, so a large repository takes 10 s
MAX_MANIFEST_BYTES = 256 * 1024
MAX_MANIFESTS = 200  # of a monorepo; each names one package

_MANIFESTS = ("pyproject.toml", "package.json", "Cargo.toml", "go.mod", "setup.cfg", "composer.json")
_GO_MODULE = re.compile(r"^module\s+(\S+)", re.MULTILINE)
_SETUP_NAME = re.compile(r"^name\s*=\s*(\S+)", re.MULTILINE)
_VERSION = re.compile(r"(?:@|-)v?\d[\w.+-]*$")  # serde-1.0.2, lodash@4.17.21


class OwnCode:
    """The names and files of the repository under study."""

    def __init__(self, *, names: Collection[str] = (), texts: Iterable[tuple[str, str]] = ()) -> None:
        """Takes names of packages, and path and text of files."""
        self.names = frozenset(filter(None, map(_normal, names)))
        self._files = NearDuplicates()
        digest = hashlib.sha256(repr(sorted(self.names)).encode())
        for path, text in texts:
            if len(text) >= MIN_FILE_BYTES:
                self._files.add(_mark(path, text))
                digest.update(hashlib.sha256(text.encode("utf-8", errors="replace")).digest())
        self.digest = digest.hexdigest()

    @classmethod
    def of(cls, repository: Repository, commit: str) -> Self:
        """What a commit of the repository holds; of a very large one the names and a part of the files."""
        entries = sorted(repository.files(commit), key=lambda entry: entry.path)
        names = {repository.name, *_python_packages([entry.path for entry in entries])}
        manifests = [entry for entry in entries if entry.path.rpartition("/")[2] in _MANIFESTS]
        for entry in [each for each in manifests if each.size_bytes <= MAX_MANIFEST_BYTES][:MAX_MANIFESTS]:
            names.update(_published_names(entry.path, repository.text(entry.blob) or ""))
        return cls(names=names, texts=_texts(repository, entries))

    def named(self, file: GeneralFile) -> bool:
        """Whether a file lies in a package that is called as one of the repository's."""
        package = _VERSION.sub("", file.package)
        last = package.rpartition("/")[2]
        return not self.names.isdisjoint((_normal(package), _normal(last), _normal(file.path.partition("/")[0])))

    def holds(self, path: str, text: str) -> bool:
        """Whether a file is almost one of the repository's."""
        return self._files.is_near(_mark(path, text))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name.strip().lower())


def _mark(path: str, text: str) -> Mark:
    whole = CompletionPair(
        kind="completion", language="", path=path, commit="", prefix="", middle=text, suffix="", place=""
    )
    return Mark.of(whole)


def _texts(repository: Repository, entries: Sequence[BlobEntry]) -> Iterable[tuple[str, str]]:
    wanted = [
        entry
        for entry in entries
        if language_of(entry.path) is not None and MIN_FILE_BYTES <= entry.size_bytes <= MAX_FILE_BYTES
    ]
    wanted.sort(key=lambda entry: entry.blob)  # of too many a part that is spread over all folders
    for entry in wanted[:MAX_COMPARED_FILES]:
        text = repository.text(entry.blob)
        if text is not None:
            yield entry.path, text


def _python_packages(paths: Sequence[str]) -> set[str]:
    """The packages that lie in no package, and the modules at the root or in `src`."""
    packages = {path.rpartition("/")[0] for path in paths if path.rpartition("/")[2] == "__init__.py"}
    tops = {folder.rpartition("/")[2] for folder in packages if folder.rpartition("/")[0] not in packages}
    modules = {path.removeprefix("src/").removesuffix(".py") for path in paths if path.endswith(".py")}
    return tops | {module for module in modules if "/" not in module}


def _published_names(path: str, text: str) -> set[str]:
    """The names that a manifest gives; none where it cannot be read."""
    file = path.rpartition("/")[2]
    if file == "go.mod":
        return set(_GO_MODULE.findall(text))
    if file == "setup.cfg":
        return set(_SETUP_NAME.findall(text))
    with suppress(ValueError, RecursionError, AttributeError):
        record: dict[str, Any] = json.loads(text) if file.endswith(".json") else tomllib.loads(text)
        tool: dict[str, Any] = record.get("tool", {})
        tables = (record, record.get("project", {}), record.get("package", {}), tool.get("poetry", {}))
        return {name for table in tables if isinstance(name := table.get("name"), str)}
    return set()
