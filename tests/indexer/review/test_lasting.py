"""What was mined is said only as long as mining would find it again."""

from dataclasses import replace
from functools import partial

import pytest
from tests.support.git_folder import GitFolder
from tests.support.reviewed import conventions, replacement, target_of

from acclimate_indexer.errors import RepositoryError
from acclimate_indexer.repository import Repository
from acclimate_indexer.review.conventions import convention_findings
from acclimate_indexer.review.lasting import still_holds
from acclimate_indexer.review.rules import RULES_FILE, TeamRules

CALLS = "send_letter(1)\nsend_letter(2)\nsend_letter(3)\n"
LETTER = replacement("send_note", "send_letter")


def test_what_the_work_tree_says_counts_and_not_what_was_committed(shop: GitFolder) -> None:
    first = shop.commit({"a.py": CALLS, "b.py": "send_letters(1)\n", "notes.md": CALLS})
    repository = shop.open()
    assert still_holds(repository, LETTER, "new.py")
    assert not still_holds(repository, LETTER, "a.py")  # whose own lines say nothing about it
    shop.write({"a.py": CALLS.replace("letter(1)", "note(1)")})
    assert not still_holds(repository, LETTER, "new.py")
    assert still_holds(repository, LETTER, "new.py", commit=first)
    shop.write({"c.py": CALLS})
    assert still_holds(repository, LETTER, "new.py")
    shop.write({"d.py": CALLS, ".gitignore": "c.py\nd.py\n"})
    assert not still_holds(repository, LETTER, "new.py")


@pytest.mark.parametrize(("uses", "expected"), [(1, True), (2, False)])  # of 14 places that were changed
def test_a_name_that_stands_for_something_again_is_not_given_up(shop: GitFolder, uses: int, expected: bool) -> None:
    shop.commit({"a.py": CALLS, "b.py": "send_note(2)\n" * uses + "# send_note(3)\nx = 'send_note(4)'\n"})
    assert still_holds(shop.open(), replace(LETTER, commits=2), "new.py") is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def send_note(x):\n    return x\n", False),
        ("class A:\n    async def send_note(self):\n        pass\n", False),
        ("send_note = send_letter\n", False),
        ("from mail import send_letter as send_note\n", False),
        ("x = 'def send_notes'\n", True),
        ("", True),
    ],
)
def test_a_name_that_is_still_defined_may_be_needed(shop: GitFolder, text: str, expected: bool) -> None:
    shop.commit({"a.py": CALLS, "b.py": text})
    assert still_holds(shop.open(), LETTER, "new.py") is expected
    assert still_holds(shop.open(), LETTER, "b.py")  # where the review itself sees it


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("send_letter", True),
        ("send", False),
        ("send_letter.*", False),
        ("--help", False),
        ("letter", False),
    ],
)
def test_whole_names_count(shop: GitFolder, name: str, expected: bool) -> None:
    shop.commit({"a.py": CALLS})
    assert still_holds(shop.open(), replacement("send_note", name), "b.py") is expected


def test_what_is_gone_or_leads_away_names_nothing(shop: GitFolder) -> None:
    shop.commit({"a.py": CALLS, "c d/ä\n.py": CALLS})
    (shop.path / "a.py").unlink()
    assert still_holds(shop.open(), LETTER, "b.py")
    assert not still_holds(shop.open(), LETTER, "c d/ä\n.py")
    (shop.path / "c d/ä\n.py").unlink()
    (shop.path / "c d").rmdir()
    away = shop.path.parent / "away"
    away.mkdir()
    (away / "ä\n.py").write_text(CALLS)
    (shop.path / "c d").symlink_to(away)
    (shop.path / "a.py").symlink_to(away / "ä\n.py")
    assert not still_holds(shop.open(), LETTER, "b.py")


def test_without_a_work_tree_the_newest_commit_is_searched(shop: GitFolder) -> None:
    shop.commit({"a.py": CALLS})
    shop.git("clone", "-q", "--bare", ".", "../bare.git")
    assert still_holds(Repository.open(shop.path.parent / "bare.git"), LETTER, "b.py")


def test_a_commit_that_is_not_there_is_an_error(shop: GitFolder) -> None:
    shop.commit({"a.py": CALLS})
    with pytest.raises(RepositoryError, match="cannot search"):
        still_holds(shop.open(), LETTER, "b.py", commit="nowhere")


def test_nothing_that_a_repository_names_is_started(shop: GitFolder) -> None:
    shop.commit({"a.py": CALLS, "b.py": "send_note = None\n", ".gitattributes": "* diff=own filter=own\n"})
    ran = shop.path.parent / "ran"
    for key in ("diff.own.textconv", "diff.own.command", "filter.own.smudge", "filter.own.clean", "core.fsmonitor"):
        shop.git("config", key, f"touch {ran};")
    for key in ("grep.lineNumber", "grep.column", "grep.fallbackToNoIndex"):
        shop.git("config", key, "true")
    shop.git("config", "color.grep", "always")
    assert still_holds(shop.open(), LETTER, "b.py")
    assert not still_holds(shop.open(), LETTER, "c.py")
    assert not ran.exists()


def test_who_gives_the_new_name_up_is_not_told_to_write_it(shop: GitFolder) -> None:
    shop.commit({"a.py": CALLS})
    repository = shop.open()
    target = target_of("b.py", "send_note(1)\n")
    said = partial(convention_findings, target, conventions(LETTER), still_holds=partial(still_holds, repository))

    assert [each.subject for each in said()] == ["send_note"]
    shop.write({"a.py": CALLS.replace("send_letter", "send_note")})
    assert said() == []
    pinned = TeamRules.read({RULES_FILE: "- use `send_letter` instead of `send_note`"})
    assert [each.code for each in said(rules=pinned)] == ["team-rule"]
