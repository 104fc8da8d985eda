"""The live view of a folder without git: what is read of it, and what is not."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.indexer.test_context import CART, FILES, PRICES, README
from tests.support.git_folder import GitFolder, module

from acclimate_indexer.blob_store import BlobStore
from acclimate_indexer.context import plain_folder as room
from acclimate_indexer.context.live import LiveContext
from acclimate_indexer.context.plain_folder import MAX_FILES, PlainFolder
from acclimate_indexer.home import Home
from acclimate_indexer.mining.analyses import MIN_BYTES_PER_WORKER, file_analyses
from acclimate_indexer.mining.options import MiningOptions
from acclimate_indexer.prompts import Cursor

CURSOR = Cursor(path="shop/cart.py", language="python", prefix=CART, suffix=")\n    return result\n")
SIGNATURE = "def with_tax(price: Decimal, *, rate: Decimal) -> Decimal:"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "scripts"
    path.mkdir()
    return path


@pytest.fixture
def store(home: Home, folder: Path) -> Iterator[BlobStore]:
    with closing(BlobStore.open(home.for_repository(folder).blobs)) as opened:
        yield opened


def scanned(folder: Path, options: MiningOptions | None = None) -> list[str]:
    return [file.path for file in PlainFolder(folder).scan(options or MiningOptions()).mined]


def live(folder: Path, store: BlobStore) -> LiveContext:
    context = LiveContext(PlainFolder(folder), store, MiningOptions())
    context.refresh()
    return context


def texts(context: LiveContext) -> str:
    return "\n".join(snippet.text for snippet in context.snippets(CURSOR, max_characters=2_000))


def test_what_lies_in_the_folder_is_shown(folder: Path, store: BlobStore) -> None:
    GitFolder(folder).write({**FILES, "README.md": README})
    context = live(folder, store)
    paths = {snippet.path for snippet in context.snippets(CURSOR, max_characters=2_000)}

    assert SIGNATURE in texts(context)
    assert paths >= {"shop/prices.py", "shop/report.py"}
    assert "shop/cart.py" not in paths


def test_what_is_saved_edited_and_removed_is_followed(folder: Path, store: BlobStore) -> None:
    GitFolder(folder).write({"shop/cart.py": CART})
    context = live(folder, store)
    GitFolder(folder).write({"shop/prices.py": PRICES})
    context.update("shop/prices.py")
    saved = texts(context)
    context.overlay("shop/prices.py", PRICES.replace("rate: Decimal", "unsaved: Decimal"))
    edited = texts(context)
    context.discard("shop/prices.py")
    (folder / "shop/prices.py").unlink()
    context.update("shop/prices.py")

    assert SIGNATURE in saved
    assert "unsaved: Decimal" in edited
    assert texts(context) == ""


def test_what_was_read_once_is_kept(folder: Path, store: BlobStore, home: Home) -> None:
    GitFolder(folder).write(FILES)
    first = texts(live(folder, store))
    kept = stored(home, folder)
    second = texts(live(folder, store))

    assert len(kept) == len(FILES)
    assert stored(home, folder) == kept
    assert first == second


def stored(home: Home, folder: Path) -> set[str]:
    with closing(sqlite3.connect(home.for_repository(folder).blobs)) as connection:
        return {key for (key,) in connection.execute("SELECT key FROM findings")}


def test_other_processes_read_what_is_large(folder: Path, store: BlobStore) -> None:
    files = {f"part_{number}.py": module(f"part{number}", 60) for number in range(24)}
    GitFolder(folder).write(files)
    plain = PlainFolder(folder)
    scan = plain.scan(MiningOptions())
    assert sum(file.size_bytes for file in scan.mined) > 2 * MIN_BYTES_PER_WORKER
    (folder / "part_3.py").write_text("changed = 'since'\n")
    found = file_analyses(plain, scan.mined, store, MiningOptions(), lambda _more: None)

    assert set(found) == set(files) - {"part_3.py"}
    assert "part4_total_7" in {definition.name for definition in found["part_4.py"].facts().definitions}


def test_what_tools_leave_behind_and_what_has_its_own_history_is_passed_over(folder: Path) -> None:
    GitFolder(folder).write(
        {
            "app.py": "x = 1\n",
            "lib/part.py": "y = 2\n",
            "node_modules/left/pad.js": "pad()\n",
            "lib/.venv/lib/site.py": "a = 1\n",
            "environment/pyvenv.cfg": "home = /usr/bin\n",
            "environment/lib/other.py": "b = 1\n",
            "build/lib/part.py": "c = 1\n",
            ".hidden/secret.py": "d = 1\n",
            ".settings.py": "e = 1\n",
            "clone/.git/HEAD": "ref: refs/heads/main\n",
            "clone/own.py": "f = 1\n",
            "lib/data.bin": b"\0\1",
            "lib/same.py": "y = 2\n",
        }
    )

    assert scanned(folder) == ["app.py", "lib/part.py"]


def test_a_repository_without_commits_is_a_folder_like_others(folder: Path) -> None:
    GitFolder(folder).git("init", "-q")
    GitFolder(folder).write({"app.py": "x = 1\n"})

    assert scanned(folder) == ["app.py"]


def test_no_link_is_followed(folder: Path, store: BlobStore, tmp_path: Path) -> None:
    GitFolder(tmp_path / "outside").write({"prices.py": PRICES})
    GitFolder(folder).write({"shop/cart.py": CART})
    (folder / "shop/prices.py").symlink_to(tmp_path / "outside/prices.py")
    (folder / "linked").symlink_to(tmp_path / "outside")
    (folder / "loop").symlink_to(folder)
    (folder / "gone.py").symlink_to("nowhere.py")
    os.mkfifo(folder / "pipe.py")
    context = live(folder, store)
    for path in ("shop/prices.py", "linked/prices.py", "../outside/prices.py", "loop/shop/prices.py", "pipe.py"):
        context.update(path)

    assert scanned(folder) == ["shop/cart.py"]
    assert texts(context) == ""


def test_a_folder_that_became_a_link_after_the_scan_gives_nothing(folder: Path, tmp_path: Path) -> None:
    GitFolder(tmp_path / "outside").write({"prices.py": PRICES})
    GitFolder(folder).write({"shop/prices.py": PRICES})
    plain = PlainFolder(folder)
    blob = plain.scan(MiningOptions()).mined[0].blob
    assert plain.text(blob) == PRICES
    (folder / "shop").rename(tmp_path / "moved")
    (folder / "shop").symlink_to(tmp_path / "outside")

    assert plain.text(blob) is None


def test_hostile_names_do_no_harm(folder: Path, store: BlobStore) -> None:
    names = ["-rf.py", "<|fim_middle|>.py", "a\nb.py", "a b;c.py", "*.py", "é😋.py", "con.py", f"{'n' * 250}.py"]
    for number, name in enumerate(names):
        (folder / name).write_text(f"value_{number} = 1\n")
    (folder / os.fsdecode(b"\xff\xfe.py")).write_text("unnamed = 1\n")
    deep = folder
    for _ in range(60):
        deep = deep / ("d" * 60)
    deep.mkdir(parents=True)
    (deep / "deep.py").write_text("deep = 1\n")
    context = live(folder, store)

    assert sorted(names) == [path for path in scanned(folder) if "/" not in path]
    assert context.snippets(CURSOR, max_characters=100) == ()


def test_of_an_enormous_folder_the_nearest_files_are_read(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(MAX_FILES + 50):
        (folder / f"script_{number:05}.py").write_text(f"value = {number}\n")
    GitFolder(folder).write({"a/far.py": "far = 1\n"})
    with caplog.at_level("INFO", logger=room.__name__):
        found = scanned(folder)

    assert found == [f"script_{number:05}.py" for number in range(MAX_FILES)]
    assert "holds more code than is indexed: 2000 files are" in caplog.text


def test_neither_more_bytes_nor_more_entries_are_looked_at_than_there_is_room_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    GitFolder(folder).write({f"part_{number}.py": f"text = '{str(number) * 90}'\n" for number in range(9)})
    GitFolder(folder).write({f"deep/{number}.py": f"value = {number}\n" for number in range(9)})
    monkeypatch.setattr(room, "MAX_BYTES", 350)
    few_bytes = scanned(folder)
    monkeypatch.undo()
    monkeypatch.setattr(room, "MAX_ENTRIES", 14)

    assert few_bytes == ["part_0.py", "part_1.py", "part_2.py"]
    assert len(scanned(folder, MiningOptions(max_file_bytes=90))) == 4  # beside nine large files and a folder


def test_a_folder_that_cannot_be_read_is_passed_over(folder: Path) -> None:
    GitFolder(folder).write({"app.py": "x = 1\n"})

    assert scanned(folder / "nowhere") == []
    assert scanned(folder / "app.py") == []
