"""Reads a record that somebody else may have written: what is not of the expected kind was not measured."""

import math
from collections.abc import Iterable
from typing import Any


def part(record: Any, *keys: str) -> dict[str, Any]:
    """The object under these keys; empty if there is none."""
    for key in keys:
        record = record.get(key) if isinstance(record, dict) else None
    return record if isinstance(record, dict) else {}


def parts(record: Any, *keys: str) -> dict[str, dict[str, Any]]:
    """The objects inside the object under these keys, by name."""
    return {str(name): value for name, value in part(record, *keys).items() if isinstance(value, dict)}


def rows(record: Any, key: str) -> list[dict[str, Any]]:
    """The list of objects under this key."""
    found = record.get(key) if isinstance(record, dict) else None
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list | tuple) else []


def sentences(record: Any, key: str) -> list[str]:
    """The list of texts under this key."""
    found = record.get(key) if isinstance(record, dict) else None
    return [str(text) for text in found] if isinstance(found, list | tuple) else []


def number(record: Any, key: str) -> float | None:
    """A finite number."""
    value = record.get(key) if isinstance(record, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # JSON knows integers that no float can hold
        return None


def count(record: Any, key: str) -> int | None:
    """A number of things."""
    value = number(record, key)
    return None if value is None else int(value)


def interval(record: Any, key: str) -> tuple[float, float] | None:
    """`[low, high]` of the figure `key`."""
    found = record.get(f"{key}_interval") if isinstance(record, dict) else None
    if not isinstance(found, list | tuple) or len(found) != 2:
        return None
    low, high = number({"end": found[0]}, "end"), number({"end": found[1]}, "end")
    return None if low is None or high is None else (low, high)


def text(record: Any, key: str, otherwise: str = "") -> str:
    """A value in words; objects and lists as `name: value` and commas."""
    value = record.get(key) if isinstance(record, dict) else None
    return otherwise if value is None or value == "" else plain(value)


def plain(value: Any) -> str:
    """Any JSON value in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {plain(each)}" for key, each in value.items())
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(map(plain, value))
    return "none" if value is None else str(value)
