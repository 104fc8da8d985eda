"""Which files changed, and their texts on both sides."""

from collections.abc import Callable

import pytest
from tests.support.git_folder import GitFolder

from acclimate_indexer.errors import UsageError
from acclimate_indexer.repository import Repository
from acclimate_indexer.review.revisions import (
    MAX_FILE_BYTES,
    ChangedFile,
    changed_in_index,
    changed_in_work_tree,
    changed_since,
)

LINES = "".join(f"x = {number}\n" for number in range(50))


def everywhere(shop: GitFolder, first: str, change: Callable[[], None]) -> list[list[ChangedFile]]:
    """What was changed since the first commit: in the work tree, the index, and when it is committed."""
    change()
    shop.git("add", "-A")
    repository = shop.open()
    found = [list(changed_in_work_tree(repository)), list(changed_in_index(repository))]
    shop.commit({}, day=1)
    return [*found, list(changed_since(repository, first))]


def test_the_work_tree_the_index_and_a_revision_each_have_their_own_changes(shop: GitFolder) -> None:
    first = shop.commit({"a.py": "one\n", "b.py": "b\n", "gone.py": "gone\n"})
    shop.commit({"a.py": "two\n"}, day=1)
    shop.write({"a.py": "three\n", "new.py": "new\n", "unknown.py": "unknown\n"})
    shop.git("add", "a.py", "new.py")
    shop.git("rm", "-q", "gone.py")
    shop.write({"a.py": "four\n"})
    repository = Repository.open(shop.path)

    new = ChangedFile(path="new.py", before="", after="new\n")
    assert list(changed_in_work_tree(repository)) == [ChangedFile(path="a.py", before="two\n", after="four\n"), new]
    assert list(changed_in_index(repository)) == [ChangedFile(path="a.py", before="two\n", after="three\n"), new]
    assert list(changed_since(repository, first)) == [ChangedFile(path="a.py", before="one\n", after="two\n")]


def test_a_branch_is_compared_with_where_it_began(shop: GitFolder) -> None:
    shop.commit({"a.py": "one\n"})
    shop.git("checkout", "-q", "-b", "topic")
    shop.commit({"b.py": "mine\n"}, day=1)
    shop.git("checkout", "-q", "main")
    shop.commit({"a.py": "theirs\n"}, day=2)
    shop.git("checkout", "-q", "topic")
    found = list(changed_since(Repository.open(shop.path), "main"))
    assert found == [ChangedFile(path="b.py", before="", after="mine\n")]


def test_other_line_endings_alone_are_no_change(shop: GitFolder) -> None:
    shop.commit({"a.py": "one\ntwo\n"})
    shop.write({"a.py": "one\r\ntwo\r\n"})
    assert list(changed_in_work_tree(Repository.open(shop.path))) == []


def test_links_and_what_is_no_text_are_left_alone(shop: GitFolder) -> None:
    shop.commit({"a.py": "one\n", "b.py": "b\n"})
    shop.write({"b.py": b"\0\1"})
    (shop.path / "a.py").unlink()
    (shop.path / "a.py").symlink_to("/etc/hostname")
    assert list(changed_in_work_tree(Repository.open(shop.path))) == []


def test_of_a_renamed_file_only_the_changed_lines_are_new(shop: GitFolder) -> None:
    first = shop.commit({"old.py": LINES, "a.py": "a\n"})

    def rename() -> None:
        shop.git("mv", "old.py", "new.py")
        shop.git("mv", "a.py", "moved.py")
        shop.write({"new.py": LINES + "y = 1\n"})

    found = everywhere(shop, first, rename)
    assert found == [[ChangedFile(path="new.py", before=LINES, after=LINES + "y = 1\n")]] * 3


def test_what_was_there_and_cannot_be_read_is_not_new(shop: GitFolder) -> None:
    (shop.path / "link.py").symlink_to("a.py")
    latin = f"{LINES}é\n".encode("latin-1")
    shop.write({"latin.py": latin, "renamed.py": latin, "large.py": "x" * (MAX_FILE_BYTES + 1)})
    first = shop.commit({"a.py": "a\n"})

    def replace() -> None:
        (shop.path / "link.py").unlink()
        shop.git("mv", "renamed.py", "new.py")
        shop.write({"link.py": "x = 1\n", "large.py": "x = 1\n", "a.py": "b\n"})
        shop.write({"latin.py": f"{LINES}é\n", "new.py": f"{LINES}é\n"})

    found = everywhere(shop, first, replace)
    assert found == [[ChangedFile(path="a.py", before="a\n", after="b\n")]] * 3


def test_what_is_too_large_is_not_read(shop: GitFolder) -> None:
    first = shop.commit({"a.py": "a\n"})
    texts = {"a.py": "x" * (MAX_FILE_BYTES + 1), "new.py": "y" * (MAX_FILE_BYTES + 1), "small.py": "z\n"}
    found = everywhere(shop, first, lambda: shop.write(texts))
    assert found == [[ChangedFile(path="small.py", before="", after="z\n")]] * 3


@pytest.mark.parametrize("revision", ["no-such-branch", "--output=x", "", "HEAD:a.py"])
def test_what_is_no_revision_is_said_to_be_none(shop: GitFolder, revision: str) -> None:
    shop.commit({"a.py": "one\n"})
    with pytest.raises(UsageError, match="no revision"):
        list(changed_since(Repository.open(shop.path), revision))
    assert [path.name for path in shop.path.iterdir() if path.name != ".git"] == ["a.py"]
