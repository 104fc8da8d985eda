"""Mining against a bare tree-sitter parse of the same files, in one run.

Without repositories, one is made of the standard library's own files and a small history of commits. A repository that
is named is cloned, so that a changed file can be committed to it.
"""

import argparse
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from acclimate_indexer.dataset import MiningOptions, Stages, mine
from acclimate_indexer.home import Home
from acclimate_indexer.languages.language import grammar
from acclimate_indexer.languages.registry import language_of
from acclimate_indexer.repository import Repository

HISTORY_COMMITS = 20  # of the made repository, after the first, a fortnight apart
SIZES = (4, 2, 1)  # of its files every so manieth is taken, to see that time grows with size
SAMPLE_SECONDS = 0.1  # between two looks at the memory
WORK = ("files", "pairs", "index", "write")  # parse, units, filters; near-duplicates; index; writing


def main(repositories: Sequence[Path] = ()) -> dict[str, Any]:
    """Figures by repository; of the made one in three sizes."""
    with tempfile.TemporaryDirectory(prefix="acclimate-bench-") as temporary:
        folder = Path(temporary)
        if repositories:
            named = [_clone(path, folder / f"clone-{number}") for number, path in enumerate(repositories)]
        else:
            named = [standard_library(folder / f"standard-library-every-{every}", every) for every in SIZES]
        return {path.name: _figures(path, folder / f"home-{number}") for number, path in enumerate(named)}


def _figures(path: Path, folder: Path) -> dict[str, Any]:
    repository = Repository.open(path)
    home = Home.default({"ACCLIMATE_HOME": str(folder)}).create().for_repository(repository.common_directory)
    stages, again = Stages(), Stages()
    with _timed() as seconds, _peak_mib() as peak:
        dataset = mine(repository, home, stages=stages)
    files, lines, size_bytes, parse_seconds = _bare_parse(repository, str(dataset.manifest["split_commit"]))
    _change_a_file(path)
    with _timed() as remining:
        mine(Repository.open(path), home, stages=again)
    work_seconds = sum(stages.seconds[name] for name in WORK)
    contexts = int(dataset.manifest["with_context"])
    return {
        "commit": dataset.commit[:12],
        "files": files,
        "lines": lines,
        "megabytes": size_bytes / 1e6,
        "pairs": dataset.counts,
        "seconds": seconds[0],
        "stage_seconds": stages.seconds,
        "lines_per_second": lines / work_seconds,
        "parse_seconds": parse_seconds,
        "bare_parse_lines_per_second": lines / parse_seconds,
        "over_bare_parse": work_seconds / parse_seconds,
        "secret_drop_share": _share(dataset.manifest, "secret"),  # false ones among them: an upper bound
        "personal_drop_share": _share(dataset.manifest, "personal_data"),
        "context_milliseconds": 1000 * stages.seconds["context"] / max(1, contexts),
        "remine_seconds": remining[0],
        "remine_stage_seconds": again.seconds,
        "remine_share": again.seconds["files"] / stages.seconds["files"],
        "peak_mib": peak[0],
    }


def _share(manifest: dict[str, Any], reason: str) -> float:
    """How many of the pairs that files could have given were dropped for a reason."""
    kinds = manifest["counts"]["kind"]
    kept = sum(sum(kinds.get(kind, {}).values()) for kind in ("completion", "documentation"))
    dropped = int(manifest["dropped"].get(reason, 0))
    return dropped / (kept + dropped)


def _bare_parse(repository: Repository, commit: str) -> tuple[int, int, int, float]:
    """How many files of known languages there are, their lines and bytes, and how long parsing alone takes."""
    from tree_sitter import Parser

    files = lines = size_bytes = 0
    seconds = 0.0
    for entry in repository.files(commit):
        language = language_of(entry.path)
        if language is None or entry.size_bytes > MiningOptions().max_file_bytes:
            continue
        text = repository.text(entry.blob)
        if text is not None:
            files, lines, size_bytes = files + 1, lines + text.count("\n"), size_bytes + entry.size_bytes
            data, parser = text.encode(), Parser(grammar(language))
            started = time.perf_counter()
            parser.parse(data)
            seconds += time.perf_counter() - started
    return files, lines, size_bytes, seconds


@contextmanager
def _timed() -> Iterator[list[float]]:
    """Holds the seconds that the block took, once it is over."""
    seconds: list[float] = []
    started = time.perf_counter()
    yield seconds
    seconds.append(time.perf_counter() - started)


@contextmanager
def _peak_mib() -> Iterator[list[float]]:
    """Holds the most memory that this process took more than before, with its children's, once the block is over."""
    peak: list[float] = []
    own = psutil.Process()
    before = own.memory_info().rss
    seen = [0]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(SAMPLE_SECONDS):
            total = own.memory_info().rss - before
            for child in own.children(recursive=True):
                try:
                    total += child.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            seen[0] = max(seen[0], total)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    yield peak
    over.set()
    thread.join()
    peak.append(seen[0] / 2**20)


def _change_a_file(path: Path) -> None:
    """Commits one changed file on a branch of its own, at the commit that is learnt from."""
    changed = max(path.rglob("*.py"), key=lambda file: (file.stat().st_size < 50_000, file.stat().st_size, file.name))
    changed.write_text(
        changed.read_text(encoding="utf-8") + "\n\ndef added_by_the_benchmark(first, second):\n"
        "    return first + second\n",
        encoding="utf-8",
    )
    _git(path, "commit", "-qam", "Add a function", when=_time_of_head(path) + 60)


def _time_of_head(path: Path) -> int:
    return int(_git(path, "log", "-1", "--format=%ct"))


def _git(path: Path, *arguments: str, when: int = 0) -> str:
    dates = {f"GIT_{who}_DATE": f"{when} +0000" for who in ("AUTHOR", "COMMITTER")} if when else {}
    names = {f"GIT_{who}_{what}": "bench@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return subprocess.run(
        ["git", "-C", str(path), *arguments],  # noqa: S607 - git by name
        env=os.environ | names | dates,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def _clone(path: Path, folder: Path) -> Path:
    """A copy with a work tree, named as the repository is."""
    resolved = path.resolve()
    name = resolved.parent.name if resolved.name in ("repo", ".git") else resolved.name
    folder.mkdir()
    _git(folder, "clone", "-q", str(resolved), name)
    return folder / name


def standard_library(folder: Path, every: int) -> Path:
    """A repository of the standard library's files: most at once, the rest over the months after."""
    sys.path.insert(0, str(Path(__file__).parent.parent))  # also when started as a file
    from tests.support.git_folder import GitFolder

    library = Path(sysconfig.get_paths()["stdlib"])
    sources = [path for path in sorted(library.rglob("*.py")) if "site-packages" not in path.parts]
    texts: dict[str, str | bytes] = {f"src/{path.relative_to(library)}": path.read_bytes() for path in sources[::every]}
    paths = list(texts)
    repository = GitFolder.new(folder)
    later = [paths[number::400] for number in range(HISTORY_COMMITS)]
    late = {path for each in later for path in each}
    repository.commit({path: texts[path] for path in paths if path not in late})
    for number, added in enumerate(later):
        repository.commit({path: texts[path] for path in added}, day=14 * (number + 1))
    return folder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repositories", nargs="*", type=Path)
    print(json.dumps(main(parser.parse_args(sys.argv[1:]).repositories), indent=1))
