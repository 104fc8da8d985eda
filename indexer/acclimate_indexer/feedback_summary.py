"""How completions were received, by the adapter that gave them: counted, never a text."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from .completion_feedback import Outcome

CONFIDENCE = 0.95  # of the interval, as everywhere
PERCENTILES = (50, 90, 99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Characters that were still there at some moment, of those that were looked for then."""

    characters: int = 0
    of: int = 0

    @property
    def share(self) -> float | None:
        return self.characters / self.of if self.of else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What became of the completions of one adapter version.

    Attributes:
        adapter: None is the base model.
        model: The base model's name.
        milliseconds: From request to answer, shortest first, of those answers for which the engine was asked.
    """

    adapter: str | None
    model: str
    offered: int
    accepted: int
    partly: int
    rejected: int
    characters_shown: int
    characters_taken: int
    kept_30_seconds: Kept
    kept_5_minutes: Kept
    kept_commit: Kept
    milliseconds: tuple[float, ...]

    @property
    def acceptance(self) -> float:
        return self.accepted / self.offered

    @property
    def acceptance_interval(self) -> tuple[float, float]:
        return wilson_interval(self.accepted, self.offered)

    def percentile(self, percent: int) -> float | None:
        """The time within which so many of the answers came; None if the engine was never asked."""
        count = len(self.milliseconds)
        return self.milliseconds[max(0, math.ceil(count * percent / 100) - 1)] if count else None

    def to_json(self) -> dict[str, Any]:
        return {
            "adapter": self.adapter,
            "model": self.model,
            "n": self.offered,
            "accepted": self.accepted,
            "partly": self.partly,
            "rejected": self.rejected,
            "acceptance": round(self.acceptance, 4),
            "acceptance_interval": [round(end, 4) for end in self.acceptance_interval],
            "characters": {"shown": self.characters_shown, "taken": self.characters_taken},
            "still_there": {
                name: {"characters": kept.characters, "of": kept.of}
                for name, kept in (
                    ("30_seconds", self.kept_30_seconds),
                    ("5_minutes", self.kept_5_minutes),
                    ("commit", self.kept_commit),
                )
            },
            "milliseconds": {"n": len(self.milliseconds)}
            | {f"p{percent}": self.percentile(percent) for percent in PERCENTILES},
        }

    def words(self) -> str:
        low, high = self.acceptance_interval
        said = (
            f"{self.offered:,} offered, {self.accepted:,} accepted ({self.acceptance:.0%}, {low:.0%} to {high:.0%}), "
            f"{self.partly:,} in part, {self.rejected:,} not; "
            f"{self.characters_taken:,} of {self.characters_shown:,} characters taken"
        )
        moments = (
            ("after 30 s", self.kept_30_seconds),
            ("after 5 min", self.kept_5_minutes),
            ("at the next commit", self.kept_commit),
        )
        if kept := [f"{kept.share:.0%} {moment}" for moment, kept in moments if kept.share is not None]:
            said += f"; of accepted ones still there: {', '.join(kept)}"
        if self.milliseconds:
            times = " / ".join(f"{self.percentile(percent):,.0f}" for percent in PERCENTILES)
            said += f"; answered in {times} ms (median, 90%, 99%)"
        return said + "."


def uses(outcomes: Iterable[Outcome]) -> list[Use]:
    """The use of each adapter and of each base model without one, that used last at the end."""
    groups: dict[tuple[str | None, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.adapter, outcome.model if outcome.adapter is None else ""].append(outcome)
    return [use_of(group) for group in sorted(groups.values(), key=lambda group: group[-1].time)]


def use_of(outcomes: Sequence[Outcome]) -> Use:
    """The use of the adapter that all of these outcomes, at least one, are about."""
    fates = [outcome.fate for outcome in outcomes]
    accepted = [outcome for outcome in outcomes if outcome.fate == "accepted"]
    return Use(
        adapter=outcomes[-1].adapter,
        model=outcomes[-1].model,
        offered=len(outcomes),
        accepted=len(accepted),
        partly=fates.count("partly"),
        rejected=fates.count("rejected"),
        characters_shown=sum(outcome.shown for outcome in outcomes),
        characters_taken=sum(outcome.taken for outcome in outcomes),
        kept_30_seconds=_kept((outcome.kept_30_seconds, outcome.taken) for outcome in accepted),
        kept_5_minutes=_kept((outcome.kept_5_minutes, outcome.taken) for outcome in accepted),
        kept_commit=_kept((outcome.kept_commit, outcome.taken) for outcome in accepted),
        milliseconds=tuple(sorted(each.milliseconds for each in outcomes if each.milliseconds is not None)),
    )


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """The interval of a share (Wilson, Probable inference, JASA 22, 1927); it does not leave 0 to 1."""
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    share, spread = successes / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(share * (1 - share) * spread + spread**2 / 4) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def _kept(found: Iterable[tuple[int | None, int]]) -> Kept:
    looked_for = [(kept, taken) for kept, taken in found if kept is not None]
    return Kept(characters=sum(kept for kept, _ in looked_for), of=sum(taken for _, taken in looked_for))
