"""What was dismissed is listed, and taken back: what is said later counts."""

from dataclasses import replace
from pathlib import Path

import pytest

from acclimate_indexer.errors import UsageError
from acclimate_indexer.feedback import FeedbackStore
from acclimate_indexer.languages.python import PYTHON
from acclimate_indexer.review.dismissal_log import Scope, distinct_dismissals, take_back
from acclimate_indexer.review.dismissals import Dismissals, dismiss, dismissed_code, line_now
from acclimate_indexer.review.finding import Finding
from acclimate_indexer.review.target import ReviewTarget
from acclimate_indexer.syntax import Span

TEXT = "def one(order):\n    send(order)\n    return order\n\n\ndef two(stock):\n    send(stock)\n    return stock\n"
LINES = TEXT.split("\n")
FIRST, SECOND = LINES.index("    send(order)"), LINES.index("    send(stock)")
KEY = "AKIA" + "QX7Z4M2P9L5K3J8H"


@pytest.fixture
def store(tmp_path: Path) -> FeedbackStore:
    return FeedbackStore(tmp_path / "feedback.jsonl")


def finding(line: int, *, path: str = "a.py") -> Finding:
    start = sum(len(each) + 1 for each in LINES[:line]) + 4
    return Finding(
        path=path,
        span=Span(start, start + 4),
        severity="warning",
        reviewer="conventions",
        code="replaced-name",
        subject="send",
        message="`send` was replaced.",
    )


def say_no(store: FeedbackStore, line: int, scope: Scope = "here", *, path: str = "a.py", text: str = TEXT) -> None:
    target = ReviewTarget(path=path, language=PYTHON, text=text, changed=())
    dismiss(store, finding(line, path=path), target, scope=scope, commit="1" * 40)


def covers(store: FeedbackStore, line: int, *, path: str = "a.py") -> bool:
    return Dismissals.read(store).covers(finding(line, path=path), range(line, line + 1), LINES)


def numbers(store: FeedbackStore) -> list[int]:
    return [each.number for each in distinct_dismissals(store)]


def test_what_was_dismissed_is_listed_with_what_is_known(store: FeedbackStore) -> None:
    say_no(store, FIRST)
    say_no(store, SECOND, "never")
    here, never = distinct_dismissals(store)

    assert (here.number, here.scope, here.path, here.message) == (1, "here", "a.py", "`send` was replaced.")
    assert (never.number, never.scope, never.code, never.subject) == (2, "never", "replaced-name", "send")
    assert never.commit == "1" * 40


def test_what_is_taken_back_is_said_again_and_learnt_from_no_more(store: FeedbackStore) -> None:
    say_no(store, FIRST)
    say_no(store, SECOND)
    taken = take_back(store, 1)

    assert (taken.path, taken.code) == ("a.py", "replaced-name")
    assert not covers(store, FIRST)
    assert covers(store, SECOND)
    assert [each.hunk for each in dismissed_code(store)] == ["\n".join(LINES[5:8])]


def test_the_others_keep_their_numbers(store: FeedbackStore) -> None:
    say_no(store, FIRST)
    say_no(store, SECOND)
    take_back(store, 1)
    say_no(store, FIRST, path="b.py")

    assert numbers(store) == [2, 3]


def test_what_was_dismissed_twice_is_taken_back_at_once(store: FeedbackStore) -> None:
    say_no(store, FIRST)
    say_no(store, FIRST)
    assert numbers(store) == [1]
    take_back(store, 1)

    assert not covers(store, FIRST)
    assert numbers(store) == []
    assert dismissed_code(store) == []


def test_never_is_taken_back_wherever_it_was_said(store: FeedbackStore) -> None:
    say_no(store, FIRST, "never")
    say_no(store, SECOND, "never", path="b.py")
    take_back(store, 1)

    assert not covers(store, FIRST)
    assert not covers(store, SECOND, path="b.py")


def test_a_place_stays_dismissed_when_never_is_taken_back(store: FeedbackStore) -> None:
    say_no(store, FIRST)
    say_no(store, FIRST, "never")
    take_back(store, 2)

    assert covers(store, FIRST)
    assert not covers(store, SECOND)


def test_what_is_dismissed_again_is_dismissed(store: FeedbackStore) -> None:
    say_no(store, FIRST)
    take_back(store, 1)
    say_no(store, FIRST)

    assert covers(store, FIRST)
    assert numbers(store) == [2]


@pytest.mark.parametrize("number", [-1, 0, 1, 3])
def test_a_number_that_nothing_has_is_usage(store: FeedbackStore, number: int) -> None:
    say_no(store, FIRST)
    say_no(store, SECOND)
    take_back(store, 1)
    before = store.digest()

    with pytest.raises(UsageError, match="--dismissed"):
        take_back(store, number)
    assert store.digest() == before


def test_entries_that_say_too_little_are_not_listed(store: FeedbackStore) -> None:
    store.add("dismissed", {"path": "a.py", "line": 3})
    store.add("taken_back", {"what": None})
    say_no(store, FIRST)

    assert numbers(store) == [2]
    assert covers(store, FIRST)


def test_what_holds_a_secret_is_listed_by_what_was_kept_and_taken_back(store: FeedbackStore) -> None:
    text = TEXT.replace("send(order)", f"send('{KEY}')")
    say_no(store, FIRST, text=text)
    (kept,) = distinct_dismissals(store)
    take_back(store, kept.number)

    assert (kept.path, kept.message, kept.hunk) == ("a.py", "", "")
    assert numbers(store) == []


def test_where_a_line_stands_by_now_is_known_unless_it_was_altered(store: FeedbackStore) -> None:
    say_no(store, FIRST)
    (known,) = distinct_dismissals(store)

    assert line_now(known, ["import a", "", *LINES]) == FIRST + 2
    assert line_now(known, TEXT.replace("send(order)", "send(order, 1)").split("\n")) is None
    assert line_now(known, ["send(order)", "y = 1", "z = 2", *LINES]) == FIRST + 3
    assert line_now(replace(known, near=()), ["send(order)", *LINES]) is None
