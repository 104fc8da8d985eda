"""Whether an adapter has fallen behind its repository: in lines, and in the loss on what was written since.

Lines are counted whenever somebody asks. The loss needs the model: a training on new commits measures it beforehand
(`drift_loss`) and writes what `loss_rise` gives under `drift` into the adapter's record.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from acclimate_indexer.churn import Churn, churn_since
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.mining.options import MiningOptions
from acclimate_indexer.repository import Repository

from .evaluation.intervals import Estimate, Observation, estimate
from .registry import Adapter, AdapterRegistry

RECORD = "drift"  # of an adapter's record
MIN_PAIRS = 20  # on either side; a bootstrap of fewer says more about the few than about the adapter
MIN_FILES = 5  # on either side; files are what is drawn, and drawing from one or two gives no width
SUGGESTION = "Bring the adapter up to date: `acclimate retrain`."


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftLimits:
    """From where on retraining is worth its time: so many new lines, or such a share of what was mined."""

    lines: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LossRise:
    """How an adapter does on code that was committed after its data.

    Attributes:
        to: The commit up to which the code was taken.
        before: Nats per token on the pairs that its verdict was given on, as is `since` on the new ones; less what the
            base's are, which is negative where the adapter is worth something.
        rise: The mean difference, with the 95% interval `low` to `high`.
    """

    to: str
    before: float
    before_pairs: int
    since: float
    since_pairs: int
    rise: float
    low: float
    high: float

    @property
    def is_certain(self) -> bool:
        """The loss has risen beyond doubt."""
        return self.low > 0

    def to_json(self) -> dict[str, Any]:
        return {
            "to": self.to,
            "loss_before": self.before,
            "loss_before_n": self.before_pairs,
            "loss_since": self.since,
            "loss_since_n": self.since_pairs,
            "rise": self.rise,
            "rise_interval": [self.low, self.high],
            "is_certain": self.is_certain,
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "LossRise | None":
        """What an adapter's record says; None if nothing that can be read."""
        try:
            found = record[RECORD]
            low, high = found["rise_interval"]
            return cls(
                to=str(found["to"]),
                before=float(found["loss_before"]),
                before_pairs=int(found["loss_before_n"]),
                since=float(found["loss_since"]),
                since_pairs=int(found["loss_since_n"]),
                rise=float(found["rise"]),
                low=float(low),
                high=float(high),
            )
        except (KeyError, TypeError, ValueError):
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far a repository has moved on.

    Attributes:
        commit: Of the data of the adapter in use; None without an adapter, or where its record names none.
        to: What is checked out.
        share: `lines`, of the lines that were mined for the adapter.
        days: Between the two commits.
        loss_rise: None where it was not measured.
        exceeds: Retraining is worth it: a limit is exceeded, and what was last trained is behind, too.
        said: All of it in one or two sentences.
    """

    commit: str | None
    to: str
    lines: int
    share: float
    commits: int
    days: float
    loss_rise: LossRise | None = None
    exceeds: bool
    said: str

    def to_json(self) -> dict[str, Any]:
        found = {name: getattr(self, name) for name in self.__slots__}
        return found | {"loss_rise": None if self.loss_rise is None else self.loss_rise.to_json()}


def loss_rise(*, before: Sequence[Observation], since: Sequence[Observation], to: str) -> LossRise | None:
    """Compares an adapter's losses on the pairs of its verdict with those on pairs of code committed since.

    The pairs are different ones, so the interval of the difference is put together from the two means' own (MOVER:
    Zou and Donner, Statistics in Medicine 27, 2008). New code may be harder for any model: given the paired differences
    to the base instead of the losses, the same function says whether the *advantage* shrinks.

    Args:
        before: A loss a pair, weighted by its tokens, clustered by file, as is `since`.

    Returns:
        None if there are too few pairs or files to tell.
    """
    old, new = _estimate(before), _estimate(since)
    if old is None or new is None:
        return None
    rise = new.mean - old.mean
    return LossRise(
        to=to,
        before=old.mean,
        before_pairs=old.n,
        since=new.mean,
        since_pairs=new.n,
        rise=rise,
        low=rise - math.hypot(new.mean - new.low, old.high - old.mean),
        high=rise + math.hypot(new.high - new.mean, old.mean - old.low),
    )


def _estimate(observations: Sequence[Observation]) -> Estimate | None:
    files = {observation.cluster for observation in observations}
    return estimate(observations) if len(observations) >= MIN_PAIRS and len(files) >= MIN_FILES else None


def measured_drift(
    repository: Repository, home: RepositoryHome, limits: DriftLimits, options: MiningOptions | None = None
) -> Drift:
    """How far the repository is beyond the adapter in use, or the newest one if none is in use.

    A training that brought nothing is not repeated before as much again has changed since. Takes milliseconds where
    both commits are known.

    Raises:
        RepositoryError: git cannot read the repository.
    """
    registry = AdapterRegistry(home)
    versions = registry.versions()
    adapter = registry.live() or (versions[-1] if versions else None)
    if adapter is None:
        return _no_adapter(repository)
    churn = churn_since(repository, home, _data_commit(adapter) or "", options)
    rise = LossRise.from_record(adapter.record)
    exceeds = _is_far(churn, limits) or (rise is not None and rise.is_certain)
    verdict = SUGGESTION if exceeds else f"Below the limit of {limits.lines:,} lines or {limits.share * 100:g}%."
    newest = versions[-1] if versions else adapter
    if exceeds and newest.version != adapter.version:
        exceeds = _is_far(churn_since(repository, home, _data_commit(newest) or "", options), limits)
        verdict = verdict if exceeds else f"{newest.version} was trained on it and is {newest.state}."
    return Drift(
        commit=_data_commit(adapter),
        to=churn.until,
        lines=churn.lines,
        share=churn.share,
        commits=churn.commits,
        days=churn.days,
        loss_rise=rise,
        exceeds=exceeds,
        said=f"{_said(churn, rise, adapter)} {verdict}",
    )


def _no_adapter(repository: Repository) -> Drift:
    return Drift(
        commit=None,
        to=repository.head(),
        lines=0,
        share=0.0,
        commits=0,
        days=0.0,
        exceeds=True,
        said="There is no adapter of this repository yet. Train one: `acclimate retrain`.",
    )


def _is_far(churn: Churn, limits: DriftLimits) -> bool:
    return churn.ancestry == "gone" or churn.lines >= limits.lines or churn.share >= limits.share


def _data_commit(adapter: Adapter) -> str | None:
    try:
        return str(adapter.record["dataset"]["commit"] or "") or None
    except (KeyError, TypeError):  # imported from elsewhere
        return None


def _said(churn: Churn, rise: LossRise | None, adapter: Adapter) -> str:
    new = f"{_counted(churn.lines, 'new line')} ({churn.share:.1%} of what was mined)"
    span = f"in {_counted(churn.commits, 'commit')} over {_counted(round(churn.days), 'day')}"
    words = {
        "ancestor": f"{new} {span} since the data of {adapter.version}.",
        "older": f"What is checked out is older than the data of {adapter.version}.",
        "diverged": f"{new} beside the data of {adapter.version}, which is of another branch or a history that was "
        "rewritten since.",
        "gone": f"The commit that {adapter.version} was made of is not in this repository (any more), so all "
        f"{churn.lines:,} lines count as new.",
    }[churn.ancestry]
    if rise is None:
        return words
    certainty = "beyond doubt" if rise.is_certain else "within chance" if rise.rise > 0 else "no rise"
    interval = f"95% interval {rise.low:+.2f} to {rise.high:+.2f}, n {rise.since_pairs}"
    on_new = (
        f"On code written since, less the base's, its loss is {rise.since:.2f}, before {rise.before:.2f} "
        f"({interval}): {certainty}."
    )
    return f"{words} {on_new}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
