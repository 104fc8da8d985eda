"""`acclimate adapters`: lists a repository's adapters, and says which one completes."""

import argparse
from pathlib import Path
from typing import Any

from rich.table import Table

from acclimate_indexer.errors import UsageError
from acclimate_training.registry import Adapter, AdapterRegistry

from .context import Context
from .pipeline import opened_repository
from .verb import DONE, Verbs, add_verb


def register(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    parser = add_verb(
        verbs,
        shared,
        "adapters",
        run,
        summary="list a repository's adapters, or choose the one in use",
        description="Every training makes an adapter, and none is overwritten. `use` moves the pointer to "
        "another one; running editors follow within a request. `use none` goes back to the bare "
        "base model, and `use auto` takes the newest adapter that the comparison did not reject.",
        examples="acclimate adapters\nacclimate adapters use shop-20260401T101500-3f2a\nacclimate adapters use none",
    )
    parser.add_argument("action", nargs="?", choices=("list", "use"), default="list")
    parser.add_argument("version", nargs="?", metavar="VERSION", help="a version, `none` or `auto`")
    parser.add_argument(
        "--repository", "-C", type=Path, default=Path(), metavar="REPO", help="the repository (default: where you are)"
    )


def run(arguments: argparse.Namespace, context: Context) -> int:
    repository = opened_repository(arguments.repository)
    registry = AdapterRegistry(context.home.for_repository(repository.common_directory))
    if arguments.action == "use":
        if not arguments.version:
            raise UsageError("Which one? `acclimate adapters use VERSION`, `none` or `auto`.")
        registry.set_live(_meant(arguments.version, registry))
    live = registry.live()
    records = [_record(adapter, live) for adapter in registry.versions()]
    context.terminal.show(_table(records, repository.name))
    context.terminal.finish({"adapters": records, "live": None if live is None else live.version})
    return DONE


def _meant(version: str, registry: AdapterRegistry) -> str | None:
    if version == "none":
        return None
    if version != "auto":
        return version
    usable = [adapter for adapter in registry.versions() if adapter.state != "rejected"]
    return usable[-1].version if usable else None


def _record(adapter: Adapter, live: Adapter | None) -> dict[str, Any]:
    return {
        "version": adapter.version,
        "state": adapter.state,
        "reason": adapter.record["verdict"].get("reason", ""),
        "base": adapter.base_name,
        "live": live is not None and live.version == adapter.version,
        "folder": str(adapter.folder),
    }


def _table(records: list[dict[str, Any]], name: str) -> Table | str:
    if not records:
        return f"{name} has no adapter yet. Make one: `acclimate adapt`."
    table = Table(title=f"Adapters of {name}", title_justify="left")
    for column in ("in use", "version", "state", "base", "why"):
        table.add_column(column, overflow="fold")
    for record in records:
        table.add_row(
            "*" if record["live"] else "", record["version"], record["state"], record["base"], record["reason"]
        )
    return table
