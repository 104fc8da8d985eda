"""Files are whole or absent."""

import errno
from pathlib import Path

import pytest

from acclimate_indexer.durable import disk_full_named, write_text
from acclimate_indexer.errors import DiskFull


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "live.json"
    write_text(path, "old")

    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \ud800")

    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_one_sentence_that_names_the_file() -> None:
    full = Path("/dev/full")  # every write to it fails as on a full disk

    with pytest.raises(DiskFull, match="The disk is full: '/dev/full'"), disk_full_named(full):
        full.write_text("x", encoding="utf-8")


def test_other_errors_pass() -> None:
    with pytest.raises(OSError, match="denied") as caught, disk_full_named(Path("x")):
        raise OSError(errno.EACCES, "denied")

    assert not isinstance(caught.value, DiskFull)
