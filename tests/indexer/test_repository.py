"""Git repositories of all kinds, friendly and hostile."""

import os
import sys
from pathlib import Path
from subprocess import CalledProcessError

import pytest
from tests.support.git_folder import GitFolder

from acclimate_indexer.errors import RepositoryError
from acclimate_indexer.repository import Repository

# What a hook sees of the commit that is being made, from a folder of the work tree.
HOOK = """#!/bin/sh
cd src && '{python}' -P -c '
from pathlib import Path
from acclimate_indexer.repository import Repository
for each in Repository.open(Path(".")).differences("HEAD", None):
    print(each.path)
' > '{told}'
"""


def told_of(repository: Repository, old: str, new: str | None) -> dict[str, tuple[str | None, str | None]]:
    """Both texts of what differs."""
    return {
        each.path: (None if each.before is None else repository.text(each.before), repository.text(each.after))
        for each in repository.differences(old, new)
    }


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
    assert list(shop.open().differences(commit, None)) == []


@pytest.mark.parametrize(
    ("commit", "in_commit"),
    [
        ((), ["src/new.py"]),
        (("-a",), ["src/a.py", "src/new.py"]),  # these two have an index of their own, which is not the usual one yet
        (("src/a.py",), ["src/a.py"]),
    ],
)
@pytest.mark.parametrize("is_linked", [False, True], ids=["work tree", "linked work tree"])
def test_a_hook_sees_what_is_about_to_be_committed(
    shop: GitFolder, tmp_path: Path, commit: tuple[str, ...], in_commit: list[str], is_linked: bool
) -> None:
    shop.commit({"src/a.py": "x = 1\n"})
    hook, told = shop.path / ".git/hooks/pre-commit", tmp_path / "told"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HOOK.format(python=sys.executable, told=told), encoding="utf-8")
    hook.chmod(0o755)
    if is_linked:
        shop.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
        shop = GitFolder(tmp_path / "linked")
    shop.write({"src/a.py": "x = 2\n", "src/new.py": "y = 1\n"})
    shop.git("add", "src/new.py")
    shop.git("commit", "-q", "-m", "Second", *commit)

    assert told.read_text(encoding="utf-8").split() == in_commit


def test_the_index_of_another_work_tree_is_not_taken_for_this_ones(
    shop: GitFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = shop.commit({"a.py": "x = 1\n"})
    other = GitFolder.new(tmp_path / "other")
    other.commit({"b.py": "y = 1\n"})
    monkeypatch.chdir(other.path)
    shop.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    of_linked = shop.path / ".git/worktrees/linked/index"
    of_linked.write_bytes((other.path / ".git/index").read_bytes())
    for told in (".git/index", ".git/index.lock", str(other.path / ".git/index"), str(of_linked)):
        monkeypatch.setenv("GIT_INDEX_FILE", told)

        assert list(shop.open().differences(commit, None)) == []


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
    assert told_of(repository, first, second) == {"a.py": ("x = 1\n", "x = 2\n")}
    assert told_of(repository, first, None) == {"a.py": ("x = 1\n", "x = 2\n")}
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


def test_a_text_above_a_bound_is_not_read(shop: GitFolder) -> None:
    commit = shop.commit({"a.py": "12345\n"})
    repository = shop.open()
    (entry,) = repository.files(commit)

    assert repository.text(entry.blob, max_bytes=6) == "12345\n"
    assert repository.text(entry.blob, max_bytes=5) is None
    assert repository.text("1" * 40, max_bytes=5) is None


def test_the_text_at_a_path_is_empty_where_there_is_nothing_and_none_where_there_is_no_text(shop: GitFolder) -> None:
    (shop.path / "link.py").symlink_to("a.py")
    shop.commit({"a.py": "x = 1\n", "[a].py": "odd\n", "latin.py": "é\n".encode("latin-1"), "src/b.py": "b\n"})
    repository = shop.open()
    paths = ("a.py", "[a].py", ":(icase)A.PY", "new.py", "*.py", "latin.py", "link.py", "src")

    assert [repository.text_at("HEAD", path, max_bytes=6) for path in paths] == [
        "x = 1\n",
        "odd\n",
        "",
        "",
        "",
        None,
        None,
        None,
    ]
    assert repository.text_at("HEAD", "a.py", max_bytes=5) is None


def test_differences_know_renamed_files_again_and_leave_out_what_was_no_file(shop: GitFolder, tmp_path: Path) -> None:
    other = GitFolder.new(tmp_path / "other")
    other.commit({"b.py": "y = 1\n"})
    lines = "".join(f"x = {number}\n" for number in range(50))
    (shop.path / "link.py").symlink_to("old.py")
    first = shop.commit({"old.py": lines, "same.py": "same\n", "gone.py": "gone\n", "mode.py": "mode\n"})
    shop.git("mv", "old.py", "new ü\t.py")
    shop.git("rm", "-q", "gone.py", "link.py")
    (shop.path / "mode.py").chmod(0o755)
    (shop.path / "same.py").unlink()
    (shop.path / "same.py").symlink_to("mode.py")
    shop.git("submodule", "add", "-q", str(other.path), "lib")
    shop.write({"new ü\t.py": lines + "y = 1\n", "link.py": "now = 1\n", "added.py": "added\n"})
    shop.git("add", "-A")
    repository, found = shop.open(), {}
    found["index"] = told_of(repository, first, None)
    found["commit"] = told_of(repository, first, shop.commit({}, day=1))

    assert found["commit"] == found["index"]
    assert {path: before for path, (before, _) in found["index"].items() if path != ".gitmodules"} == {
        "new ü\t.py": lines,
        "added.py": None,
        "mode.py": "mode\n",
    }
    assert list(repository.differences("HEAD", None)) == []


def test_the_sides_of_a_conflict_are_no_difference(shop: GitFolder) -> None:
    shop.commit({"a.py": "one\n", "b.py": "b\n"})
    shop.git("checkout", "-q", "-b", "topic")
    shop.commit({"a.py": "mine\n"}, day=1)
    shop.git("checkout", "-q", "main")
    shop.commit({"a.py": "theirs\n"}, day=2)
    with pytest.raises(CalledProcessError):
        shop.git("merge", "-q", "topic")
    shop.write({"b.py": "c\n"})
    shop.git("add", "b.py")

    assert [each.path for each in shop.open().differences("HEAD", None)] == ["b.py"]


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
