"""The lines that stand in a repository: what is among them was moved or repeated, not written."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from .analysis import line_number

SHIFT = 32  # a line's number has so many bits


class StandingLines:
    """The lines of many files, as numbers, and which line follows which."""

    def __init__(self, files: Iterable[Sequence[int]]) -> None:
        self._lines: set[int] = set()
        self._neighbours: set[int] = set()
        for numbers in files:
            lines = [number for number in numbers if number]
            self._lines.update(lines)
            self._neighbours.update((first << SHIFT) | second for first, second in pairwise(lines))

    def hold(self, lines: Sequence[str]) -> bool:
        """Whether these lines, none of them blank, stand there one after the other."""
        numbers = [line_number(line) for line in lines]
        if len(numbers) == 1:
            return numbers[0] in self._lines
        return all((first << SHIFT) | second in self._neighbours for first, second in pairwise(numbers))
