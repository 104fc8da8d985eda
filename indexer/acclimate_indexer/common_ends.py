"""How far two texts are the same at their beginning and at their end, at memory's speed: halves are compared."""

from typing import AnyStr


def common_beginning(one: AnyStr, other: AnyStr) -> int:
    """How many characters or bytes two texts begin with alike."""
    known, most = 0, min(len(one), len(other))
    while known < most:
        middle = (known + most + 1) // 2
        if one[known:middle] == other[known:middle]:
            known = middle
        else:
            most = middle - 1
    return known


def common_end(one: AnyStr, other: AnyStr, *, most: int | None = None) -> int:
    """How many they end with alike, at most so many."""
    known = 0
    most = min(len(one), len(other)) if most is None else most
    while known < most:
        middle = (known + most + 1) // 2
        if one[len(one) - middle : len(one) - known] == other[len(other) - middle : len(other) - known]:
            known = middle
        else:
            most = middle - 1
    return known
