"""Adapters on disk: versions, lineage, and which one is in use.

A version's name and path are never used twice, since the engine's prefix cache is keyed by them. A folder is an adapter
once its `adapter.json` is there; going back to an older one moves the pointer and nothing else.
"""

import json
import os
import secrets
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from acclimate_indexer.durable import disk_full_named, write_json
from acclimate_indexer.errors import AdapterError
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.prompts import PromptBudget

SCHEMA = 1
LINEAGE = "adapter.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """A whole adapter: a plain peft folder and its lineage."""

    version: str
    folder: Path
    record: dict[str, Any]

    @property
    def base_name(self) -> str:
        return str(self.record["base"]["name"])

    @property
    def base_identity(self) -> str:
        """The weights it was trained against; it fits no others."""
        return str(self.record["base"]["identity"])

    @property
    def state(self) -> str:
        """`promoted`, `trial` or `rejected`."""
        return str(self.record["verdict"]["state"])

    @property
    def prompt_budget(self) -> PromptBudget:
        """What it was trained with, and therefore is to be served with."""
        return PromptBudget(**self.record["prompt_budget"])

    @property
    def repository(self) -> str:
        """The name in the prompt's header."""
        return str(self.record["repository"])


class AdapterRegistry:
    """The adapters of one repository."""

    def __init__(self, home: RepositoryHome) -> None:
        self._home = home

    def versions(self) -> list[Adapter]:
        """All whole adapters, oldest first. A damaged one is left out."""
        found = []
        for lineage in self._home.adapters.glob(f"*/{LINEAGE}"):
            if not lineage.parent.name.startswith("."):
                try:
                    found.append(self.get(lineage.parent.name))
                except AdapterError:
                    continue
        return sorted(found, key=lambda adapter: (str(adapter.record.get("created", "")), adapter.version))

    def get(self, version: str) -> Adapter:
        """The adapter of this version.

        Raises:
            AdapterError: There is none, or its lineage cannot be read.
        """
        folder = self._home.adapters / version
        if folder.name != version or version.startswith("."):  # a path, or not yet published
            raise AdapterError(f"No adapter is called {version!r}. `acclimate adapters` lists them.")
        try:
            record: dict[str, Any] = json.loads((folder / LINEAGE).read_text(encoding="utf-8"))
            adapter = Adapter(version=version, folder=folder, record=record)
            _ = (adapter.base_name, adapter.base_identity, adapter.state, adapter.prompt_budget, adapter.repository)
        except FileNotFoundError as error:
            raise AdapterError(f"No adapter is called {version!r}. `acclimate adapters` lists them.") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AdapterError(f"The adapter {version!r} cannot be read ({error!r}). Train again.") from error
        return adapter

    def live(self) -> Adapter | None:
        """The adapter in use; None if there is none, or it is no longer whole."""
        try:
            version = json.loads(self._home.live.read_text(encoding="utf-8"))["version"]
            return None if version is None else self.get(version)
        except (OSError, ValueError, KeyError, TypeError, AdapterError):
            return None

    def set_live(self, version: str | None) -> None:
        """Moves the pointer; None takes every adapter out of use.

        Raises:
            AdapterError: There is no such adapter.
        """
        if version is not None:
            self.get(version)
        write_json(self._home.live, {"schema": SCHEMA, "version": version})

    def new_version(self, repository_name: str, now: datetime) -> str:
        """A name that was never used: the second it was made in, and chance."""
        return f"{repository_name}-{now.astimezone(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"

    def partial(self, version: str) -> Path:
        """Where a trainer writes the adapter before it is published."""
        folder = self._home.adapters / f".partial-{version}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def publish(self, partial_folder: Path, record: dict[str, Any]) -> Adapter:
        """Makes a written peft folder the adapter `record["version"]`: lineage last, then the name.

        Raises:
            AdapterError: The version exists, or the folder holds no adapter.
            DiskFull: There is no room.
        """
        version = str(record["version"])
        folder = self._home.adapters / version
        if folder.exists():
            raise AdapterError(f"The adapter {version!r} exists already; a version is never written twice.")
        if not (partial_folder / "adapter_config.json").is_file():
            raise AdapterError(f"{str(partial_folder)!r} holds no adapter.")
        write_json(partial_folder / LINEAGE, {"schema": SCHEMA, **record})
        with disk_full_named(folder):
            os.replace(partial_folder, folder)  # noqa: PTH105 - Path.replace says the same; this is the moment it exists
        return self.get(version)

    def update(self, adapter: Adapter, changes: dict[str, Any]) -> Adapter:
        """Writes new figures beside an adapter; its weights, name and path stay."""
        write_json(adapter.folder / LINEAGE, {**adapter.record, **changes})
        return self.get(adapter.version)

    def remove_partials(self) -> None:
        """Deletes what interrupted trainings left; for the one who holds the training lock."""
        for folder in self._home.adapters.glob(".partial-*"):
            shutil.rmtree(folder, ignore_errors=True)
