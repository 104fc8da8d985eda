"""A number shared out by weight."""

from collections.abc import Mapping


def whole_numbers(weights: Mapping[str, float], total: int) -> dict[str, int]:
    """`total` in whole numbers without a rest; what a rounding leaves goes to the largest fractions."""
    every = sum(weights.values())
    if every <= 0 or total <= 0:
        return {}
    exact = {name: total * weight / every for name, weight in weights.items()}
    found = {name: int(value) for name, value in exact.items()}
    by_fraction = sorted(exact, key=lambda name: (found[name] - exact[name], name))
    for name in by_fraction[: total - sum(found.values())]:
        found[name] += 1
    return found
