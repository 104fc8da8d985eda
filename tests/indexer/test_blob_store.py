"""Findings by blob survive restarts, damage and company."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from acclimate_indexer.blob_store import BlobStore
from acclimate_indexer.errors import DiskFull


def test_findings_and_views_are_there_the_next_time(tmp_path: Path) -> None:
    store = BlobStore.open(tmp_path / "blobs.sqlite")
    store.put_many({f"key {number}": b"%d" % number for number in range(1_200)})
    store.set_view("mined", {"a.py": "key 1", "größe.py": "key 2"})
    store.close()
    again = BlobStore.open(tmp_path / "blobs.sqlite")

    assert again.get_many([f"key {number}" for number in range(1_300)])["key 1100"] == b"1100"
    assert len(again.get_many([f"key {number}" for number in range(1_300)])) == 1_200
    assert again.view("mined") == {"a.py": "key 1", "größe.py": "key 2"}
    assert again.view("other") == {}


def test_what_no_view_knows_is_forgotten(tmp_path: Path) -> None:
    store = BlobStore.open(tmp_path / "blobs.sqlite")
    store.put_many({"old": b"1", "new": b"2"})
    store.set_view("mined", {"a.py": "new"})
    store.prune()

    assert store.get_many(["old", "new"]) == {"new": b"2"}


@pytest.mark.parametrize("damage", [b"", b"not a database at all" * 100])
def test_a_damaged_store_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "blobs.sqlite"
    path.write_bytes(damage)
    store = BlobStore.open(path)
    store.put_many({"key": b"1"})

    assert store.get_many(["key"]) == {"key": b"1"}


def test_a_store_with_damage_inside_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "blobs.sqlite"
    store = BlobStore.open(path)
    store.put_many({f"key {number}": bytes(1_000) for number in range(400)})
    store.close()
    data = bytearray(path.read_bytes())
    data[40_000:90_000] = b"damage" * 8_333 + b"ab"
    path.write_bytes(data)
    again = BlobStore.open(path)
    again.put_many({"key": b"1"})

    assert again.get_many(["key", "key 7"]) == {"key": b"1"}


def test_a_store_that_others_are_opening_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "blobs.sqlite"
    BlobStore.open(path).put_many({"key": b"1"})
    code = (
        "import sys; from pathlib import Path; from acclimate_indexer.blob_store import BlobStore\n"
        "for n in range(20): BlobStore.open(Path(sys.argv[1])).close()\n"
    )
    started = [subprocess.Popen([sys.executable, "-P", "-c", code, str(path)]) for _ in range(4)]

    assert [process.wait() for process in started] == [0] * 4
    assert BlobStore.open(path).get_many(["key"]) == {"key": b"1"}  # nobody took a lock for damage


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    BlobStore.open(tmp_path / "blobs.sqlite").close()

    assert (tmp_path / "blobs.sqlite").stat().st_mode & 0o777 == 0o600


def test_two_processes_may_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "blobs.sqlite"
    code = (
        "import sys; from pathlib import Path; from acclimate_indexer.blob_store import BlobStore\n"
        "store = BlobStore.open(Path(sys.argv[1]))\n"
        "for n in range(60): store.put_many({f'{sys.argv[2]} {n} {m}': b'x' * 100 for m in range(20)})\n"
    )
    started = [subprocess.Popen([sys.executable, "-P", "-c", code, str(path), name]) for name in ("one", "two")]

    assert [process.wait() for process in started] == [0, 0]
    store = BlobStore.open(path)
    keys = [f"{name} {n} {m}" for name in ("one", "two") for n in range(60) for m in range(20)]
    assert len(store.get_many(keys)) == 2_400


def test_a_full_disk_gets_one_sentence(tmp_path: Path) -> None:
    store = BlobStore.open(tmp_path / "blobs.sqlite")
    store._connection.execute("PRAGMA max_page_count = 10")

    with pytest.raises(DiskFull, match="The disk is full"):
        store.put_many({str(number): bytes(4_000) for number in range(100)})
    assert isinstance(store._connection, sqlite3.Connection)
    assert store.get_many(["1"]) == {}
