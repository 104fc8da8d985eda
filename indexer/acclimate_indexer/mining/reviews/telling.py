"""Lines that tell places apart."""

from collections.abc import Iterable

MIN_CHARACTERS = 10  # shorter lines (`else:`, `}`, `return x`) are alike everywhere


def telling(lines: Iterable[str]) -> list[str]:
    """Those of the lines that are hardly anywhere else by chance, without the white space around them."""
    return [line for line in map(str.strip, lines) if len(line) >= MIN_CHARACTERS]
