"""What people send back: kept, never changed, never with a secret in it."""

import json
import stat
from pathlib import Path

import pytest

from acclimate_indexer.errors import UsageError
from acclimate_indexer.feedback import FeedbackStore, ImportedReview, import_reviews

SHA = "0123456789" * 4
KEY = "AKIA" + "QYLPMN5HHHFPZAM2"
COMMENT = {"path": "a.py", "line": 3, "commit": SHA, "body": "This divides by zero."}


@pytest.fixture
def store(tmp_path: Path) -> FeedbackStore:
    return FeedbackStore(tmp_path / "feedback" / "feedback.jsonl")


def _file(tmp_path: Path, *lines: object) -> Path:
    file = tmp_path / "comments.jsonl"
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    file.write_text("\n".join(texts), encoding="utf-8")
    return file


def test_entries_are_appended_for_their_owner_alone(store: FeedbackStore, tmp_path: Path) -> None:
    assert store.add("dismissed", {"path": "a.py", "text": "x = 1\n\u2028"})
    assert store.add("review", {"path": "a.py", "line": 4})
    assert store.add("dismissed", {"path": "b.py", "text": "\ud800"})

    assert [entry["path"] for entry in store.entries("dismissed")] == ["a.py", "b.py"]
    assert [entry["line"] for entry in store.entries("review")] == [4]
    assert stat.S_IMODE((tmp_path / "feedback" / "feedback.jsonl").stat().st_mode) == 0o600


def test_an_entry_with_a_secret_anywhere_is_not_kept(store: FeedbackStore, tmp_path: Path) -> None:
    store.add("dismissed", {"text": "fine"})

    assert not store.add("dismissed", {"text": f'key = "{KEY}"'})
    assert not store.add("review", {"shown": [{"deep": [f"use {KEY} here"]}]})
    assert KEY not in (tmp_path / "feedback" / "feedback.jsonl").read_text(encoding="utf-8")
    assert len(list(store.entries("dismissed"))) == 1


def test_a_line_that_was_cut_off_costs_no_other(store: FeedbackStore, tmp_path: Path) -> None:
    store.add("dismissed", {"text": "first"})
    with (tmp_path / "feedback" / "feedback.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"kind": "dismissed", "te')
    store.add("dismissed", {"text": "second"})

    assert [entry["text"] for entry in store.entries("dismissed")] == ["first", "second"]


def test_the_digest_names_the_entries_not_their_order(tmp_path: Path) -> None:
    stores = [FeedbackStore(tmp_path / name) for name in ("one", "two", "three")]
    for store, texts in zip(stores, (("a", "b"), ("b", "a", "b"), ("a",)), strict=True):
        for text in texts:
            store.add("dismissed", {"text": text})

    assert stores[0].digest() == stores[1].digest() != stores[2].digest()
    assert FeedbackStore(tmp_path / "none").digest()


def test_review_comments_are_taken_in_once(store: FeedbackStore, tmp_path: Path) -> None:
    file = _file(tmp_path, COMMENT, COMMENT, {**COMMENT, "line": 4})
    first = import_reviews(file, store)
    again = import_reviews(file, store)

    assert (first.imported, first.known) == (2, 1)
    assert (again.imported, again.known) == (0, 3)
    assert store.imported_reviews()[0] == ImportedReview(
        path="a.py", line=3, commit=SHA, message="This divides by zero."
    )


def test_comments_as_github_exports_them_are_understood(store: FeedbackStore, tmp_path: Path) -> None:
    github = {
        "path": "a.py",
        "line": None,
        "original_line": 7,
        "commit_id": "f" * 40,
        "original_commit_id": SHA,
        "body": "Why?\r\n",
        "diff_hunk": "@@ -1 +1 @@",
        "user": {"login": "jo"},
    }
    import_reviews(_file(tmp_path, github), store)

    assert store.imported_reviews() == [ImportedReview(path="a.py", line=7, commit=SHA, message="Why?")]


def test_lines_that_cannot_be_used_are_named_by_number(store: FeedbackStore, tmp_path: Path) -> None:
    bad = ["{", "[]", {**COMMENT, "path": ""}, {**COMMENT, "line": -1}, {**COMMENT, "line": True}, "[" * 100_000]
    file = _file(tmp_path, COMMENT, "", *bad, {**COMMENT, "commit": "main"}, {**COMMENT, "body": f"Is {KEY} yours?"})
    summary = import_reviews(file, store)

    assert (summary.imported, summary.with_secrets) == (1, 1)
    assert [problem.partition(":")[0] for problem in summary.problems] == [f"line {number}" for number in range(3, 10)]
    assert "1 review comments taken in" in summary.words()
    assert KEY not in summary.words()


def test_a_file_that_cannot_be_read_is_a_usage_error(store: FeedbackStore, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        import_reviews(tmp_path / "none.jsonl", store)
