"""What was dismissed is known again where it went, and nowhere else."""

from dataclasses import replace
from pathlib import Path

import pytest

from acclimate_indexer.feedback import FeedbackStore
from acclimate_indexer.languages.python import PYTHON
from acclimate_indexer.review.dismissal_log import Scope
from acclimate_indexer.review.dismissals import Dismissals, dismiss, dismissed_code
from acclimate_indexer.review.finding import Finding
from acclimate_indexer.review.target import ReviewTarget
from acclimate_indexer.syntax import Span

TEXT = "def one(order):\n    send(order)\n    return order\n\n\ndef two(stock):\n    send(stock)\n    return stock\n"
KEY = "AKIA" + "QX7Z4M2P9L5K3J8H"


@pytest.fixture
def store(tmp_path: Path) -> FeedbackStore:
    return FeedbackStore(tmp_path / "feedback.jsonl")


def finding(text: str, marked: str, *, path: str = "a.py", code: str = "replaced-name") -> Finding:
    """Something said about the first place where the marked text stands."""
    start = text.index(marked)
    return Finding(
        path=path,
        span=Span(start, start + 4),
        severity="warning",
        reviewer="conventions",
        code=code,
        subject="send",
        message="`send` was replaced.",
    )


def say_no(store: FeedbackStore, text: str, found: Finding, scope: Scope = "here") -> None:
    target = ReviewTarget(path=found.path, language=PYTHON, text=text, changed=())
    dismiss(store, found, target, scope=scope, commit="1" * 40)


def covers(store: FeedbackStore, text: str, found: Finding) -> bool:
    lines = text.split("\n")
    line = text.count("\n", 0, found.span.start)
    return Dismissals.read(store).covers(found, range(line, line + 1), lines)


@pytest.mark.parametrize(
    "moved",
    [
        TEXT,
        "import a\n\n\n" + TEXT,
        TEXT.replace("    send(order)", "    log(order)\n    send(order)"),
        TEXT.replace("    send(order)", "        send( order )"),
        "x = 1\nsend(order)\ny = 2\n",
    ],
)
def test_a_moved_line_stays_dismissed(store: FeedbackStore, moved: str) -> None:
    say_no(store, TEXT, finding(TEXT, "send(order)"))

    assert covers(store, moved, finding(moved, "send"))


def test_an_altered_line_does_not(store: FeedbackStore) -> None:
    say_no(store, TEXT, finding(TEXT, "send(order)"))
    altered = TEXT.replace("send(order)", "send(order, 1)")

    assert not covers(store, altered, finding(altered, "send(order, 1)"))


def test_the_same_line_elsewhere_is_another_place(store: FeedbackStore) -> None:
    twice = TEXT.replace("stock", "order").replace("return order", "return 1", 1).replace("def two", "x = 1\ndef two")
    second = twice.rindex("send(order)")
    say_no(store, twice, finding(twice, "send(order)"))
    other = replace(finding(twice, "send"), span=Span(second, second + 4))

    assert covers(store, twice, finding(twice, "send(order)"))
    assert not covers(store, twice, other)


def test_another_file_or_another_kind_is_not_dismissed(store: FeedbackStore) -> None:
    say_no(store, TEXT, finding(TEXT, "send(order)"))

    assert not covers(store, TEXT, finding(TEXT, "send(order)", path="b.py"))
    assert not covers(store, TEXT, finding(TEXT, "send(order)", code="other"))


def test_never_counts_everywhere(store: FeedbackStore) -> None:
    say_no(store, TEXT, finding(TEXT, "send(order)"), "never")

    assert covers(store, TEXT, finding(TEXT, "send(stock)", path="b.py"))
    assert not covers(store, TEXT, finding(TEXT, "send(stock)", code="other"))


def test_code_with_a_secret_is_dismissed_and_not_kept(store: FeedbackStore, tmp_path: Path) -> None:
    text = TEXT.replace("send(order)", f"send('{KEY}')")
    say_no(store, text, finding(text, "send('"))

    assert covers(store, text, finding(text, "send('"))
    assert dismissed_code(store) == []
    assert KEY not in (tmp_path / "feedback.jsonl").read_text(encoding="utf-8")


def test_the_code_is_kept_as_a_model_would_be_shown_it(store: FeedbackStore) -> None:
    say_no(store, TEXT, finding(TEXT, "send(stock)"))
    say_no(store, TEXT, finding(TEXT, "send(stock)"))
    (kept,) = dismissed_code(store)

    assert (kept.path, kept.language, kept.commit) == ("a.py", "python", "1" * 40)
    assert kept.hunk == "def two(stock):\n    send(stock)\n    return stock"


def test_entries_that_say_too_little_cost_no_other(store: FeedbackStore) -> None:
    store.add("dismissed", {"path": "a.py", "line": 3})
    store.add("dismissed", {"code": "a", "subject": "b", "path": "a.py", "line": "1", "near": None})
    say_no(store, TEXT, finding(TEXT, "send(order)"))

    assert covers(store, TEXT, finding(TEXT, "send(order)"))
