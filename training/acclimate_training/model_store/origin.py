"""What is known about a download once it lies on the disk, verified; and why a source could not give it."""

from dataclasses import dataclass
from pathlib import Path

from acclimate_indexer.errors import ModelError


class SourceUnavailable(ModelError):
    """A source cannot be reached or does not have the files; the next one is tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a model's files came from.

    Attributes:
        path: The folder of weights, or the one file that is to be converted.
        location: The hub repository, or the archives.
        sha256: Of the one file, or of the list of file checksums.
        verified: The catalogue knew the checksum beforehand.
    """

    path: Path
    location: str
    revision: str | None
    sha256: str
    verified: bool
