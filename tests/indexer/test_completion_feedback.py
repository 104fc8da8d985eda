"""What became of completions: kept on this machine, never with a secret, counted by adapter."""

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.outcomes import OUTCOME, offers

from acclimate_indexer import completion_feedback
from acclimate_indexer.completion_feedback import MAX_TEXT_CHARACTERS, CompletionFeedback, digest_of
from acclimate_indexer.feedback_summary import use_of, uses, wilson_interval
from acclimate_indexer.survival import characters_committed, characters_kept

KEY = "AKIA" + "QYLPMN5HHHFPZAM2"
TAKEN = replace(
    OUTCOME, fate="accepted", shown=8, taken=8, before="    return ", text="total(x)", head="one", confidence=None
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shop" / "completions.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[CompletionFeedback]:
    with closing(CompletionFeedback.open(path)) as opened:
        yield opened


# The store.


def test_an_outcome_is_read_as_it_was_noted(store: CompletionFeedback, path: Path) -> None:
    assert store.add(TAKEN) == 1
    assert store.add(replace(OUTCOME, id="2", adapter=None, milliseconds=None)) == 2

    assert list(store.outcomes()) == [TAKEN, replace(OUTCOME, id="2", adapter=None, milliseconds=None)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_offer_is_noted_once(store: CompletionFeedback) -> None:
    store.add(TAKEN)

    assert store.add(replace(TAKEN, fate="rejected")) is None
    assert [outcome.fate for outcome in store.outcomes()] == ["accepted"]


def test_survival_joins_the_offer_it_is_about(store: CompletionFeedback) -> None:
    store.add(TAKEN)
    store.note_kept("1", "30_seconds", 8)
    store.note_kept("1", "5_minutes", 3)
    store.note_kept("1", "commit", 0)
    store.note_kept("unknown", "commit", 8)
    (found,) = store.outcomes()

    assert (found.kept_30_seconds, found.kept_5_minutes, found.kept_commit) == (8, 3, 0)


def test_only_texts_that_were_taken_whole_are_kept(store: CompletionFeedback) -> None:
    store.add(replace(TAKEN, id="1", fate="partly", taken=3))
    store.add(replace(TAKEN, id="2", fate="rejected"))
    store.add(replace(TAKEN, id="3", text="x" * (MAX_TEXT_CHARACTERS + 1)))

    assert {(outcome.before, outcome.text) for outcome in store.outcomes()} == {(None, None)}


def test_a_secret_is_never_kept(store: CompletionFeedback, path: Path) -> None:
    store.add(replace(TAKEN, id="1", text=f"'{KEY}'"))
    store.add(replace(TAKEN, id="2", before=f"send('{KEY}', "))
    store.close()

    files = list(path.parent.iterdir())
    assert files
    assert not any(KEY.encode() in file.read_bytes() for file in files)


def test_half_a_character_does_no_harm(store: CompletionFeedback) -> None:
    store.add(replace(TAKEN, text="'\ud83d'"))

    assert [outcome.text for outcome in store.outcomes()] == ["'?'"]


def test_the_oldest_are_dropped(store: CompletionFeedback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion_feedback, "MAX_OFFERS", 3)
    for number in range(5):
        store.add(replace(OUTCOME, id=str(number)))

    assert [outcome.id for outcome in store.outcomes()] == ["2", "3", "4"]


def test_what_is_purged_is_gone_from_the_disk_also_while_another_has_it_open(
    store: CompletionFeedback, path: Path
) -> None:
    store.add(replace(TAKEN, text="unmistakable_text()"))
    with closing(CompletionFeedback.open(path)) as other:
        assert other.purge() == 1
    store.add(replace(OUTCOME, id="2"))

    assert [outcome.id for outcome in store.outcomes()] == ["2"]
    assert not any(b"unmistakable_text" in file.read_bytes() for file in path.parent.iterdir())


def test_a_store_that_cannot_be_read_is_made_anew(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 100)
    with closing(CompletionFeedback.open(path)) as store:
        store.add(TAKEN)

        assert len(list(store.outcomes())) == 1


def test_texts_wait_for_the_commit_after_the_one_they_were_taken_on(store: CompletionFeedback) -> None:
    store.add(TAKEN)
    store.add(replace(OUTCOME, id="2", head="one"))
    assert store.awaiting_commit("one") == []
    assert [taken.text for taken in store.awaiting_commit("two")] == ["total(x)"]
    store.note_kept("1", "commit", 8)

    assert store.awaiting_commit("two") == []


def test_what_was_committed_unchanged_is_what_may_be_learnt(store: CompletionFeedback) -> None:
    store.add(TAKEN)
    store.add(replace(TAKEN, id="2", path="b.py"))
    store.add(replace(TAKEN, id="3", path="c.py"))
    store.note_kept("1", "commit", 8)
    store.note_kept("2", "commit", 7)

    assert [taken.path for taken in store.kept_texts()] == ["till.py"]


def test_the_digest_names_texts_and_places_not_offers(store: CompletionFeedback) -> None:
    store.add(TAKEN)
    store.add(replace(TAKEN, id="2"))
    store.add(replace(TAKEN, id="3", path="b.py"))
    first, again, other = reversed(store.awaiting_commit("two"))

    assert digest_of([first]) == digest_of([first, again]) == digest_of([again])
    assert digest_of([first, other]) == digest_of([other, first]) != digest_of([first])


def test_a_file_of_a_newer_kind_is_no_reason_to_lose_it(store: CompletionFeedback, path: Path) -> None:
    with closing(sqlite3.connect(path)) as newer, newer:
        newer.execute("ALTER TABLE offers ADD COLUMN mood TEXT")
    store.add(TAKEN)

    assert list(store.outcomes()) == [TAKEN]


# What it says.


def test_each_version_is_counted_for_itself() -> None:
    outcomes = [
        *offers(10, accepted=4, adapter="shop-1", milliseconds=100),
        *offers(5, accepted=0, adapter=None),
        replace(OUTCOME, id="p", adapter="shop-2", fate="partly", taken=3, milliseconds=None),
        replace(OUTCOME, id="b", adapter=None, model="other", time=OUTCOME.time - timedelta(days=1)),
    ]
    found = {(use.adapter, use.model): use for use in uses(outcomes)}
    first, partly = found["shop-1", "tiny"], found["shop-2", "tiny"]

    assert set(found) == {("shop-1", "tiny"), ("shop-2", "tiny"), (None, "tiny"), (None, "other")}
    assert (first.offered, first.accepted, first.partly, first.rejected) == (10, 4, 0, 6)
    assert (first.characters_shown, first.characters_taken) == (100, 40)
    assert (partly.partly, partly.characters_taken, partly.percentile(50)) == (1, 3, None)


def test_survival_is_a_share_of_what_was_looked_for() -> None:
    taken = replace(OUTCOME, fate="accepted", taken=10)
    use = use_of([replace(taken, kept_30_seconds=10), replace(taken, kept_30_seconds=5), taken])

    assert (use.kept_30_seconds.share, use.kept_30_seconds.of) == (0.75, 20)
    assert use.kept_commit.share is None
    assert "75% after 30 s" in use.words()
    assert "commit" not in use.words()


def test_percentiles_are_times_that_occurred() -> None:
    use = use_of([replace(OUTCOME, milliseconds=float(number)) for number in range(100, 0, -1)])

    assert [use.percentile(percent) for percent in (50, 90, 99)] == [50.0, 90.0, 99.0]
    assert "50 / 90 / 99 ms" in use.words()


@pytest.mark.parametrize(
    ("successes", "n", "interval"),
    [(81, 263, (0.2553, 0.3662)), (15, 148, (0.0624, 0.1605)), (0, 20, (0.0, 0.1611)), (1, 29, (0.0061, 0.1718))],
)
def test_wilsons_interval_is_the_known_one(successes: int, n: int, interval: tuple[float, float]) -> None:
    low, high = wilson_interval(successes, n)  # Newcombe, Statistics in Medicine 17 (1998), table I, method 3

    assert (round(low, 4), round(high, 4)) == interval


# What is still there.


@pytest.mark.parametrize(
    ("now", "kept"),
    [
        ("x = total(items, rate)\n", len("total(items, rate)")),
        ("x = total(items, other_rate)\n", len("total(items, ")),
        ("x = 1\n", 0),
        ("", 0),
        ("f(a, b)\n", 0),
    ],
)
def test_what_still_stands_is_counted_by_runs_of_words(now: str, kept: int) -> None:
    assert characters_kept("total(items, rate)", now, 4, 22) == kept


@pytest.mark.parametrize(
    ("committed", "kept"),
    [
        ("def f():\n    x = total(items)\n    return x\n", len("total(items)\n    return x")),
        ("def f():\r\n    x = total(items)\r\n    return x\r\n", len("total(items)\n    return x")),
        ("if a:\n    if b:\n        x = total(items)\n        return x\n", len("total(items)" + "    return x")),
        ("def f():\n    x = total(all_items)\n    return x\n", len("    return x")),
        ("def f():\n    y = max_x = total(items)\n    return y\n", 0),
        ("", 0),
    ],
)
def test_what_was_committed_is_counted_by_lines(committed: str, kept: int) -> None:
    assert characters_committed("    x = ", "total(items)\n    return x", committed) == kept
