"""How much of a repository is newer than a commit."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.support.git_folder import GitFolder, module

from acclimate_indexer import churn
from acclimate_indexer.churn import Churn, churn_since
from acclimate_indexer.errors import RepositoryError
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.mining.options import MiningOptions

LINES = len(module("cart").splitlines())


@pytest.fixture
def shop(tmp_path: Path) -> GitFolder:
    return GitFolder.new(tmp_path / "shop")


@pytest.fixture
def home(tmp_path: Path) -> RepositoryHome:
    return RepositoryHome(root=tmp_path / "state")


def measured(shop: GitFolder, home: RepositoryHome, since: str, **options: object) -> Churn:
    return churn_since(shop.open(), home, since, MiningOptions(**options))  # type: ignore[arg-type]  # of a test


def test_added_lines_are_counted_and_compared_with_what_was_mined(shop: GitFolder, home: RepositoryHome) -> None:
    since = shop.commit({"cart.py": module("cart"), "prices.py": module("prices")}, day=0)
    shop.commit({"cart.py": module("cart") + "\nRATE = 3\n"}, day=1)
    until = shop.commit({"orders.py": module("orders")}, day=3)

    found = measured(shop, home, since)
    assert (found.since, found.until, found.ancestry) == (since, until, "ancestor")
    assert found.lines == LINES + 2
    assert found.share == (LINES + 2) / (2 * LINES)
    assert (found.commits, found.days) == (2, 3.0)


def test_nothing_has_changed_since_the_commit_that_is_checked_out(shop: GitFolder, home: RepositoryHome) -> None:
    since = shop.commit({"cart.py": module("cart")})

    found = measured(shop, home, since)
    assert (found.lines, found.share, found.commits, found.days) == (0, 0.0, 0, 0.0)


def test_only_what_is_mined_counts(shop: GitFolder, home: RepositoryHome) -> None:
    since = shop.commit({"cart.py": module("cart"), ".gitattributes": "made/** linguist-generated\n"})
    more = ["notes.md", "vendor/lib.py", "made/by_tool.py", "docs/example.py", "data.bin"]
    shop.commit({path: module("other") for path in more}, day=1)

    assert measured(shop, home, since, exclude=("docs/**",)).lines == 0
    assert measured(shop, home, since).lines == LINES  # the example


def test_what_was_moved_or_taken_back_is_nothing_new(shop: GitFolder, home: RepositoryHome) -> None:
    since = shop.commit({"cart.py": module("cart"), "prices.py": module("prices")})
    shop.commit({"orders.py": module("orders")}, day=1)
    shop.git("rm", "-q", "orders.py")
    shop.git("mv", "cart.py", "basket.py")
    shop.commit({}, day=2)

    found = measured(shop, home, since)
    assert (found.lines, found.commits) == (0, 2)


def test_an_older_commit_that_is_checked_out_is_no_drift(shop: GitFolder, home: RepositoryHome) -> None:
    older = shop.commit({"cart.py": module("cart")}, day=0)
    newer = shop.commit({"prices.py": module("prices")}, day=1)
    shop.git("checkout", "-q", older)

    found = measured(shop, home, newer)
    assert (found.ancestry, found.lines, found.commits) == ("older", 0, 0)


def test_a_rewritten_history_is_compared_by_what_it_holds(shop: GitFolder, home: RepositoryHome) -> None:
    shop.commit({"cart.py": module("cart")}, day=0)
    since = shop.commit({"prices.py": module("prices")}, day=1)
    shop.git("commit", "-q", "--amend", "-m", "said otherwise", day=2)
    shop.commit({"rate.py": "RATE = 3\n"}, day=3)

    found = measured(shop, home, since)
    assert (found.ancestry, found.lines, found.commits) == ("diverged", 1, 2)


def test_on_another_branch_only_its_own_lines_are_new(shop: GitFolder, home: RepositoryHome) -> None:
    base = shop.commit({"cart.py": module("cart")}, day=0)
    since = shop.commit({"cart.py": "RATE = 1\n"}, day=1)
    shop.git("checkout", "-q", "-b", "side", base)
    shop.commit({"rate.py": "RATE = 3\n"}, day=2)

    found = measured(shop, home, since)
    assert (found.ancestry, found.lines, found.commits) == ("diverged", 1, 1)


def test_a_branch_that_was_merged_is_no_drift(shop: GitFolder, home: RepositoryHome) -> None:
    shop.commit({"cart.py": module("cart")}, day=0)
    shop.git("checkout", "-q", "-b", "side")
    since = shop.commit({"prices.py": module("prices")}, day=1)
    shop.git("checkout", "-q", "main")
    shop.commit({"rate.py": "RATE = 3\n"}, day=2)
    shop.git("merge", "-q", "--no-edit", "side", day=3)

    assert measured(shop, home, since).lines == 1


@pytest.mark.parametrize("since", ["0" * 40, "--output=elsewhere", "", "HEAD"])
def test_a_commit_that_is_not_here_makes_everything_new(shop: GitFolder, home: RepositoryHome, since: str) -> None:
    shop.commit({"cart.py": module("cart")})

    found = measured(shop, home, since)
    assert (found.ancestry, found.lines, found.share) == ("gone", LINES, 1.0)
    assert not (shop.path / "elsewhere").exists()


def test_a_repository_without_code_has_no_lines(shop: GitFolder, home: RepositoryHome) -> None:
    since = shop.commit({"README": "nothing\n"}, day=0)
    shop.commit({"README": "nothing yet\n"}, day=1)

    found = measured(shop, home, since)
    assert (found.lines, found.share, found.commits) == (0, 0.0, 1)


def test_what_was_counted_is_remembered_by_commits_and_settings(shop: GitFolder, home: RepositoryHome) -> None:
    since = shop.commit({"cart.py": module("cart")}, day=0)
    shop.commit({"docs/prices.py": module("prices")}, day=1)
    first = measured(shop, home, since)
    head = shop.git("rev-parse", "HEAD")
    for path in (shop.path / ".git/objects").glob("??/*"):
        if path.parent.name + path.name not in (since, head):
            path.chmod(0o600)
            path.write_bytes(b"")  # whoever reads a tree or a blob now fails

    assert measured(shop, home, since) == first
    with pytest.raises(RepositoryError):
        measured(shop, home, since, exclude=("docs/**",))


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"lines": {}, "churn": {"x": {}}}'])
def test_a_damaged_memory_is_none(shop: GitFolder, home: RepositoryHome, damage: str) -> None:
    since = shop.commit({"cart.py": module("cart")}, day=0)
    shop.commit({"prices.py": module("prices")}, day=1)
    home.root.mkdir()
    home.churn.write_text(damage, encoding="utf-8")

    assert measured(shop, home, since).lines == LINES
    assert json.loads(home.churn.read_text(encoding="utf-8"))["churn"]


def test_the_memory_is_bounded(shop: GitFolder, home: RepositoryHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(churn, "MAX_KEPT", 2)
    since = shop.commit({"cart.py": module("cart")}, day=0)
    for day in range(1, 5):
        shop.commit({"rate.py": f"RATE = {day}\n"}, day=day)
        measured(shop, home, since)

    record = json.loads(home.churn.read_text(encoding="utf-8"))
    assert (len(record["churn"]), len(record["lines"])) == (2, 1)


def test_of_many_files_some_are_counted(shop: GitFolder, home: RepositoryHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(churn, "MAX_COUNTED_FILES", 3)
    since = shop.commit({f"part_{number}.py": module(f"part_{number}") for number in range(9)}, day=0)
    shop.commit({"prices.py": module("prices")}, day=1)

    assert measured(shop, home, since).share == pytest.approx(1 / 9, rel=0.01)


def test_the_caller_may_not_write_its_memory(shop: GitFolder, home: RepositoryHome) -> None:
    since = shop.commit({"cart.py": module("cart")}, day=0)
    home.root.mkdir()
    home.churn.mkdir()

    assert measured(shop, home, since).lines == 0


def test_git_agrees(shop: GitFolder, home: RepositoryHome) -> None:
    since = shop.commit({f"part_{number}.py": module(f"part_{number}") for number in range(5)}, day=0)
    shop.commit({"part_1.py": module("part_1", 9), "part_2.py": module("part_2", 2)}, day=1)
    shop.commit({"part_1.py": module("other", 4), "new.py": module("new")}, day=2)
    told = subprocess.run(
        ["git", "diff", "--numstat", "--no-renames", since, "HEAD"],
        cwd=shop.path,
        env=os.environ | {"GIT_CONFIG_GLOBAL": os.devnull},
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert measured(shop, home, since).lines == sum(int(line.split()[0]) for line in told.splitlines()) > 0
