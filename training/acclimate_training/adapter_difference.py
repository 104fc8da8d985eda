"""What sets two adapters apart: how they were made, and how they did."""

from collections.abc import Mapping
from typing import Any

MADE = ("base", "dataset", "recipe", "libraries", "prompt_budget")  # compared field by field
COUNTED = ("seed", "device", "minutes", "max_pairs", "steps", "tokens", "seconds", "final_training_loss", "forced")


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What differs between two records of adapters, each as [before, after]; what is alike is absent."""
    parts = {name: _changes(before.get(name), after.get(name)) for name in MADE}
    parts["training"] = _changes(*({name: each.get(name) for name in COUNTED} for each in (before, after)))
    parts["verdict"] = _changes(*(_said(each) for each in (before, after)))
    parts["metrics"] = _changes(*(_figures(each) for each in (before, after)))
    found = {name: changes for name, changes in parts.items() if changes}
    return {"from": before["version"], "to": after["version"], **found}


def _changes(before: Any, after: Any) -> dict[str, list[Any]]:
    first, second = (each if isinstance(each, Mapping) else {} for each in (before, after))
    names = dict.fromkeys([*first, *second])
    return {name: [first.get(name), second.get(name)] for name in names if first.get(name) != second.get(name)}


def _said(record: Mapping[str, Any]) -> dict[str, Any]:
    verdict = record.get("verdict") or {}
    said = {name: verdict.get(name) for name in ("state", "candidate", "reason")}
    return said | {name: record.get(name) for name in ("withdrawn", "withdrawn_reason")}


def _figures(record: Mapping[str, Any]) -> dict[str, Any]:
    """`adapter exact_match` and the like: plain numbers, not their intervals."""
    contenders = (record.get("metrics") or {}).get("contenders") or {}
    return {
        f"{name} {figure}": value
        for name, figures in contenders.items()
        for figure, value in figures.items()
        if isinstance(value, int | float)
    }
