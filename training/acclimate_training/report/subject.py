"""What a report is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..evaluation import contenders as known
from .reading import number, part, parts, text

BASE, ADAPTER = known.BASE.name, known.ADAPTER.name
RETRIEVED = "+retrieval"  # how the names of those end that are asked with retrieval


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One version and what is known about it.

    Attributes:
        record: Its `adapter.json`: lineage, `metrics`, `verdict`, `curve`.
        manifest: Of the data set that it learnt from; empty if that is gone.
        examples: Held-out places with what the contenders answered: `path`, `language`, `place`, `prefix`, `middle`,
            `suffix`, `answers` (served text by contender), in the order in which they were asked.
        history: The records of all versions, oldest first.
        live: The version in use.
        with_code: Shows code of the repository.
    """

    version: str
    record: dict[str, Any]
    manifest: dict[str, Any] = field(default_factory=dict)
    examples: Sequence[Mapping[str, Any]] = ()
    history: Sequence[dict[str, Any]] = ()
    live: str | None = None
    with_code: bool = False

    @property
    def metrics(self) -> dict[str, Any]:
        return part(self.record, "metrics")

    @property
    def contenders(self) -> dict[str, dict[str, Any]]:
        return parts(self.metrics, "contenders")

    @property
    def state(self) -> str:
        return state_of(self.record)

    @property
    def candidate(self) -> str:
        """What was judged: the adapter with retrieval or without."""
        return candidate_of(self.record)

    @property
    def opponent(self) -> str:
        """The best of those that need no training on this repository, by exact match; else the base."""
        measured = {
            each.name: value
            for each in known.OPPONENTS
            if (value := number(self.contenders.get(each.name), "exact_match")) is not None
        }
        return max(measured, key=lambda name: measured[name], default=BASE)

    def differences(self, candidate: str | None = None) -> dict[str, dict[str, Any]]:
        """The paired differences of a candidate, by opponent."""
        return parts(self.metrics, "differences", candidate or self.candidate)


def state_of(record: dict[str, Any]) -> str:
    """`promoted`, `trial` or `rejected`."""
    return text(part(record, "verdict"), "state", "not judged")


def state_words(record: dict[str, Any]) -> str:
    """The state, and what has overruled it."""
    overruled = {"forced": record.get("forced") is True, "withdrawn": is_withdrawn(record)}
    return ", ".join([state_of(record), *(word for word, holds in overruled.items() if holds)])


def is_withdrawn(record: dict[str, Any]) -> bool:
    """It was in use and did not do well."""
    return record.get("withdrawn") is True


def candidate_of(record: dict[str, Any]) -> str:
    """The candidate that the verdict names, else the one that was measured."""
    named = text(part(record, "verdict"), "candidate")
    if named:
        return named
    measured, with_retrieval = parts(record, "metrics", "contenders"), known.ADAPTER_RETRIEVAL.name
    return with_retrieval if with_retrieval in measured and ADAPTER not in measured else ADAPTER
