"""Which share of pairs is of which language and kind."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """The weight of each language, and the share of documentation pairs in each."""

    languages: Mapping[str, float]
    documentation: float


def whole_numbers(weights: Mapping[str, float], total: int) -> dict[str, int]:
    """`total` shared out by weight, without a rest; what a rounding leaves goes to the largest fractions."""
    every = sum(weights.values())
    if every <= 0 or total <= 0:
        return {}
    exact = {name: total * weight / every for name, weight in weights.items()}
    found = {name: int(value) for name, value in exact.items()}
    by_fraction = sorted(exact, key=lambda name: (found[name] - exact[name], name))
    for name in by_fraction[: total - sum(found.values())]:
        found[name] += 1
    return found
