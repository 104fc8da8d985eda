"""`acclimate forget REPO`: removes everything that was derived from a repository."""

import argparse
import shutil
import sys
from contextlib import closing
from pathlib import Path

from acclimate_indexer.completion_feedback import CompletionFeedback
from acclimate_indexer.errors import RepositoryError, UsageError
from acclimate_indexer.home import Home, RepositoryHome

from .context import Context
from .pipeline import opened_repository
from .verb import DONE, Verbs, add_verb


def register(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    parser = add_verb(
        verbs,
        shared,
        "forget",
        run,
        summary="remove all that was derived from a repository",
        description="Deletes the repository's data sets, adapters, evaluations and logs. The repository itself, "
        "the models and the runtime stay. With `--feedback` it deletes only what was noted of completions: which were "
        "taken, kept or refused. There is no way back, so it asks first.",
        examples="acclimate forget .\nacclimate forget ~/code/shop --yes\nacclimate forget . --feedback",
    )
    parser.add_argument(
        "repository", type=Path, metavar="REPO", help="the repository, also if it is gone from the disk"
    )
    parser.add_argument("--feedback", action="store_true", help="only what was noted of completions")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(arguments: argparse.Namespace, context: Context) -> int:
    home = _home_of(arguments.repository, context.home)
    return (_forget_feedback if arguments.feedback else _forget_all)(home, arguments, context)


def _forget_all(home: RepositoryHome, arguments: argparse.Namespace, context: Context) -> int:
    files = [path for path in home.root.rglob("*") if path.is_file()] if home.root.is_dir() else []
    size = sum(path.stat().st_size for path in files)
    if files and not arguments.yes:
        _ask(f"Delete {len(files):,} files ({size / 1e6:,.1f} MB) under {home.root}? [y/N] ")
    if home.root.is_dir():
        shutil.rmtree(home.root)
    context.terminal.show(
        f"Forgotten: {len(files):,} files, {size / 1e6:,.1f} MB." if files else "Nothing was known about it."
    )
    context.terminal.finish({"folder": str(home.root), "files": len(files), "size_bytes": size})
    return DONE


def _forget_feedback(home: RepositoryHome, arguments: argparse.Namespace, context: Context) -> int:
    """Empties the store and leaves the file: an editor may be writing to it."""
    offers = 0
    if home.completions.exists():
        if not arguments.yes:
            _ask(f"Delete what was noted of completions in {home.completions}? [y/N] ")
        with closing(CompletionFeedback.open(home.completions)) as store:
            offers = store.purge()
    context.terminal.show(f"Forgotten: what became of {offers:,} completions.")
    context.terminal.finish({"folder": str(home.root), "offers": offers})
    return DONE


def _home_of(path: Path, home: Home) -> RepositoryHome:
    """Where its state lies; a repository that was deleted is found by where it was."""
    try:
        return home.for_repository(opened_repository(path).common_directory)
    except RepositoryError:
        resolved = path.expanduser().resolve()
        for candidate in (resolved / ".git", resolved):
            if home.for_repository(candidate).root.is_dir():
                return home.for_repository(candidate)
        raise


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError("Nobody can be asked here. Say --yes to delete.")
    print(question, end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("Nothing was deleted.")
