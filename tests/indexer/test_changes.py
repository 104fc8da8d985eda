"""History with both sides of every change."""

import os
import subprocess
from pathlib import Path

from tests.support.git_folder import FIRST_DAY, GitFolder

from acclimate_indexer.changes import MAX_CHANGED_FILES, MAX_CHANGED_LINES, FileChange, History, Hunk


def _history(folder: GitFolder, count: int = 100) -> History:
    repository = folder.open()
    return list(repository.history(repository.head(), count=count))


def _change(folder: GitFolder) -> FileChange:
    (change,) = _history(folder)[0][1]
    return change


def test_a_replaced_line_is_told_with_both_of_its_sides(shop: GitFolder) -> None:
    first = shop.commit({"a.py": "one\ntwo\nthree\n"})
    second = shop.commit({"a.py": "one\nTWO\n2\nthree\n"}, day=1)
    (details, (change,)), (root, _) = _history(shop)

    assert (details.sha, details.parents, details.author, details.subject) == (second, (first,), "A", "Day 1")
    assert (details.time - FIRST_DAY).days == 1
    assert change.hunks == (Hunk(old_start=1, removed=("two",), new_start=1, added=("TWO", "2")),)
    assert shop.open().text(change.old_blob) == "one\ntwo\nthree\n"
    assert shop.open().text(change.new_blob) == "one\nTWO\n2\nthree\n"
    assert (root.sha, root.parents) == (first, ())


def test_inserted_and_deleted_lines_stand_where_they_stood(shop: GitFolder) -> None:
    shop.commit({"a.py": "a\nb\nc\n"})
    shop.commit({"a.py": "a\nx\nb\nc\n"}, day=1)
    inserted = _change(shop).hunks
    shop.commit({"a.py": "a\nx\nc\n"}, day=2)
    deleted = _change(shop).hunks

    assert inserted == (Hunk(old_start=1, removed=(), new_start=1, added=("x",)),)
    assert deleted == (Hunk(old_start=2, removed=("b",), new_start=2, added=()),)


def test_new_and_deleted_files_have_one_blob(shop: GitFolder) -> None:
    shop.commit({"a.py": "a\n"})
    created = _change(shop)
    shop.git("rm", "-q", "a.py")
    shop.commit({}, day=1)
    deleted = _change(shop)

    assert (created.old_path, created.old_blob, created.hunks[0].added) == (None, "", ("a",))
    assert (deleted.path, deleted.new_blob, deleted.hunks[0].removed) == ("a.py", "", ("a",))


def test_a_moved_file_is_known_by_its_old_path(shop: GitFolder) -> None:
    text = "".join(f"line {number}\n" for number in range(20))
    shop.commit({"old name.py": text})
    shop.git("mv", "old name.py", "näw.py")
    shop.commit({}, day=1)
    moved = _change(shop)
    shop.git("mv", "näw.py", "b.py")
    shop.commit({"b.py": text.replace("line 7", "LINE 7")}, day=2)
    changed = _change(shop)

    assert (moved.old_path, moved.path, moved.is_rename, moved.hunks) == ("old name.py", "näw.py", True, ())
    assert (changed.old_path, changed.path, changed.is_rename) == ("näw.py", "b.py", True)
    assert changed.hunks == (Hunk(old_start=7, removed=("line 7",), new_start=7, added=("LINE 7",)),)


def test_merges_are_left_out_and_their_branches_are_not(shop: GitFolder) -> None:
    shop.commit({"a.py": "a\n"})
    shop.git("checkout", "-q", "-b", "side")
    side = shop.commit({"b.py": "b\n"}, day=1)
    shop.git("checkout", "-q", "main")
    main = shop.commit({"c.py": "c\n"}, day=2)
    shop.git("merge", "-q", "--no-ff", "-m", "Merge side", "side", day=3)

    assert [details.sha for details, _ in _history(shop)][:2] == [main, side]
    assert len(_history(shop)) == 3


def test_code_and_messages_that_look_like_patches_lead_nowhere(shop: GitFolder) -> None:
    hostile = f"{'a' * 40}\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n:100644\n\\ No newline\n\x1f\x00"
    shop.commit({"a.py": "a\n", "b.py": "b\n"})
    shop.write({"a.py": hostile.replace("\0", ""), "b.py": "-- a/x\n++ b/y"})
    shop.git("add", "-A")
    shop.git("commit", "-q", "-m", hostile.replace("\0", ""), day=1)
    (details, files), _ = _history(shop)

    assert [change.path for change in files] == ["a.py", "b.py"]
    assert "\n".join(files[0].hunks[0].added) == hostile.replace("\0", "")
    assert files[1].hunks == (Hunk(old_start=0, removed=("b",), new_start=0, added=("-- a/x", "++ b/y")),)
    assert details.subject.startswith("a" * 40)
    assert "\x1f" in details.subject + details.body


def test_lines_keep_what_a_line_break_is_not(shop: GitFolder) -> None:
    shop.commit({"a.py": b"a\r\nb\x0cb\n\xff\n"})

    assert _change(shop).hunks[0].added == ("a\r", "b\x0cb", "\N{REPLACEMENT CHARACTER}")


def test_of_what_changes_too_much_only_the_fact_is_kept(shop: GitFolder) -> None:
    shop.commit({"large.py": "x\n" * (MAX_CHANGED_LINES + 1), "small.py": "x\n"})
    large, small = _history(shop)[0][1]
    shop.commit({f"{number}.py": "x\n" for number in range(MAX_CHANGED_FILES + 1)}, day=1)
    sweep = _history(shop)[0][1]

    assert (large.path, large.is_too_large, large.hunks) == ("large.py", True, ())
    assert not small.is_too_large
    assert len(small.hunks) == 1
    assert len(sweep) == MAX_CHANGED_FILES + 1
    assert all(change.is_too_large and not change.hunks for change in sweep)


def test_links_submodules_and_binary_files_are_not_told(shop: GitFolder) -> None:
    shop.commit({"a.py": "a\n", "b.bin": b"\0\1"})
    (shop.path / "link.py").symlink_to("a.py")
    shop.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    shop.commit({"b.bin": b"\0\2"}, day=1)

    assert [[change.path for change in files] for _, files in _history(shop)] == [[], ["a.py"]]


def test_only_asked_files_and_so_many_commits_are_read(shop: GitFolder) -> None:
    shop.commit({"a.py": "a\n", "b.js": "b\n"})
    shop.commit({"a.py": "aa\n"}, day=1)
    second = shop.commit({"b.js": "bb\n"}, day=2)
    repository = shop.open()

    assert len(_history(shop, count=2)) == 2
    found = list(repository.history(second, count=9, patterns=["*.js"]))
    assert [[change.path for change in files] for _, files in found] == [["b.js"], ["b.js"]]


def test_a_shallow_clone_has_a_history_as_far_as_it_reaches(shop: GitFolder, tmp_path: Path) -> None:
    for day in range(3):
        shop.commit({"a.py": f"{day}\n"}, day=day)
    shop.git("clone", "-q", "--depth=2", f"file://{shop.path}", str(tmp_path / "shallow"))
    history = _history(GitFolder(tmp_path / "shallow"))

    assert [details.subject for details, _ in history] == ["Day 2", "Day 1"]
    assert history[1][1][0].old_blob == ""


def test_a_commit_may_claim_any_time(shop: GitFolder) -> None:
    shop.commit({"a.py": "a\n"})
    tree = shop.git("rev-parse", "HEAD^{tree}")
    for stamp in ("99999999999999", "0"):
        raw = f"tree {tree}\nauthor A <a@b> {stamp} +0000\ncommitter A <a@b> {stamp} +0000\n\nfar\n"
        sha = subprocess.run(
            ["git", "hash-object", "-t", "commit", "-w", "--stdin", "--literally"],
            cwd=shop.path,
            input=raw,
            text=True,
            capture_output=True,
            check=True,
            env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull},
        ).stdout.strip()

        ((details, _),) = shop.open().history(sha, count=1)
        assert details.time.year in (1970, 9999)
        assert shop.open().main_line(sha)[0].time == details.time
