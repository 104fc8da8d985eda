"""What became of offers, as it is noted."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from acclimate_indexer.completion_feedback import CompletionFeedback, Outcome
from acclimate_indexer.home import RepositoryHome

OUTCOME = Outcome(
    id="1",
    time=datetime(2026, 5, 1, 12, 0, tzinfo=UTC),
    path="till.py",
    language="python",
    adapter="shop-1",
    model="tiny",
    milliseconds=120.0,
    is_automatic=True,
    confidence=0.8,
    fate="rejected",
    shown=10,
    taken=0,
)


def offers(count: int, *, accepted: int, adapter: str | None, milliseconds: float = 120.0) -> list[Outcome]:
    """So many offers of a version, the accepted ones first, at a time of day from now on; each a little slower."""
    now = datetime.now(UTC)
    return [
        replace(
            OUTCOME,
            id=f"{adapter}-{now.timestamp()}-{number}",
            time=now + timedelta(milliseconds=number),
            adapter=adapter,
            fate="accepted" if number < accepted else "rejected",
            taken=10 if number < accepted else 0,
            milliseconds=milliseconds + number / 100,
        )
        for number in range(count)
    ]


def note(home: RepositoryHome, outcomes: Sequence[Outcome]) -> None:
    """Notes them all."""
    with closing(CompletionFeedback.open(home.completions)) as store:
        for outcome in outcomes:
            store.add(outcome)
