"""Three parts of general code that share no file, and the small neighbourhoods in which they are mined.

A file's content alone decides its part, so that all trainings on all machines agree. Retrieved code comes from the same
part, too: the probe's files are nowhere before a prompt that is learnt.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Literal

from .sources import GeneralFile

Part = Literal["replay", "control", "probe"]
# Ends of the parts on the scale from 0 to 1. A control learns as much as a whole training, the others are small.
_ENDS: tuple[tuple[float, Part], ...] = ((0.1, "probe"), (0.3, "replay"), (1.0, "control"))
UNIT_FILES = 48  # of a package that are read together, of which a part has 5 to 34: retrieval looks among them


def part_of(data: bytes) -> Part:
    """The part that a file with this content belongs to."""
    position = int.from_bytes(hashlib.sha256(data).digest()[:8]) / 2**64
    return next(part for end, part in _ENDS if position < end or end == 1.0)


def units(files: Iterable[GeneralFile]) -> list[tuple[GeneralFile, ...]]:
    """Files of one package that lie side by side; of every package one before a second of any.

    The order is that of hashes of paths below the root: the same on every machine that has the same packages.
    """
    by_package: dict[tuple[str, str], list[GeneralFile]] = defaultdict(list)
    for file in files:
        by_package[file.root.name, file.package].append(file)
    packages = [_units_of(found) for found in by_package.values()]
    packages.sort(key=lambda found: _key(found[0]))
    return [unit for row in zip_longest(*packages) for unit in row if unit is not None]


def _units_of(files: Sequence[GeneralFile]) -> list[tuple[GeneralFile, ...]]:
    ordered = sorted(files, key=lambda file: file.path)
    found = [tuple(ordered[at : at + UNIT_FILES]) for at in range(0, len(ordered), UNIT_FILES)]
    return sorted(found, key=_key)


def _key(unit: Sequence[GeneralFile]) -> bytes:
    return hashlib.sha256(unit[0].path.encode("utf-8", errors="replace")).digest()
