"""From where a training begins: afresh, or from an adapter that there is, whichever does better on held-out pairs.

Afresh means from the primer (`primer`), which knows how a hole is filled and nothing of a repository; only where there
is none, from weights that know nothing.

Both starts train the first steps of the very plan that is then followed, on the same pairs in the same order, and are
asked the same pairs of the validation part, never of the test. The better one goes on from there, so that only the
other's steps are lost: training both apart from the plan would cost twice as much and say the same. It is tried only
where it costs no more than a rung of the ladder, less than a third of the steps.

Everything here is decided once and stands in the plan of the checkpoints: a resumed training does not choose again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from .recipe import FIRST_RUNG, SHORTEST_RUNGS, rung_below
from .validation import FEWEST_PAIRS

TRIED_SHARE = 4  # a plan has at least so many times the steps that both starts are tried for
ASKED_PAIRS = 48  # of the validation part: half a minute on a processor, and starts differ by tenths of a nat


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """An adapter that a training begins from, or may begin from.

    Attributes:
        weights: Its folder.
        total_steps: That it was trained, those of its own parents included.
        learnt_from: Hashes of the data sets of all these trainings, oldest first.
    """

    version: str
    weights: Path
    total_steps: int
    learnt_from: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What was planned to find the better start, and what was found.

    Attributes:
        steps: That both are trained for.
        pairs: Of the validation part, that both are asked.
        afresh: The loss after these steps, in nats a token; None before it was measured. So is `continued`.
    """

    parent: str
    total_steps: int
    learnt_from: tuple[str, ...]
    steps: int
    pairs: int
    afresh: float | None = None
    continued: float | None = None

    @property
    def is_decided(self) -> bool:
        return self.afresh is not None and self.continued is not None

    @property
    def continues(self) -> bool:
        """The earlier adapter does better; of equals what begins afresh, since it owes nothing to older code."""
        return self.afresh is not None and self.continued is not None and self.continued < self.afresh

    def decided(self, *, afresh: float, continued: float) -> Self:
        return replace(self, afresh=afresh, continued=continued)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """Reads what `asdict` gave.

        Raises:
            KeyError, TypeError, ValueError: It is no such record.
        """
        return cls(
            parent=str(record["parent"]),
            total_steps=int(record["total_steps"]),
            learnt_from=tuple(map(str, record["learnt_from"])),
            steps=int(record["steps"]),
            pairs=int(record["pairs"]),
            afresh=None if record["afresh"] is None else float(record["afresh"]),
            continued=None if record["continued"] is None else float(record["continued"]),
        )


def planned_start(
    origin: Origin,
    *,
    steps: int,
    minutes: float,
    rung_for: Callable[[float], int],
    seconds_per_step: float,
    seconds_per_pair: float,
    available: int,
    may_cost_a_rung: bool = True,
) -> tuple[Start | None, int]:
    """How the starts are to be tried, and the steps that are then left; None if too few pairs could tell.

    Args:
        steps: Of the plan without it.
        minutes: For the training.
        rung_for: The steps that fit into so many minutes.
        available: Pairs of the validation part.
        may_cost_a_rung: Else they are tried only where that leaves as many steps.
    """
    pairs = min(available, ASKED_PAIRS)
    if pairs < FEWEST_PAIRS:
        return None, steps
    found = []
    for tried in sorted((*SHORTEST_RUNGS, FIRST_RUNG), reverse=True):
        lost = (tried * seconds_per_step + 2 * pairs * seconds_per_pair) / 60
        left = rung_for(minutes - lost)
        if TRIED_SHARE * tried <= left and left >= (rung_below(steps) if may_cost_a_rung else steps):
            found.append((left, tried))
    if not found:
        return None, steps
    left, tried = max(found)
    start = Start(
        parent=origin.version,
        total_steps=origin.total_steps,
        learnt_from=origin.learnt_from,
        steps=tried,
        pairs=pairs,
    )
    return start, left


def start_record(start: Start | None, *, steps: int, dataset: str, begun_at: Origin | None = None) -> dict[str, Any]:
    """The part of an adapter's record that says how its training began.

    `total_steps` counts the steps of its parents or of its primer, too: the control that it is compared with has as
    many.

    Args:
        begun_at: What to begin afresh means, if not from nothing.
    """
    found: dict[str, Any] = {"parent": None, "primer": None, "start": None}
    before, learnt = 0, tuple[str, ...]()
    if begun_at is not None:
        found["primer"] = begun_at.version
        before, learnt = begun_at.total_steps, begun_at.learnt_from
    if start is not None and start.is_decided:
        found["start"] = {"afresh": start.afresh, "continued": start.continued, "pairs": start.pairs}
    if start is not None and start.continues:
        found["parent"] = start.parent
        before, learnt = start.total_steps, start.learnt_from
    return found | {"total_steps": steps + before, "learnt_from": list(dict.fromkeys((*learnt, dataset)))}
