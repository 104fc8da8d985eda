"""What the comments have in common that say how nearly all of the repository does it."""

from typing import NamedTuple

from acclimate_indexer.mining.conventions.record import Prevalence

from .finding import Finding


class Said(NamedTuple):
    """A comment, and the convention that it rests on."""

    convention: Prevalence
    finding: Finding


def in_numbers(convention: Prevalence) -> str:
    """How many do so, e.g. `312 of 318`."""
    return f"{convention.count} of {convention.of}"
