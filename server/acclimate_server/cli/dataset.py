"""`acclimate dataset`: the versions of what was mined."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table

from acclimate_indexer.dataset import Dataset, datasets, latest_dataset
from acclimate_indexer.errors import UsageError
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.pairs import SPLITS

from .context import Context
from .pipeline import opened_repository
from .verb import DONE, Verbs, add_verb

COMPARED = ("kind", "language")  # of the counts
NAMED_IN_DIFF = ("commit", "split_commit", "split", "settings", "grammars", "feedback")


def register(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    parser = add_verb(
        verbs,
        shared,
        "dataset",
        run,
        summary="list, show and compare what was mined",
        description="A data set is never changed: another commit, setting or version of a grammar makes another one. "
        "A name is the beginning of a hash; without one the newest is meant.",
        examples="acclimate dataset\nacclimate dataset show\nacclimate dataset diff 1a2b 5e6f",
    )
    parser.add_argument("action", nargs="?", choices=("list", "show", "diff"), default="list")
    parser.add_argument("names", nargs="*", metavar="HASH", help="the beginning of a data set's hash; for diff two")
    parser.add_argument(
        "--repository", "-C", type=Path, default=Path(), metavar="REPO", help="the repository (default: where you are)"
    )


def run(arguments: argparse.Namespace, context: Context) -> int:
    repository = opened_repository(arguments.repository)
    home = context.home.for_repository(repository.common_directory)
    if arguments.action == "diff":
        if len(arguments.names) != 2:
            raise UsageError("Which two? `acclimate dataset diff HASH HASH`; `acclimate dataset` lists them.")
        first, second = (named_dataset(home, name) for name in arguments.names)
        _show_diff(first, second, context)
    elif arguments.action == "show":
        manifest = named_dataset(home, next(iter(arguments.names), None)).manifest
        context.terminal.show(manifest_tables(manifest))
        context.terminal.finish(manifest)
    else:
        _show_list(home, repository.name, context)
    return DONE


def named_dataset(home: RepositoryHome, name: str | None) -> Dataset:
    """The data set whose hash begins with `name`; the newest without one.

    Raises:
        UsageError: None or several begin so.
        DatasetError: There is none at all.
    """
    if name is None:
        return latest_dataset(home)
    known = datasets(home)
    found = [dataset for dataset in known if dataset.hash.startswith(name)]
    if len(found) != 1:
        names = ", ".join(dataset.hash for dataset in known) or "none"
        raise UsageError(f"{name!r} begins the hash of {len(found)} data sets. There are: {names}.")
    return found[0]


def manifest_tables(manifest: Mapping[str, Any]) -> Group:
    """What a data set holds, for a person."""
    counts, title = manifest["counts"], f"{manifest['repository']}, data set {manifest['hash']}"
    pairs = {f"{name} ({kind})": row for kind in COMPARED for name, row in counts[kind].items()}
    tables = [split_table(pairs, title)]
    for name in ("files", "dropped", "conventions"):
        table = Table("", "", title=name, title_justify="left", show_header=False)
        for reason, count in manifest[name].items():
            table.add_row(reason, f"{count:,}")
        tables.append(table)
    return Group(*tables, f"{len(manifest['secrets']):,} lines with secrets or mail addresses; `--json` says where.")


def split_table(rows: Mapping[str, Mapping[str, int]], title: str) -> Table:
    """Counts by name and part."""
    table = Table(title=title, title_justify="left")
    table.add_column("pairs")
    for split in SPLITS:
        table.add_column(split, justify="right")
    for name, counts in rows.items():
        table.add_row(name, *(f"{counts.get(split, 0):,}" for split in SPLITS))
    return table


def _show_list(home: RepositoryHome, name: str, context: Context) -> None:
    found = [dataset.manifest for dataset in datasets(home)]
    records = [{key: each[key] for key in ("hash", "commit", "split", "counts")} for each in found]
    table = Table("data set", "commit", "split", "pairs", title=f"Data sets of {name}", title_justify="left")
    for record in records:
        pairs = sum(record["counts"]["split"].values())
        table.add_row(record["hash"], record["commit"][:12], record["split"], f"{pairs:,}")
    context.terminal.show(table if records else f"{name} has no data set yet. Make one: `acclimate mine`.")
    context.terminal.finish({"datasets": records})


def _show_diff(first: Dataset, second: Dataset, context: Context) -> None:
    """What made the two differ, and by how many pairs, in each part that differs."""
    changed = {
        key: [first.manifest.get(key), second.manifest.get(key)]
        for key in NAMED_IN_DIFF
        if first.manifest.get(key) != second.manifest.get(key)
    }
    counts = {
        kind: _count_differences(first.manifest["counts"][kind], second.manifest["counts"][kind]) for kind in COMPARED
    }
    pairs = _pair_differences(first, second)
    table = Table("what", first.hash, second.hash, title="Differences", title_justify="left")
    for key, (before, after) in changed.items():
        table.add_row(key, str(before), str(after))
    for split, numbers in pairs.items():
        table.add_row(f"pairs only here, {split}", f"{numbers['removed']:,}", f"{numbers['added']:,}")
    context.terminal.show(table)
    hashes = {"from": first.hash, "to": second.hash}
    context.terminal.finish(hashes | {"changed": changed, "counts": counts, "pairs": pairs})


def _count_differences(
    before: Mapping[str, Mapping[str, int]], after: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, int]]:
    names = sorted({*before, *after})
    rows: dict[str, dict[str, int]] = {
        name: {split: after.get(name, {}).get(split, 0) - before.get(name, {}).get(split, 0) for split in SPLITS}
        for name in names
    }
    return {name: row for name, row in rows.items() if any(row.values())}


def _pair_differences(first: Dataset, second: Dataset) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for split in SPLITS:
        before, after = first.line_digests(split), second.line_digests(split)
        found[split] = {
            "added": len(after - before),
            "removed": len(before - after),
            "unchanged": len(before & after),
        }
    return found
