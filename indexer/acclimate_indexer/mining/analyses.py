"""The analyses of many files: from the store where a blob was seen before, else computed by several processes.

What is computed is stored at once, so that an interrupted mining goes on where it was.
"""

import gc
import hashlib
import json
import logging
import os
import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context, parent_process
from typing import Protocol

from acclimate_indexer.blob_store import BlobStore
from acclimate_indexer.garbage import THRESHOLDS
from acclimate_indexer.languages.language import Language
from acclimate_indexer.languages.registry import grammar_versions

from .analysis import FileAnalysis, analysed
from .options import MiningOptions
from .source import Source

logger = logging.getLogger(__name__)

KILLS_ITS_PARSER = "kills_its_parser"  # why nothing is taken of such a file
ANALYSIS_VERSION = 10  # counts up when the same file would be analysed otherwise
MAX_WORKERS = 8  # beyond that the one process that stores and assembles is what is waited for
MIN_BYTES_PER_WORKER = 256 * 1024  # a process starts in the time that analysing so much takes
BATCH_BYTES = 128 * 1024  # a second of one process: what is lost when mining is interrupted


@dataclass(frozen=True, slots=True, kw_only=True)
class MinedFile:
    """A file of a commit that may be mined."""

    path: str
    blob: str
    size_bytes: int
    language: Language


class Blobs(Protocol):
    """What gives the texts of files, here and in the processes that read them."""

    def text(self, blob: str) -> str | None:
        """The text of a blob; None if it is none, or not there."""
        ...

    def opener(self) -> "Callable[[], Blobs]":
        """What opens the same in another process; it can be sent there."""
        ...


def file_analyses(
    blobs: Blobs,
    files: Sequence[MinedFile],
    store: BlobStore,
    options: MiningOptions,
    report: Callable[[int], None],
    *,
    view: str = "mined",
) -> dict[str, FileAnalysis]:
    """The analysis of each file by its path. Files whose blob cannot be read as text are left out.

    Args:
        report: Is told how many more files are done.
        view: Of the store, which keeps what is in one of its views.
    """
    keys = {file.path: analysis_key(file, options) for file in files}
    found = _stored(store, keys)
    report(len(found))
    missing = [file for file in files if file.path not in found]
    for batch in _computed(blobs, missing, options):
        store.put_many({keys[path]: data for path, data in batch})
        found |= {path: FileAnalysis.from_bytes(data) for path, data in batch}
        report(len(batch))
    store.set_view(view, keys)
    store.prune()
    return found


def analysis_key(file: MinedFile, options: MiningOptions) -> str:
    """What decides an analysis: the blob, and how it is read."""
    parts = [ANALYSIS_VERSION, grammar_versions(), file.language.name, options.max_pairs_per_file, options.seed]
    digest = hashlib.sha256(json.dumps([*parts, file.path], sort_keys=True).encode()).hexdigest()[:16]
    return f"{file.blob}:{digest}"


def _stored(store: BlobStore, keys: dict[str, str]) -> dict[str, FileAnalysis]:
    data = store.get_many(list(keys.values()))
    found = {}
    for path, key in keys.items():
        try:
            if key in data:
                found[path] = FileAnalysis.from_bytes(data[key])
        except ValueError:
            continue  # as good as none
    return found


def _computed(blobs: Blobs, files: Sequence[MinedFile], options: MiningOptions) -> Iterator[list[tuple[str, bytes]]]:
    """The analyses, a batch at a time, as they are done."""
    size_bytes = sum(file.size_bytes for file in files)
    workers = min(os.cpu_count() or 1, MAX_WORKERS, size_bytes // MIN_BYTES_PER_WORKER)
    batches = _batches(files)
    if workers < 2:
        yield from (_batch(blobs, options, batch) for batch in batches)
        return
    executor = _executor(workers, blobs, options)
    futures = {executor.submit(_batch_in_worker, batch): batch for batch in batches}
    try:
        for future in as_completed(list(futures)):
            done = future.result()
            del futures[future]
            yield done
    except BrokenProcessPool:
        logger.warning("A process that reads files died; the files that are left are read by one at a time.")
        for batch in futures.values():
            yield from _alone(blobs, options, batch)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _executor(workers: int, blobs: Blobs, options: MiningOptions) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),  # forked, a process would share open files and locks with this one
        initializer=_prepare_worker,
        initargs=(blobs.opener(), options),
    )


def _alone(blobs: Blobs, options: MiningOptions, files: Sequence[MinedFile]) -> Iterator[list[tuple[str, bytes]]]:
    """A batch in a process of its own. If that dies, each of its files in one, to find the file that kills it."""
    executor = _executor(1, blobs, options)
    try:
        yield executor.submit(_batch_in_worker, files).result()
    except BrokenProcessPool:
        if len(files) > 1:
            for file in files:
                yield from _alone(blobs, options, [file])
        else:
            yield [(files[0].path, FileAnalysis(reason=KILLS_ITS_PARSER, lines=array("I")).to_bytes())]
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _batches(files: Sequence[MinedFile]) -> list[list[MinedFile]]:
    batches: list[list[MinedFile]] = []
    room = 0
    for file in files:
        if room <= 0:
            batches.append([])
            room = BATCH_BYTES
        batches[-1].append(file)
        room -= file.size_bytes
    return batches


def _batch(blobs: Blobs, options: MiningOptions, files: Sequence[MinedFile]) -> list[tuple[str, bytes]]:
    done = []
    for file in files:
        text = blobs.text(file.blob)
        if text is not None:
            source = Source.of(path=file.path, blob=file.blob, commit="", language=file.language, text=text)
            analysis = analysed(source, max_pairs=options.max_pairs_per_file, seed=options.seed)
            done.append((file.path, analysis.to_bytes()))
    return done


_of_this_worker: Callable[[Sequence[MinedFile]], list[tuple[str, bytes]]]


def _prepare_worker(opened: Callable[[], Blobs], options: MiningOptions) -> None:
    """Opens what is read, and sees to it that this process does not outlive the one that started it."""
    global _of_this_worker
    gc.set_threshold(*THRESHOLDS)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _of_this_worker = partial(_batch, opened(), options)


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _batch_in_worker(files: Sequence[MinedFile]) -> list[tuple[str, bytes]]:
    return _of_this_worker(files)
