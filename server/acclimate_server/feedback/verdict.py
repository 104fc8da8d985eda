"""Whether an adapter does worse in use than the one before it, beyond chance; then the one before is used again.

It is looked at again and again, and a difference by chance would be found sooner or later. So the looks share the
chance of an error among them: the k-th, after k times 50 offers, has 6 / (pi k)^2 of it, which add up to all of it.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from statistics import NormalDist, median

from acclimate_indexer.completion_feedback import CompletionFeedback, Outcome
from acclimate_indexer.errors import AdapterError
from acclimate_indexer.feedback_summary import Use, use_of
from acclimate_indexer.home import RepositoryHome
from acclimate_training.registry import Adapter, AdapterRegistry

from ..settings import Settings

MIN_OFFERS = 50  # of each; fewer show nothing but a collapse
SIGNIFICANCE = 0.01  # one-sided, over all looks; of acceptance and of latency each
MIN_SLOWER = 1.25  # a quarter: less is not felt


def maybe_roll_back(home: RepositoryHome, settings: Settings) -> str | None:
    """Withdraws the adapter in use if it does worse than the one before, and gives the reason. For a worker thread.

    Raises:
        AdapterError: The registry cannot be used.
        DiskFull: There is no room.
    """
    if not settings.feedback.rollback or settings.adapter != "auto" or not home.completions.exists():
        return None
    registry = AdapterRegistry(home)
    live = registry.live()
    if live is None:
        return None
    change = _taken_into_use(registry, live)
    if change is None:
        return None
    before, since = change
    with closing(CompletionFeedback.open(home.completions)) as store:
        outcomes = list(store.outcomes())
    now = [outcome for outcome in outcomes if outcome.adapter == live.version and outcome.time >= since]
    earlier = [outcome for outcome in outcomes if _is_of(outcome, before, live)]
    reason = verdict_on_use(use_of(now), use_of(earlier)) if now and earlier else None
    if reason is not None:
        registry.rollback(reason, of=live.version)
    return reason


def verdict_on_use(now: Use, before: Use) -> str | None:
    """Why the adapter of `now` is worse in use than what was used before; None if it is not, beyond chance.

    An adapter takes longer than the base model by its nature, so times are compared between adapters only.
    """
    chance = _chance_at(now.offered)
    if min(now.offered, before.offered) >= MIN_OFFERS:
        p = p_of_lower_share(now.accepted, now.offered, before.accepted, before.offered)
        if p < chance:
            return (
                f"Fewer completions were accepted: {now.accepted:,} of {now.offered:,} ({now.acceptance:.0%}), "
                f"and {before.acceptance:.0%} before (p = {p:.2g})."
            )
    times, earlier = now.milliseconds, before.milliseconds
    if before.adapter is not None and min(len(times), len(earlier)) >= MIN_OFFERS:
        p, slower = p_of_larger(times, earlier), median(times) / max(median(earlier), 1e-9)
        if p < chance and slower >= MIN_SLOWER:
            return (
                f"It answered slower: in {median(times):,.0f} ms (median), and in {median(earlier):,.0f} ms before "
                f"(p = {p:.2g})."
            )
    return None


def p_of_lower_share(successes: int, n: int, successes_before: int, n_before: int) -> float:
    """How likely a share is so much lower by chance: the z-test of two proportions with a pooled variance.

    Fleiss, Statistical Methods for Rates and Proportions, section 2.3, without the correction for continuity.
    """
    pooled = (successes + successes_before) / (n + n_before)
    deviation = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / n_before))
    if not deviation:
        return 1.0
    return NormalDist().cdf((successes / n - successes_before / n_before) / deviation)


def p_of_larger(values: Sequence[float], before: Sequence[float]) -> float:
    """How likely values rank so much higher by chance. Both must be sorted.

    The test of Mann and Whitney (Annals of Mathematical Statistics 18, 1947) by its normal approximation, with the
    variance corrected for ties (Lehmann, Nonparametrics, 1975, section 1.2).
    """
    n, m = len(values), len(before)
    wins = sum((bisect_left(before, value) + bisect_right(before, value)) / 2 for value in values)
    every = sorted((*values, *before))
    ties = sum(size**3 - size for size in _runs(every))
    variance = n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1)))
    return NormalDist().cdf((n * m / 2 - wins) / math.sqrt(variance)) if variance > 0 else 1.0


def _taken_into_use(registry: AdapterRegistry, live: Adapter) -> tuple[str | None, datetime] | None:
    """What was in use before the adapter, and since when it is; None where a person chose it, or nothing can return."""
    events = (event for event in reversed(registry.history()) if event.live == live.version)
    change = next((event for event in events if event.from_version != live.version), None)
    if change is None or change.action not in ("promote", "trial"):
        return None
    if change.from_version is not None:
        try:
            before = registry.get(change.from_version)
        except AdapterError:
            return None
        if not before.may_be_used or before.base_identity != live.base_identity:
            return None
    return change.from_version, datetime.fromisoformat(change.at)


def _is_of(outcome: Outcome, version: str | None, live: Adapter) -> bool:
    """Whether an outcome is of this version, or of the very base model that the adapter in use was made for."""
    return outcome.adapter == version and (version is not None or outcome.model == live.base_name)


def _chance_at(offered: int) -> float:
    look = max(1, offered // MIN_OFFERS)
    return SIGNIFICANCE * 6 / (math.pi * look) ** 2


def _runs(ordered: Sequence[float]) -> list[int]:
    """How often each value occurs."""
    sizes, at = [], 0
    while at < len(ordered):
        end = bisect_right(ordered, ordered[at], at)
        sizes.append(end - at)
        at = end
    return sizes
