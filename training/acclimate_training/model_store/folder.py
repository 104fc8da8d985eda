"""A model folder of the user's own. It stays where it is and is only read; the cache holds links to its files."""

import json
import re
import shutil
import struct
from pathlib import Path
from typing import Any

from acclimate_indexer.durable import write_json
from acclimate_indexer.errors import ModelCorrupt, ModelError, UsageError
from acclimate_indexer.home import MAX_NAME_CHARACTERS, Home
from acclimate_indexer.models import MANIFEST, LocalModel, catalogue
from acclimate_indexer.prompts import FimTokens, PromptBudget, PromptBuilder

from .checksum import combined_sha256, file_sha256

MAX_HEADER_BYTES = 100 * 1024 * 1024  # the format's own limit
PRECISIONS = {"BF16": "bf16", "F16": "fp16", "F32": "fp32"}


def add_folder(path: Path, home: Home) -> LocalModel:
    """Makes a folder with config.json, tokenizer.json and safetensors usable as a base model.

    A folder that did not change since it was added is not read again.

    Raises:
        UsageError: It is no such folder, or its tokenizer has the fill-in-the-middle tokens of no family we know.
    """
    folder = path.expanduser().resolve()
    weights = sorted(folder.glob("*.safetensors"))
    missing = [name for name in ("config.json", "tokenizer.json") if not (folder / name).is_file()]
    if missing or not weights:
        wanted = ", ".join([*missing, *(() if weights else ("*.safetensors",))])
        raise UsageError(f"{str(path)!r} is no model folder: {wanted} is missing.")
    stamp = {
        file.name: [file.stat().st_size, file.stat().st_mtime_ns] for file in [*weights, folder / "tokenizer.json"]
    }
    name = _name(folder)
    if (known := _unchanged(home.model(name), stamp)) is not None:
        return known
    parameters, precision = _headers(weights)
    record = {
        "schema": 1,
        "name": name,
        "variant": "own folder",
        "precision": precision,
        "licence": "of your own folder",
        "source": str(folder),
        "revision": None,
        "source_sha256": combined_sha256({file.name: file_sha256(file) for file in weights}),
        "verified": False,
        "converter": "",
        "parameters": parameters,
        "fim": _fim_tokens(folder).to_json(),
        "files": stamp,
    }
    return _linked(folder, home.model(name), record)


def _name(folder: Path) -> str:
    name = re.sub(r"[^a-z0-9_.-]+", "-", folder.name.lower()).strip("-.")[:MAX_NAME_CHARACTERS] or "model"
    return f"own-{name}" if name in catalogue() else name


def _unchanged(target: Path, stamp: dict[str, list[int]]) -> LocalModel | None:
    try:
        if json.loads((target / MANIFEST).read_text(encoding="utf-8")).get("files") != stamp:
            return None
        return LocalModel.from_manifest(target)
    except (OSError, ValueError, ModelError):
        return None


def _fim_tokens(folder: Path) -> FimTokens:
    """The family whose tokens the tokenizer has."""
    families = dict.fromkeys(entry.fim for entry in catalogue().values())
    for tokens in families:
        try:
            PromptBuilder.load(folder, tokens, PromptBudget())
        except ModelCorrupt:
            continue
        return tokens
    known = ", ".join(f"{tokens.prefix} {tokens.suffix} {tokens.middle}" for tokens in families)
    raise UsageError(f"The tokenizer in {str(folder)!r} has no fill-in-the-middle tokens that are known: {known}.")


def _headers(weights: list[Path]) -> tuple[int, str]:
    """The number of parameters and the commonest precision, from the files' headers alone."""
    counts: dict[str, int] = {}
    for path in weights:
        for tensor in _header(path).values():
            size = 1
            for length in tensor["shape"]:
                size *= int(length)
            counts[tensor["dtype"]] = counts.get(tensor["dtype"], 0) + size
    commonest = max(counts, key=lambda dtype: counts[dtype])
    return sum(counts.values()), PRECISIONS.get(commonest, commonest.lower())


def _header(path: Path) -> dict[str, Any]:
    """A safetensors file begins with the length of its JSON header, little-endian in eight bytes."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header: dict[str, Any] = json.loads(file.read(min(length, MAX_HEADER_BYTES)))
    except (OSError, ValueError, struct.error) as error:
        raise UsageError(f"{str(path)!r} is no safetensors file: {error}.") from error
    return {name: tensor for name, tensor in header.items() if name != "__metadata__"}


def _linked(folder: Path, target: Path, record: dict[str, Any]) -> LocalModel:
    work = target.with_name(f".{target.name}.partial")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.suffix not in (".py", ".bin", ".pt", ".pth") and file.name != MANIFEST:
            (work / file.name).symlink_to(file)
    write_json(work / MANIFEST, record)
    if target.is_symlink():
        target.unlink()
    shutil.rmtree(target, ignore_errors=True)
    work.replace(target)
    return LocalModel.from_manifest(target)
