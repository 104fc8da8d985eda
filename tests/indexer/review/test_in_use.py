"""Nobody is told to write a name that is itself no longer written."""

from functools import partial

import pytest
from tests.support.git_folder import GitFolder
from tests.support.reviewed import conventions, replacement, target_of

from acclimate_indexer.errors import RepositoryError
from acclimate_indexer.review.conventions import convention_findings
from acclimate_indexer.review.in_use import is_in_use
from acclimate_indexer.review.rules import RULES_FILE, TeamRules

CALLS = "send_letter(1)\nsend_letter(2)\nsend_letter(3)\n"


def test_what_the_work_tree_says_counts_and_not_what_was_committed(shop: GitFolder) -> None:
    first = shop.commit({"a.py": CALLS, "b.py": "send_letters(1)\n", "notes.md": CALLS})
    repository = shop.open()
    assert is_in_use(repository, "send_letter", "new.py")
    shop.write({"a.py": CALLS.replace("letter(1)", "note(1)")})
    assert not is_in_use(repository, "send_letter", "new.py")
    assert is_in_use(repository, "send_letter", "new.py", commit=first)
    assert is_in_use(repository, "send_letter", "new.md")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("post.send_letter", True),  # however it is imported
        ("send", False),
        ("send_letter.*", False),
        ("--help", False),
        ("letter", False),
    ],
)
def test_whole_words_count(shop: GitFolder, name: str, expected: bool) -> None:
    shop.commit({"a.py": CALLS})
    assert is_in_use(shop.open(), name, "b.py") is expected


def test_a_file_that_is_gone_or_leads_away_names_nothing(shop: GitFolder) -> None:
    shop.commit({"a.py": CALLS, "c d/ä.py": CALLS})
    (shop.path / "a.py").unlink()
    assert is_in_use(shop.open(), "send_letter", "b.py")
    (shop.path / "c d/ä.py").unlink()
    (shop.path / "c d/ä.py").symlink_to(shop.path / "elsewhere.py")
    shop.write({"elsewhere.py": CALLS})
    assert not is_in_use(shop.open(), "send_letter", "b.py")


def test_a_commit_that_is_not_there_is_an_error(shop: GitFolder) -> None:
    shop.commit({"a.py": CALLS})
    with pytest.raises(RepositoryError, match="cannot search"):
        is_in_use(shop.open(), "send_letter", "b.py", commit="nowhere")


def test_who_gives_the_new_name_up_is_not_told_to_write_it(shop: GitFolder) -> None:
    shop.commit({"a.py": CALLS})
    repository = shop.open()
    target = target_of("b.py", "send_note(1)\n")
    mined = conventions(replacement("send_note", "send_letter"))
    said = partial(convention_findings, target, mined, is_in_use=partial(is_in_use, repository))

    assert [each.subject for each in said()] == ["send_note"]
    shop.write({"a.py": CALLS.replace("send_letter", "send_note")})
    assert said() == []
    pinned = TeamRules.read({RULES_FILE: "- use `send_letter` instead of `send_note`"})
    assert [each.code for each in said(rules=pinned)] == ["team-rule"]
