"""The live view: what retrieval knows of a work tree as it stands, unsaved buffers included.

It begins with the files of the commit that is checked out, read as they lie in the work tree, or with those of a folder
without git. What is edited, made or removed afterwards is told to it, a file at a time. Analyses are kept by blob in
the store that mining uses, so that whichever comes first has done the work of both; buffers stay in memory.
"""

import hashlib
import os
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

from acclimate_indexer.blob_store import BlobStore
from acclimate_indexer.filters.generated import unwanted_text
from acclimate_indexer.garbage import rare_collections
from acclimate_indexer.mining.analyses import MinedFile, analysis_key, file_analyses
from acclimate_indexer.mining.analysis import FileAnalysis, analysed
from acclimate_indexer.mining.options import MiningOptions
from acclimate_indexer.mining.scan import Scan, is_prose
from acclimate_indexer.mining.source import Source
from acclimate_indexer.pairs import Snippet
from acclimate_indexer.prompts import Cursor
from acclimate_indexer.repository import decoded

from .facts import FileFacts, facts_of, prose_facts
from .index import ContextIndex
from .origin import Origin
from .work_tree import WorkTree, blob_name


class LiveContext:
    """One work tree, or one folder without git. Not for use by several threads at once."""

    def __init__(self, origin: Origin, store: BlobStore, options: MiningOptions) -> None:
        self._origin = origin
        self._tree = WorkTree(origin.folder, options.max_file_bytes)
        self._store = store
        self._options = options
        self._view = f"live {hashlib.sha256(os.fsencode(self._tree.folder)).hexdigest()[:16]}"
        self._scan: Scan | None = None
        self._index = ContextIndex((), self._tree.text)

    def refresh(self, report: Callable[[int, int], None] = lambda _done, _of: None) -> None:
        """Reads everything: at first, and when another commit was checked out.

        Args:
            report: Is told how many files are done, and of how many.
        """
        self._scan = scan = self._origin.scan(self._options)
        committed = {file.path for file in scan.mined}
        uncommitted = [path for path in self._store.view(self._view) if path not in committed]  # as told before
        as_committed: list[MinedFile] = []
        changed: list[MinedFile] = []
        for file in scan.mined:
            if (data := self._tree.data(file.path)) is not None:
                (as_committed if blob_name(data) == file.blob else changed).append(file)
        done = 0

        def more(count: int) -> None:
            nonlocal done
            done += count
            report(done, len(scan.mined) + len(uncommitted))

        with rare_collections():
            self._index = self._built(scan, as_committed, more)
        for path in (*(file.path for file in changed), *uncommitted):
            self.update(path)
            more(1)
        for path, text in self._tree.buffers.items():
            self.overlay(path, text)

    def _built(self, scan: Scan, files: Sequence[MinedFile], report: Callable[[int], None]) -> ContextIndex:
        """The index of files that are as the scan saw them, and of the prose."""
        found = file_analyses(self._origin, files, self._store, self._options, report, view=self._view)
        self._tree.blobs = {file.path: file.blob for file in files if file.path in found}
        index = ContextIndex(
            ((path, analysis.facts()) for path, analysis in found.items() if not analysis.reason), self._tree.text
        )
        for entry in scan.prose:
            if (text := decoded(self._tree.data(entry.path) or b"")) is not None:
                index.replace(entry.path, prose_facts(text))
        return index

    def update(self, path: str) -> None:
        """A file was saved, made or removed. `path` is relative to the work tree, with `/`."""
        data = self._tree.data(path)
        if is_prose(path, self._options):
            text = None if data is None else decoded(data)
            if path not in self._tree.buffers:
                self._show(path, None if text is None else prose_facts(text))
            return
        file = None if data is None else self._file(path, data)
        self._tree.blobs.pop(path, None)
        analysis = None if file is None or data is None else self._analysis(file, data)
        if file is None or analysis is None:
            self._store.remove_from_view(self._view, path)
        else:
            self._tree.blobs[path] = file.blob
            self._store.put_in_view(self._view, {path: analysis_key(file, self._options)})
        if path not in self._tree.buffers:
            self._show(path, None if analysis is None or analysis.reason else analysis.facts())

    def overlay(self, path: str, text: str) -> None:
        """A file is in an editor: its text there, saved or not, counts until `discard`."""
        if path not in self._tree.buffers and path in self._tree.blobs and self._tree.text(path) == text:
            return  # opened, and known as it is
        self._tree.buffers[path] = text
        if is_prose(path, self._options):
            self._show(path, prose_facts(text))
            return
        language = None if self._scan is None or self._scan.unwanted(path) else self._scan.language_of(path)
        if language is None or unwanted_text(text) or len(text) > self._options.max_file_bytes:
            self._show(path, None)
            return
        self._show(path, facts_of(Source.of(path=path, blob="", commit="", language=language, text=text)))

    def discard(self, path: str) -> None:
        """A file is not being edited any more: what lies on the disk counts."""
        if self._tree.buffers.pop(path, None) is not None:
            self.update(path)

    def snippets(self, cursor: Cursor, *, max_characters: int, recent: Collection[str] = ()) -> tuple[Snippet, ...]:
        """What a prompt at the cursor should know; see `ContextIndex.snippets`."""
        return self._index.snippets(cursor, max_characters=max_characters, recent=recent)

    def known_names(self, cursor: Cursor) -> frozenset[str]:
        """See `ContextIndex.known_names`."""
        return self._index.known_names(cursor)

    def _show(self, path: str, facts: FileFacts | None) -> None:
        if facts is None:
            self._index.remove(path)
        else:
            self._index.replace(path, facts)

    def _file(self, path: str, data: bytes) -> MinedFile | None:
        """A file that may be known, with the blob that it would be."""
        if self._scan is None or self._scan.unwanted(path) or len(data) > self._options.max_file_bytes:
            return None
        language = self._scan.language_of(path)
        assert language is not None, "a path without a language is unwanted"
        return MinedFile(path=path, blob=blob_name(data), size_bytes=len(data), language=language)

    def _analysis(self, file: MinedFile, data: bytes) -> FileAnalysis | None:
        """From the store, or made and stored; None for what is no text."""
        key = analysis_key(file, self._options)
        with suppress(KeyError, ValueError):  # not there, or damaged
            return FileAnalysis.from_bytes(self._store.get_many([key])[key])
        text = decoded(data)
        if text is None:
            return None
        source = Source.of(path=file.path, blob=file.blob, commit="", language=file.language, text=text)
        analysis = analysed(source, max_pairs=self._options.max_pairs_per_file, seed=self._options.seed)
        self._store.put_many({key: analysis.to_bytes()})
        return analysis
