"""What was found in the blobs of the past, so that mining again after a commit parses none of them again."""

import hashlib
import json
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from acclimate_indexer.blob_store import BlobStore
from acclimate_indexer.languages.registry import grammar_versions

from .analyses import ANALYSIS_VERSION

FASTEST = 1  # of the levels of compression
WRITTEN_AT_ONCE = 100  # findings: what is lost when mining is interrupted


class Memory:
    """Findings by what decides them. Those that one mining did not ask for, the next one forgets."""

    def __init__(self, store: BlobStore, view: str) -> None:
        """Takes a store and the name of the view that says what is remembered."""
        self._store = store
        self._view = view
        self._asked: dict[str, str] = {}
        self._new: dict[str, bytes] = {}

    def of(self, what: list[Any], find: Callable[[], Any]) -> Any:
        """A finding, found now or before.

        Args:
            what: All that decides it: a blob, its language and so on; as JSON, as is what `find` gives.
        """
        named = json.dumps([ANALYSIS_VERSION, grammar_versions(), self._view, *what], sort_keys=True)
        key = hashlib.sha256(named.encode()).hexdigest()
        self._asked[key] = key
        with suppress(KeyError, ValueError, zlib.error):  # not there, or damaged
            return json.loads(zlib.decompress(self._new.get(key) or self._store.get_many([key])[key]))
        data = json.dumps(find(), separators=(",", ":"))
        self._new[key] = zlib.compress(data.encode(), FASTEST)
        if len(self._new) >= WRITTEN_AT_ONCE:
            self._write()
        return json.loads(data)

    def keep(self) -> None:
        """Remembers what was asked for, and no more."""
        self._write()
        self._store.set_view(self._view, self._asked)

    def _write(self) -> None:
        self._store.put_many(self._new)
        self._store.put_in_view(self._view, {key: key for key in self._new})
        self._new = {}
