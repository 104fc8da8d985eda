"""Adapters as tables for a person."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from acclimate_training.registry import Adapter
from acclimate_training.registry_store import Event

from .reviews import reviews_shown

SHOWN = ("exact_match", "edit_similarity", "loss", "n")  # of each contender; `--json` has all
LINEAGE = ("created", "seed", "device", "steps", "minutes", "tokens", "seconds", "final_training_loss")
DECIMALS = 4


def adapter_list(records: list[dict[str, Any]], repository: str) -> RenderableType:
    """All adapters of a repository, by their summaries."""
    if not records:
        return f"{repository} has no adapter yet. Make one: `acclimate adapt`."
    table = Table(title=f"Adapters of {repository}", title_justify="left")
    for column in ("in use", "version", "tag", "state", "base", "why"):
        table.add_column(column, overflow="fold")
    for each in records:
        state = f"{each['state']}, withdrawn" if each["withdrawn"] else each["state"]
        mark = "*" if each["live"] else ""
        table.add_row(mark, each["version"], each["tag"] or "", state, each["base"], each["reason"])
    return table


def adapter_details(adapter: Adapter, events: Iterable[Event], problem: str) -> RenderableType:
    """One adapter: where it came from, how it did, what became of it."""
    return Group(
        _lineage(adapter, problem),
        *_figures(adapter.record.get("metrics") or {}),
        *reviews_shown(adapter.record),
        _history(events),
    )


def _lineage(adapter: Adapter, problem: str) -> Table:
    record, tag = adapter.record, f" ({adapter.tag})" if adapter.tag else ""
    table = Table("", "", title=f"{adapter.version}{tag}", title_justify="left", show_header=False)
    table.add_row("state", f"{adapter.state}{', withdrawn' if adapter.is_withdrawn else ''}")
    table.add_row("why", adapter.reason)
    table.add_row("base", adapter.base_identity)
    for part in ("dataset", "recipe", "libraries", "imported"):
        if record.get(part):
            table.add_row(part, _flat(record[part]))
    for name in LINEAGE:
        if record.get(name) is not None:
            table.add_row(name.replace("_", " "), str(record[name]))
    unknown = "not known: it is from before there were checksums"
    table.add_row("files", problem or ("as they were written" if adapter.files else unknown))
    return table


def _figures(metrics: Mapping[str, Any]) -> list[Table]:
    contenders: Mapping[str, Mapping[str, Any]] = metrics.get("contenders") or {}
    if not contenders:
        return []
    table = Table("contender", *SHOWN, title=f"Held-out code ({metrics.get('split', 'test')})", title_justify="left")
    for name, figures in contenders.items():
        table.add_row(name, *(_value(figures.get(shown)) for shown in SHOWN))
    return [table]


def _history(events: Iterable[Event]) -> RenderableType:
    table = Table("when (UTC)", "what", "version", "in use before", "why", title="History", title_justify="left")
    for event in events:
        table.add_row(event.at[:19], event.action, event.version or "base", event.from_version or "base", event.reason)
    return table if table.row_count else ""


def difference_table(found: Mapping[str, Any]) -> RenderableType:
    """What sets two adapters apart."""
    table = Table("what", found["from"], found["to"], title="Differences", title_justify="left")
    for part, changes in found.items():
        if isinstance(changes, Mapping):
            for name, (before, after) in changes.items():
                table.add_row(f"{part}: {name}", _value(before), _value(after))
    return table if table.row_count else f"{found['from']} and {found['to']} do not differ."


def _flat(part: Any) -> str:
    if not isinstance(part, Mapping):
        return str(part)
    return ", ".join(f"{name} {_value(value)}" for name, value in part.items() if value is not None)


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.{DECIMALS}g}"
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return "" if value is None else str(value)
