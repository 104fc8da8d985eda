"""The files of an adapter: their checksums, and what a safetensors file says it holds.

Only safetensors are ever read: the other formats for weights are pickles, which run code when they are loaded.
"""

import hashlib
import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acclimate_indexer.errors import AdapterError

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
LINEAGE = "adapter.json"
_LENGTH = struct.Struct("<Q")  # of the header, at the beginning of a safetensors file
MAX_HEADER_BYTES = 100_000_000  # the format's own limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One entry of a safetensors header."""

    name: str
    shape: tuple[int, ...]


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 by name of all files but the lineage; what is read is also made sure to be on the disk.

    Raises:
        AdapterError: There are weights that are no safetensors.
    """
    refuse_pickles(folder)
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != LINEAGE)
    return {path.name: _checksum(path, sync=True) for path in files}


def changed_file(folder: Path, expected: Mapping[str, str]) -> str | None:
    """The first file that is not what its checksum says, or not there; None if all are."""
    for name, checksum in expected.items():
        try:
            if Path(name).name != name or _checksum(folder / name) != checksum:
                return name
        except OSError:
            return name
    return None


def refuse_pickles(folder: Path) -> None:
    """
    Raises:
        AdapterError: There are weights that are no safetensors.
    """
    pickled = sorted(path.name for path in folder.glob("adapter_model.*") if path.name != WEIGHTS)
    if pickled:
        raise AdapterError(
            f"{str(folder)!r} holds {pickled[0]!r}: only safetensors are taken, since other formats run code when they "
            "are loaded. Save it again with peft's `save_pretrained(..., safe_serialization=True)`."
        )


def tensors_of(weights: Path) -> list[Tensor]:
    """What a safetensors file holds, without reading the numbers.

    Raises:
        AdapterError: It is damaged, or no safetensors file.
    """
    try:
        return _tensors_of(weights)
    except FileNotFoundError as error:
        raise AdapterError(f"{str(weights.parent)!r} has no {weights.name!r}: it is no whole adapter.") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise AdapterError(f"{str(weights)!r} is no whole safetensors file ({error}). Get or save it again.") from error


def _tensors_of(weights: Path) -> list[Tensor]:
    with weights.open("rb") as file:
        (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
        if length > MAX_HEADER_BYTES:
            raise ValueError(f"a header of {length} bytes")
        header: dict[str, Any] = json.loads(file.read(length))
    header.pop("__metadata__", None)
    end = max((int(entry["data_offsets"][1]) for entry in header.values()), default=0)
    size = weights.stat().st_size
    if size != _LENGTH.size + length + end:
        raise ValueError(f"{size} bytes instead of {_LENGTH.size + length + end}")
    return [Tensor(name=name, shape=tuple(map(int, entry["shape"]))) for name, entry in header.items()]


def _checksum(path: Path, *, sync: bool = False) -> str:
    with path.open("rb") as file:
        if sync:
            os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()
