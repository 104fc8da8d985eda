"""What is remembered of the past: found once, kept while it is asked for, found again where it is damaged."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from acclimate_indexer.blob_store import BlobStore
from acclimate_indexer.mining.memory import WRITTEN_AT_ONCE, Memory


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BlobStore]:
    with closing(BlobStore.open(tmp_path / "blobs.sqlite")) as opened:
        yield opened


class Finder:
    """Counts how often something had to be found."""

    def __init__(self) -> None:
        self.found = 0

    def __call__(self) -> list[int]:
        self.found += 1
        return [self.found]


def test_a_finding_is_found_once_for_what_decides_it(store: BlobStore) -> None:
    find, memory = Finder(), Memory(store, "past")
    first = [memory.of(["blob", 1], find), memory.of(["blob", 1], find), memory.of(["blob", 2], find)]
    memory.keep()

    assert first == [[1], [1], [2]]
    assert Memory(store, "past").of(["blob", 1], find) == [1]
    assert Memory(store, "other").of(["blob", 1], find) == [3]


def test_what_was_not_asked_for_is_forgotten(store: BlobStore) -> None:
    find, first = Finder(), Memory(store, "past")
    for number in range(2):
        first.of(["blob", number], find)
    first.keep()
    second = Memory(store, "past")
    second.of(["blob", 1], find)
    second.keep()
    store.prune()

    assert len(store.view("past")) == 1
    assert Memory(store, "past").of(["blob", 0], find) == [3]


def test_an_interrupted_mining_keeps_what_it_wrote(store: BlobStore) -> None:
    find, interrupted = Finder(), Memory(store, "past")
    for number in range(WRITTEN_AT_ONCE):
        interrupted.of(["blob", number], find)
    store.prune()  # as the next mining begins

    assert Memory(store, "past").of(["blob", 7], find) == [8]
    assert find.found == WRITTEN_AT_ONCE


@pytest.mark.parametrize("damage", [b"damaged", b""])
def test_a_damaged_finding_is_found_again(store: BlobStore, damage: bytes) -> None:
    find, memory = Finder(), Memory(store, "past")
    memory.of(["blob"], find)
    memory.keep()
    store.put_many(dict.fromkeys(store.view("past"), damage))
    again = Memory(store, "past")

    assert again.of(["blob"], find) == [2]
    again.keep()
    assert Memory(store, "past").of(["blob"], find) == [2]
