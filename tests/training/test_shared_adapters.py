"""Copies of adapters for an engine on another machine, in a folder that several people use."""

import os
import stat
from pathlib import Path

import pytest
from tests.support.adapter_folder import write_peft_folder

from acclimate_indexer.errors import AdapterError, EngineError
from acclimate_training.adapter_files import CONFIG, WEIGHTS, checksums
from acclimate_training.engine_address import VARIABLES, EngineAddress
from acclimate_training.shared_adapters import HIDDEN, KEPT_COPIES, MARK, SharedFolder


@pytest.fixture
def shared(tmp_path: Path) -> SharedFolder:
    folder = tmp_path / "shared"
    folder.mkdir()
    found = SharedFolder.of(str(folder), "/mnt/adapters/")
    assert found is not None
    return found


def adapter(folder: Path, *, rank: int = 8) -> Path:
    """One that a lineage lies beside, as in every registry."""
    write_peft_folder(folder, r=rank)
    (folder / "adapter.json").write_text('{"repository": "secret project"}', encoding="utf-8")
    folder.chmod(0o700)
    return folder


def test_a_copy_can_be_read_by_the_engines_user_and_tells_no_more_than_it_must(
    shared: SharedFolder, tmp_path: Path
) -> None:
    source = adapter(tmp_path / "mine" / "shop-1")
    (source / WEIGHTS).chmod(0o600)

    path = shared.place("shop-1", source)

    copy = shared.here / "shop-1"
    assert path == "/mnt/adapters/shop-1"
    assert {file.name for file in copy.iterdir()} == {CONFIG, WEIGHTS, MARK}
    assert {stat.S_IMODE(file.stat().st_mode) for file in copy.iterdir()} == {0o644}
    assert stat.S_IMODE(copy.stat().st_mode) == 0o755
    assert all(checksums(copy)[name] == checksums(source)[name] for name in (CONFIG, WEIGHTS))
    assert str(tmp_path) not in (copy / MARK).read_text(encoding="utf-8")
    assert not list(shared.here.glob(f"{HIDDEN}*"))


def test_a_copy_that_lies_there_is_not_written_again(shared: SharedFolder, tmp_path: Path) -> None:
    source = adapter(tmp_path / "mine" / "shop-1")
    shared.place("shop-1", source)
    before = (shared.here / "shop-1" / WEIGHTS).stat()

    shared.place("shop-1", source)

    after = (shared.here / "shop-1" / WEIGHTS).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_name_that_somebody_else_has_taken_is_refused_and_theirs_stays(shared: SharedFolder, tmp_path: Path) -> None:
    shared.place("shop-1", adapter(tmp_path / "theirs" / "shop-1", rank=16))
    before = checksums(shared.here / "shop-1")

    with pytest.raises(AdapterError, match="another adapter of the same name"):
        shared.place("shop-1", adapter(tmp_path / "mine" / "shop-1"))

    assert checksums(shared.here / "shop-1") == before


def test_old_copies_of_an_origin_go_and_nobody_elses(shared: SharedFolder, tmp_path: Path) -> None:
    shared.place("shop-theirs", adapter(tmp_path / "theirs" / "shop-theirs"))
    (shared.here / "by hand").mkdir()
    names = [f"shop-{number}" for number in range(KEPT_COPIES + 3)]
    for second, name in enumerate(names):
        shared.place(name, adapter(tmp_path / "mine" / name))
        os.utime(shared.here / name / MARK, (second, second))

    old = shared.old_copies(tmp_path / "mine", keep={"shop-0"})
    for name in old:
        shared.remove(name)

    assert sorted(old) == ["shop-1", "shop-2"]
    kept = {"shop-theirs", "by hand", "shop-0", *names[3:]}
    assert {folder.name for folder in shared.here.iterdir()} == kept


def test_a_copy_that_is_used_again_counts_as_new(shared: SharedFolder, tmp_path: Path) -> None:
    names = [f"shop-{number}" for number in range(KEPT_COPIES + 1)]
    for second, name in enumerate(names):
        shared.place(name, adapter(tmp_path / "mine" / name))
        os.utime(shared.here / name / MARK, (second, second))

    shared.place("shop-0", tmp_path / "mine" / "shop-0")

    assert shared.old_copies(tmp_path / "mine", keep=()) == ["shop-1"]


def test_what_an_interrupted_copy_left_is_removed_with_the_next(shared: SharedFolder, tmp_path: Path) -> None:
    for name, age in ((f"{HIDDEN}old", 7200), (f"{HIDDEN}running", 0)):
        (shared.here / name).mkdir()
        written = (shared.here / name).stat().st_mtime - age
        os.utime(shared.here / name, (written, written))

    shared.place("shop-1", adapter(tmp_path / "mine" / "shop-1"))

    assert {folder.name for folder in shared.here.iterdir()} == {"shop-1", f"{HIDDEN}running"}


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    shared = SharedFolder(here=tmp_path / "not mounted", there="/mnt")

    with pytest.raises(EngineError, match=r"`engine.adapters_folder` is .*not mounted.*No such file"):
        shared.place("shop-1", adapter(tmp_path / "mine" / "shop-1"))

    assert not shared.here.exists()  # on a mount that is missing, a copy would hide what belongs there


def test_what_is_no_adapter_is_not_copied(shared: SharedFolder, tmp_path: Path) -> None:
    for nothing in (tmp_path, tmp_path / "deleted"):
        with pytest.raises(AdapterError, match="holds no whole adapter"):
            shared.place("shop-1", nothing)

    assert list(shared.here.iterdir()) == []


def test_without_a_folder_only_an_engine_on_this_machine_can_read_an_adapter(tmp_path: Path) -> None:
    here = EngineAddress(url="http://127.0.0.1:8000")
    far = EngineAddress(url="https://gpu.example:8000", key="k")

    assert here.path_of_adapter("shop-1", tmp_path) == str(tmp_path)
    with pytest.raises(AdapterError, match=r"on another machine.*Set `engine.adapters_folder`"):
        far.path_of_adapter("shop-1", tmp_path)


def test_an_address_reaches_a_child_whole(tmp_path: Path) -> None:
    whole = EngineAddress(
        url="https://gpu.example/v1",
        key="k",
        ca_file=tmp_path / "ca.pem",
        shared=SharedFolder(here=tmp_path, there="/mnt/adapters"),
    )
    bare = EngineAddress(url="http://127.0.0.1:8000")

    assert EngineAddress.from_environment(whole.to_environment()) == whole
    assert EngineAddress.from_environment(bare.to_environment()) == bare
    assert EngineAddress.from_environment({}) is None
    assert set(whole.to_environment()) == set(VARIABLES)


@pytest.mark.parametrize(
    ("url", "key", "tells"),
    [
        ("http://gpu.example:8000", "k", True),
        ("http://gpu.example:8000", "", False),
        ("https://gpu.example", "k", False),
        ("http://127.0.0.1:8000", "k", False),
        ("http://localhost:8000", "k", False),
    ],
)
def test_a_key_without_encryption_is_told_to_everybody_on_the_way(url: str, key: str, tells: bool) -> None:
    assert EngineAddress(url=url, key=key).tells_key is tells
