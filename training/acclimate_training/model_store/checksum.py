"""Checksums: of a file, and one of many files together."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from acclimate_indexer.errors import ModelCorrupt

BLOCK_BYTES = 1 << 20  # reads as fast as larger blocks, and shows progress


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def combined_sha256(checksums: Mapping[str, str]) -> str:
    """One checksum of several files: of their names and checksums in the order of names."""
    listing = "".join(f"{checksums[name]}  {name}\n" for name in sorted(checksums))
    return hashlib.sha256(listing.encode()).hexdigest()


def require_checksum(path: Path, found: str, expected: str) -> None:
    """Checks a download; removes a wrong one, so that the next try fetches afresh.

    Raises:
        ModelCorrupt: The file is not what it should be.
    """
    if found == expected:
        return
    path.unlink(missing_ok=True)
    raise ModelCorrupt(
        f"{path.name!r} is not what its publisher says: its SHA-256 is {found}, expected {expected}. It was removed; "
        "run the command again to fetch it afresh."
    )
