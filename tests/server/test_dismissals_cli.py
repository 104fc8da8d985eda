"""`acclimate review --dismissed` and `--undo`: the way back from a dismissal."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.server.test_cli import DONE, USAGE, acclimate
from tests.support.git_folder import GitFolder
from tests.support.migrated import OLD, home_of, migrated

from acclimate_indexer.feedback import FeedbackStore
from acclimate_indexer.home import Home
from acclimate_indexer.languages.registry import language_of
from acclimate_indexer.review.dismissal_log import Scope
from acclimate_indexer.review.dismissals import dismiss
from acclimate_indexer.review.finding import Finding
from acclimate_indexer.review.target import ReviewTarget
from acclimate_indexer.syntax import Span

FINDINGS = 1
BAD = f"\n\ndef remind(order):\n    {OLD}(1, limit=2)\n    return order\n"
ESCAPE = "\x1b[2J"  # would clear the terminal


@pytest.fixture
def shop(tmp_path: Path, home: Home) -> GitFolder:
    """A repository with something to say about it that is not committed."""
    shop = migrated(tmp_path / "shop", home)
    path = shop.path / "src/order.py"
    shop.write({"src/order.py": path.read_text(encoding="utf-8") + BAD})
    return shop


def say_no(shop: GitFolder, home: Home, scope: Scope = "here", message: str = f"`{OLD}` was replaced.") -> None:
    """What an editor does."""
    text = (shop.path / "src/order.py").read_text(encoding="utf-8")
    start, language = text.index(OLD), language_of("a.py")
    assert language is not None
    target = ReviewTarget(path="src/order.py", language=language, text=text, changed=())
    found = Finding(
        path=target.path,
        span=Span(start, start + len(OLD)),
        severity="warning",
        reviewer="conventions",
        code="replaced-name",
        subject=OLD,
        message=message,
    )
    dismiss(
        FeedbackStore(home_of(shop, home).feedback), found, target, scope=scope, commit=shop.git("rev-parse", "HEAD")
    )


def review(shop: GitFolder, *words: str) -> tuple[int, dict[str, Any]]:
    done = acclimate("review", *words, "--repository", shop.path, "--json")
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def test_what_was_dismissed_is_listed_with_place_scope_and_when(shop: GitFolder, home: Home) -> None:
    say_no(shop, home)
    say_no(shop, home, "never")
    code, said = review(shop, "--dismissed")
    table = acclimate("review", "--dismissed", "--repository", shop.path).stdout
    here, never = said["dismissed"]
    line = (shop.path / "src/order.py").read_text(encoding="utf-8").split("\n").index(f"    {OLD}(1, limit=2)") + 1

    assert code == DONE
    assert (here["number"], here["path"], here["line"], here["scope"]) == (1, "src/order.py", line, "here")
    assert (never["number"], never["line"], never["scope"]) == (2, None, "never")
    assert here["commit"] == shop.git("rev-parse", "HEAD")
    assert here["commit_date"] == shop.git("show", "-s", "--format=%cs")
    assert f"src/order.py:{line}" in table and "at this place" in table and "in the whole repository" in table


def test_what_is_taken_back_is_said_again(shop: GitFolder, home: Home) -> None:
    say_no(shop, home)
    assert acclimate("review", "--repository", shop.path).returncode == DONE
    code, said = review(shop, "--undo", "1")

    assert (code, said["undone"]["number"], said["undone"]["subject"]) == (DONE, 1, OLD)
    assert acclimate("review", "--repository", shop.path).returncode == FINDINGS
    assert review(shop, "--dismissed") == (DONE, {"dismissed": []})


def test_where_nothing_is_dismissed_it_says_so(shop: GitFolder) -> None:
    done = acclimate("review", "--dismissed", "--repository", shop.path)
    refused = acclimate("review", "--undo", "1", "--repository", shop.path)

    assert (done.returncode, done.stdout) == (DONE, "Nothing is dismissed in this repository.\n")
    assert (refused.returncode, "No dismissal has the number 1." in refused.stderr) == (USAGE, True)


def test_a_file_that_is_gone_and_a_commit_that_is_gone_are_no_obstacle(shop: GitFolder, home: Home) -> None:
    say_no(shop, home)
    (shop.path / "src/order.py").unlink()
    FeedbackStore(home_of(shop, home).feedback).add(
        "dismissed", {"code": "a", "subject": "b", "path": "../x", "commit": "f" * 40}
    )
    code, said = review(shop, "--dismissed")

    assert code == DONE
    assert [(each["line"], each["commit_date"] is None) for each in said["dismissed"]] == [(None, False), (None, True)]


def test_nothing_that_was_said_drives_a_terminal(shop: GitFolder, home: Home) -> None:
    say_no(shop, home, message=f"[bold]{ESCAPE} done[/nothing]")
    shown = acclimate("review", "--dismissed", "--repository", shop.path).stdout

    assert ESCAPE not in shown
    assert "[bold]" in shown and "[/nothing]" in shown


@pytest.mark.parametrize(
    "words", [("--undo", "1", "--sarif"), ("--dismissed", "--sarif"), ("--undo", "x"), ("--undo", "1", "--staged")]
)
def test_it_goes_with_nothing_else(shop: GitFolder, home: Home, words: tuple[str, ...]) -> None:
    say_no(shop, home)

    assert acclimate("review", *words, "--repository", shop.path).returncode == USAGE
    assert len(review(shop, "--dismissed")[1]["dismissed"]) == 1
