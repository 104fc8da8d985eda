"""Git repositories of all kinds, friendly and hostile."""

import os
from pathlib import Path

import pytest
from tests.support.git_folder import GitFolder

from acclimate_indexer.errors import RepositoryError
from acclimate_indexer.repository import Repository


def test_a_repository_is_found_from_any_folder_or_file_inside(shop: GitFolder) -> None:
    commit = shop.commit({"src/a.py": "x = 1\n"})
    for inside in (shop.path, shop.path / "src", shop.path / "src/a.py", shop.path / ".git"):
        repository = Repository.open(inside)

        assert repository.head() == commit
        assert repository.root_commit() == commit
        assert (repository.name, repository.work_tree) == ("shop", shop.path)


def test_a_bare_repository_has_no_work_tree(shop: GitFolder, tmp_path: Path) -> None:
    commit = shop.commit({"a.py": "x = 1\n"})
    shop.git("clone", "-q", "--bare", ".", str(tmp_path / "store.git"))
    repository = Repository.open(tmp_path / "store.git")

    assert (repository.name, repository.work_tree, repository.head()) == ("store", None, commit)


def test_worktrees_share_their_common_directory_but_not_their_head(shop: GitFolder, tmp_path: Path) -> None:
    first = shop.commit({"a.py": "x = 1\n"})
    second = shop.commit({"a.py": "x = 2\n"})
    shop.git("worktree", "add", "-q", "--detach", str(tmp_path / "other"), first)
    repository = Repository.open(tmp_path / "other")

    assert repository.head() == first
    assert shop.open().head() == second
    assert repository.common_directory == shop.open().common_directory


def test_what_is_no_repository_gets_one_sentence(tmp_path: Path, shop: GitFolder) -> None:
    with pytest.raises(RepositoryError, match="is not inside a git repository"):
        Repository.open(tmp_path)
    with pytest.raises(RepositoryError, match="does not exist"):
        Repository.open(tmp_path / "nowhere")
    with pytest.raises(RepositoryError, match="no commits yet"):
        Repository.open(shop.path)


def test_a_damaged_configuration_gets_one_sentence(shop: GitFolder) -> None:
    shop.commit({"a.py": "x = 1\n"})
    (shop.path / ".git/config").write_text("[core\nbroken", encoding="utf-8")

    with pytest.raises(RepositoryError, match="bad config"):
        shop.open()


def test_a_missing_object_gets_one_sentence(shop: GitFolder) -> None:
    commit = shop.commit({"a.py": "x = 1\n"})
    (shop.path / ".git/objects" / commit[:2] / commit[2:]).unlink()

    with pytest.raises(RepositoryError, match=r"names no commit|cannot read"):
        shop.open().main_line(commit)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_another_user_is_read_like_any_other(shop: GitFolder) -> None:
    commit = shop.commit({"a.py": "x = 1\n"})
    for path in [shop.path, *shop.path.rglob("*")]:
        os.chown(path, 12345, 12345)

    assert shop.open().text(next(shop.open().files(commit)).blob) == "x = 1\n"


def test_the_callers_git_variables_do_not_lead_astray(
    shop: GitFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = shop.commit({"a.py": "x = 1\n"})
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY", "GIT_INDEX_FILE", "GIT_COMMON_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))

    assert [entry.path for entry in shop.open().files(commit)] == ["a.py"]


def test_a_hostile_configuration_starts_nothing(shop: GitFolder, tmp_path: Path) -> None:
    marker = tmp_path / "started"
    program = tmp_path / "hostile"
    program.write_text(f"#!/bin/sh\necho \"$0 $@\" >> '{marker}'\n", encoding="utf-8")
    program.chmod(0o755)
    first = shop.commit({"a.py": "x = 1\n", ".gitattributes": "*.py diff=evil filter=evil textconv=evil\n"})
    second = shop.commit({"a.py": "x = 2\n"}, day=1)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for hook in ("post-checkout", "post-index-change", "reference-transaction", "pre-auto-gc"):
        (hooks / hook).symlink_to(program)
    with (shop.path / ".git/config").open("a", encoding="utf-8") as config:
        config.write(
            f"[core]\n fsmonitor = {program}\n hooksPath = {hooks}\n sshCommand = {program}\n pager = {program}\n"
            f" gitProxy = {program}\n editor = {program}\n askPass = {program}\n alternateRefsCommand = {program}\n"
            f'[diff]\n external = {program}\n[diff "evil"]\n command = {program}\n textconv = {program}\n'
            f'[filter "evil"]\n smudge = {program}\n clean = {program}\n process = {program}\n required = true\n'
            f"[log]\n showSignature = true\n[gpg]\n program = {program}\n[credential]\n helper = !{program}\n"
            f"[alias]\n ls-tree = !{program}\n rev-list = !{program}\n cat-file = !{program}\n"
            f"[pager]\n diff-tree = {program}\n rev-list = {program}\n"
            f"[extensions]\n partialClone = evil\n"
            f'[remote "evil"]\n url = ext::{program}\n promisor = true\n uploadpack = {program}\n'
            f"[core]\n repositoryFormatVersion = 1\n"
        )
    repository = shop.open()
    blob = next(entry.blob for entry in repository.files(second) if entry.path == "a.py")

    assert repository.text(blob) == "x = 2\n"
    assert repository.text("1" * 40) is None
    assert [each.lines for each in repository.added_lines(repository.main_line(second))] == [(range(1),)]
    assert next(iter(repository.touched(repository.main_line(second)))) == "a.py"
    assert repository.root_commit() == first
    assert not marker.exists()


def test_links_submodules_and_odd_paths_do_no_harm(shop: GitFolder, tmp_path: Path) -> None:
    shop.commit({"a.md": "A\n"})
    other = GitFolder.new(tmp_path / "other")
    other.commit({"b.py": "y = 1\n"})
    shop.git("submodule", "add", "-q", str(other.path), "lib")
    (shop.path / "link.py").symlink_to("/etc/hostname")
    (shop.path / os.fsdecode(b"\xff\xfe.py")).write_bytes(b"x = 1\n")
    commit = shop.commit({'tab\t"quote".py': "x = 1\n", "new\nline.py": "x = 1\n", "ü ß.py": "x = 1\n"})
    repository = shop.open()
    paths = {entry.path for entry in repository.files(commit)}

    assert not {"lib", "link.py"} & {each.path for each in repository.added_lines(repository.main_line(commit))}
    assert paths == {"a.md", ".gitmodules", 'tab\t"quote".py', "new\nline.py", "ü ß.py", "\ufffd\ufffd.py"}


def test_text_is_utf_8_or_nothing(shop: GitFolder) -> None:
    commit = shop.commit({"a.py": "é\n", "latin.py": "é\n".encode("latin-1"), "binary.py": b"a\0b"})
    repository = shop.open()

    assert {entry.path: repository.text(entry.blob) for entry in repository.files(commit)} == {
        "a.py": "é\n",
        "latin.py": None,
        "binary.py": None,
    }


def test_added_lines_are_told_by_commit_path_and_range(shop: GitFolder) -> None:
    shop.commit({"a.py": "1\n2\n3\n"})
    shop.commit({"a.py": "1\nx\n2\n3\ny\nz\n", "ü\t.py": "++ b/evil\n@@ -1 +1 @@\n", "b.txt": "no\n"}, day=1)
    shop.commit({"a.py": "1\nx\n3\ny\nz"}, day=2)
    repository = shop.open()
    added = list(repository.added_lines(repository.main_line(repository.head()), patterns=["*.py"]))
    told = [(each.path, each.lines) for each in added]

    assert told == [
        ("a.py", (range(4, 5),)),
        ("a.py", (range(1, 2), range(4, 6))),
        ("ü\t.py", (range(2),)),
    ]
    assert repository.text(added[2].blob) == "++ b/evil\n@@ -1 +1 @@\n"


def test_merges_count_as_one_step_of_the_main_line(shop: GitFolder) -> None:
    shop.commit({"a.py": "1\n"})
    shop.git("checkout", "-q", "-b", "side")
    shop.commit({"b.py": "side\n"}, day=1)
    shop.git("checkout", "-q", "main")
    shop.commit({"a.py": "1\n2\n"}, day=2)
    shop.git("merge", "-q", "--no-ff", "-m", "merge", "side", day=3)
    repository = shop.open()
    line = repository.main_line(repository.head())

    assert len(line) == 3
    assert [each.path for each in repository.added_lines(line)] == ["b.py", "a.py"]
    assert repository.commit_time(line[0].sha) == line[0].time


def test_the_history_of_the_main_line_tells_of_a_merge_what_it_brought(shop: GitFolder) -> None:
    shop.commit({"a.py": "a = 1\n"})
    shop.git("checkout", "-q", "-b", "side")
    side = shop.commit({"b.py": "b = 1\n"}, day=1)
    shop.git("checkout", "-q", "main")
    main = shop.commit({"a.py": "a = 2\n"}, day=2)
    shop.git("merge", "-q", "--no-ff", "-m", "Merge", "side", day=3)
    repository = shop.open()
    head = repository.head()
    told = {
        is_main_line: {
            details.sha: [change.path for change in changes]
            for details, changes in repository.history(head, count=2, is_main_line=is_main_line)
        }
        for is_main_line in (True, False)
    }

    assert told[True] == {head: ["b.py"], main: ["a.py"]}
    assert told[False] == {side: ["b.py"], main: ["a.py"]}
