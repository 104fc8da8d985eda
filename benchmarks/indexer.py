"""Mining: all of it against a bare tree-sitter parse of the same files, in one run.

Without repositories, one is made of the standard library's own files and a small history of commits.
"""

import argparse
import json
import statistics
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from acclimate_indexer.completion_cut import cut
from acclimate_indexer.dataset import Dataset, MiningOptions, mine
from acclimate_indexer.home import Home
from acclimate_indexer.languages.registry import grammar, language_of
from acclimate_indexer.repository import Repository

STANDARD_LIBRARY_FILES = 200  # about 4 MB: as much as a repository of medium size
HISTORY_COMMITS = 20  # after the first, a fortnight apart
CUTS = 2_000  # timed one by one


def main(repositories: Sequence[Path] = ()) -> dict[str, Any]:
    """Figures by repository."""
    with tempfile.TemporaryDirectory(prefix="acclimate-bench-") as temporary:
        folder = Path(temporary)
        named = list(repositories) or [_standard_library(folder / "standard-library")]
        return {_name(path): _figures(path, folder / f"home-{number}") for number, path in enumerate(named)}


def _figures(path: Path, folder: Path) -> dict[str, Any]:
    repository = Repository.open(path)
    home = Home.default({"ACCLIMATE_HOME": str(folder)}).create().for_repository(repository.common_directory)
    files, size_bytes, parse_seconds = _bare_parse(repository)
    with _timed() as mining:
        dataset = mine(repository, home)
    with _timed() as finding:
        mine(repository, home)
    return {
        "commit": dataset.commit[:12],
        "files": files,
        "megabytes": size_bytes / 1e6,
        "pairs": sum(dataset.counts["completion"].values()),
        "mine_seconds": mining[0],
        "parse_seconds": parse_seconds,
        "mine_per_parse": mining[0] / parse_seconds,
        "files_per_second": files / mining[0],
        "megabytes_per_second": size_bytes / 1e6 / mining[0],
        "found_again_seconds": finding[0],
        "cut_median_microseconds": _cut_microseconds(dataset),
    }


def _bare_parse(repository: Repository) -> tuple[int, int, float]:
    """How many files of known languages there are, their size, and how long reading and parsing alone takes."""
    from tree_sitter import Parser

    files = size_bytes = 0
    with _timed() as seconds:
        for entry in repository.files(repository.head()):
            language = language_of(entry.path)
            if language is None or entry.size_bytes > MiningOptions().max_file_bytes:
                continue
            text = repository.text(entry.blob)
            if text is not None:
                files, size_bytes = files + 1, size_bytes + entry.size_bytes
                Parser(grammar(language)).parse(text.encode())
    return files, size_bytes, seconds[0]


def _cut_microseconds(dataset: Dataset) -> float:
    """What the served cut costs for an answer that runs on."""
    times = []
    for pair, _ in zip(dataset.pairs("train"), range(CUTS), strict=False):
        started = time.perf_counter()
        cut(pair.middle + pair.suffix[:400], language=pair.language, prefix=pair.prefix, suffix=pair.suffix)
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1e6


@contextmanager
def _timed() -> Iterator[list[float]]:
    """Holds the seconds that the block took, once it is over."""
    seconds: list[float] = []
    started = time.perf_counter()
    yield seconds
    seconds.append(time.perf_counter() - started)


def _standard_library(folder: Path) -> Path:
    """A repository of the standard library's files: most at once, the rest over the months after."""
    sys.path.insert(0, str(Path(__file__).parent.parent))  # also when started as a file
    from tests.support.git_folder import GitFolder

    library = Path(sysconfig.get_paths()["stdlib"])
    sources = [path for path in sorted(library.rglob("*.py")) if not {"site-packages", "test"} & set(path.parts)]
    chosen = sources[:: max(1, len(sources) // STANDARD_LIBRARY_FILES)]
    texts: dict[str, str | bytes] = {f"src/{path.relative_to(library)}": path.read_bytes() for path in chosen}
    paths = list(texts)
    repository = GitFolder.new(folder)
    later = [paths[number::40] for number in range(HISTORY_COMMITS)]
    repository.commit({path: texts[path] for path in paths if not any(path in each for each in later)})
    for number, added in enumerate(later):
        repository.commit({path: texts[path] for path in added}, day=14 * (number + 1))
    return folder


def _name(path: Path) -> str:
    """A bare repository is often just called `repo`; its folder tells more."""
    resolved = path.resolve()
    return resolved.parent.name if resolved.name in ("repo", ".git") else resolved.name


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repositories", nargs="*", type=Path)
    print(json.dumps(main(parser.parse_args(sys.argv[1:]).repositories), indent=1))
