"""Libraries of the repository's own that are used instead of foreign ones.

A file that imports a foreign library of its own name, or nearly, and is itself imported nearly everywhere, where the
foreign one hardly is, wraps it: `shop.typing` around `typing_extensions`. What it imports under quite another name it
may well need for something else.
"""

import posixpath
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from acclimate_indexer.languages.registry import are_related

from .facts import ConventionFacts
from .prevailing import prevailing
from .record import Prevalence

GENERIC = frozenset(
    ("types", "utils", "util", "common", "core", "base", "helpers", "main", "index")
)  # akin to anything


def wrappers(facts: Mapping[str, ConventionFacts]) -> Iterable[Prevalence]:
    """Which own file stands for which foreign library."""
    modules = _Modules(facts)
    users: dict[str, set[str]] = defaultdict(set)  # of own files
    foreign: dict[str, set[str]] = defaultdict(set)  # which files import a foreign library
    for path, each in facts.items():
        for module in each.modules:
            own = modules.file_of(module, path, each.language)
            if own is None and not module.startswith(".") and root_library(module) not in modules.folders:
                foreign[root_library(module)].add(path)
            elif own is not None and own != path:
                users[own].add(path)
    for library, importers in sorted(foreign.items()):
        yield from _wrapper(library, importers, users)


def _wrapper(library: str, importers: set[str], users: Mapping[str, set[str]]) -> Iterable[Prevalence]:
    """The own file that is used in place of `library`."""
    akin = (path for path in importers & users.keys() if _are_akin(path, library))
    for own in sorted(akin, key=lambda path: (-len(users[path]), path))[:1]:
        direct = {path for path in importers if path != own and posixpath.dirname(path) != posixpath.dirname(own)}
        instead = users[own] - direct
        if len(instead) > len(direct):
            rule = f"{own} rather than {library}"
            places = [*((rule, path) for path in instead), *((library, f"{library} in {path}") for path in direct)]
            yield from prevailing("own libraries", places)


def _are_akin(path: str, library: str) -> bool:
    """Whether one's name is a word of the other's: `shop_logging` and `logging`, `typing` and `typing_extensions`.

    Names that share a few letters are no kin. On histories that nobody had looked at `tests` stood for `unittest` then,
    and `pathlib` for `posixpath`; nobody put such an import right.
    """
    name = posixpath.basename(stem_of(path)).lower()
    words, others = (re.split(r"[^a-z0-9]+", each.lower()) for each in (name, library))
    return name not in GENERIC and (library.lower() in words or name in others)


def stem_of(path: str) -> str:
    """A path as imports name it: without its extension, a package by its folder."""
    return posixpath.splitext(path)[0].removesuffix("/__init__").removesuffix("/index")


class _Modules:
    """Finds the file that an imported module is."""

    def __init__(self, paths: Collection[str]) -> None:
        self._by_stem = {stem_of(path): path for path in sorted(paths, reverse=True)}
        self._packages = frozenset(posixpath.dirname(path) for path in paths if path.endswith("/__init__.py"))
        self.folders = frozenset(folder for path in paths for folder in path.split("/")[:-1])
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for stem in self._by_stem:
            self._by_name[posixpath.basename(stem)].append(stem)

    def file_of(self, module: str, importer: str, language: str) -> str | None:
        """The file, if it is one of the repository's; `module` as it stands in the import of `importer`.

        Python's `uuid` is not the `uuid.rs` of the same repository, nor is `numpy` the `shop/numpy.py` of its package.
        """
        if module.startswith("."):
            return self._by_stem.get(_relative(module, posixpath.dirname(importer)))
        wanted = posixpath.splitext(module)[0] if "/" in module else module.replace("::", "/").replace(".", "/")
        stems = self._by_name.get(posixpath.basename(wanted), ())
        above = {stem: stem[: -len(wanted)].rstrip("/") for stem in stems if f"/{stem}".endswith(f"/{wanted}")}
        paths = (self._by_stem[stem] for stem, folder in above.items() if folder not in self._packages)
        return next((path for path in paths if are_related(path, language)), None)


def _relative(module: str, folder: str) -> str:
    """A stem: `./web` and `../web.js` by folders, `.web` and `..shop.web` by packages."""
    if "/" in module or module in (".", ".."):
        return posixpath.normpath(posixpath.join(folder, module.removesuffix(".js").removesuffix(".ts")))
    dots = len(module) - len(module.lstrip("."))
    return posixpath.normpath(posixpath.join(folder, *[".."] * (dots - 1), module.lstrip(".").replace(".", "/")))


def root_library(module: str) -> str:
    """The library of a module: `requests` of `requests.adapters`, `@shop/web` of `@shop/web/client`."""
    if "/" in module:
        return "/".join(module.split("/")[: 2 if module.startswith("@") else 1])
    return module.replace("::", ".").partition(".")[0]
