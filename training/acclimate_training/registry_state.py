"""What changes about a repository's adapters, and the copy of the live pointer that the language server looks at.

With every request the server asks whether another adapter is wanted. It looks at the time stamp of `live.json`, a copy
of the pointer made after each change: a `stat` takes microseconds, needs no connection that a lost or replaced file
would leave dangling, and `live.json` is all that an earlier version of acclimate has. `PRAGMA data_version` was the
other choice; it changes with every figure that is written, too. Where the two differ, the store is right.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from acclimate_indexer.durable import write_json
from acclimate_indexer.home import RepositoryHome

from .adapter_folders import AdapterFolders
from .registry_file import reading, writing
from .registry_store import Event, RegistryStore

log = logging.getLogger(__name__)

SCHEMA = 1  # of live.json


class RegistryState:
    """The registry's file, made from the folders where it is not there."""

    def __init__(self, home: RepositoryHome, folders: AdapterFolders) -> None:
        self._home = home
        self._folders = folders

    def facts(self) -> dict[str, dict[str, Any]]:
        """What was said of each version."""
        with reading(self._home.registry) as store:
            return {} if store is None else store.facts()

    def facts_of(self, version: str) -> dict[str, Any]:
        """What was said of one version."""
        with reading(self._home.registry) as store:
            return {} if store is None else store.facts_of(version)

    def tags(self) -> dict[str, str]:
        """The versions by their tags; that of a deleted one may still be there."""
        with reading(self._home.registry) as store:
            return {} if store is None else store.tags()

    def history(self) -> list[Event]:
        with reading(self._home.registry) as store:
            return [] if store is None else store.history()

    def pointer(self) -> str | None:
        """The version in use, be it whole or not."""
        copy = self._copy()
        with reading(self._home.registry) as store:
            version = copy if store is None else store.pointer()
        if version != copy:  # whoever moved it was killed in between
            self._update_copy()
        return version

    @contextmanager
    def writing(self) -> Iterator[RegistryStore]:
        """A transaction: all that the block does is done when it ends, or nothing is.

        Raises:
            AdapterError: The file cannot be used.
            DiskFull: There is no room.
        """
        with writing(self._home.registry, self._adopt) as store:
            yield store
        self._update_copy()

    def _update_copy(self) -> None:
        """Of two writers the one that comes last reads what both have done."""
        with writing(self._home.registry, self._adopt) as store:
            if (version := store.pointer()) != self._copy():
                write_json(self._home.live, {"schema": SCHEMA, "version": version})

    def _copy(self) -> str | None:
        try:
            version = json.loads(self._home.live.read_text(encoding="utf-8"))["version"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return version if isinstance(version, str) else None

    def _adopt(self, store: RegistryStore) -> None:
        """Fills a new store from what there is: the folders, and the copy of the pointer."""
        found = self._folders.whole(self._folders.names(), {})
        for adapter in found:
            store.add(adapter.version)
        if any(adapter.files for adapter in found):  # those without are from before there was a store
            log.warning(
                "%s is made anew from the folders of %d adapters. What was measured of them was lost with the old one: "
                "`acclimate evaluate` judges them anew.",
                self._home.registry,
                len(found),
            )
        version = self._copy()
        if version in {adapter.version for adapter in found}:
            store.point_at(version)
            store.append("use", version, before=None, reason="It was in use when this history began.")
