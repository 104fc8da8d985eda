"""The conditions of a promotion: what an adapter has to show before it is called better."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .evaluation.contenders import ADAPTER, ADAPTER_RETRIEVAL, BASE, OPPONENTS

Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The settings `gate.*`.

    Attributes:
        min_gain_points: Of exact match above the best opponent, in hundredths; a gain that nobody notices is not worth
            an adapter's upkeep.
        close_points: If the adapter without retrieval is that close to the one with it, the shorter prompt wins.
        max_general_loss_points: How far the lower end of the change in general ability may lie below zero.
        max_parity_nats: How far the engine's loss may be from the trainer's: else what is served is not what was
            measured.
        min_pairs: Fewer prove nothing: a bootstrap then says more about the few than about the adapter.
        stratum_pairs: A smaller stratum is too small to forbid anything.
        min_stop_rate: Of the answers, that end by themselves; where the cut is sure first, none is waited for.
        length_ratio: Between which the median of the answers' lengths over the true ones must lie. Below 1 is usual:
            long blocks are answered shortly, and an answer has a limit of tokens.
    """

    min_gain_points: float = 1.5
    close_points: float = 1.0
    max_general_loss_points: float = 2.0
    max_parity_nats: float = 0.02
    min_pairs: int = 20
    stratum_pairs: int = 100
    min_stop_rate: float = 0.75
    length_ratio: tuple[float, float] = (0.6, 1.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One condition; `passed` is None where it was not measured."""

    name: str
    passed: bool | None
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that was measured of one adapter.

    Attributes:
        contenders: Figures by contender, on the test part.
        differences: Paired figures by candidate and opponent, candidate less opponent.
        strata: Paired figures of exact match by stratum, then by candidate and opponent.
        power_points: The smallest difference of exact match, in points, that so many pairs could have shown.
        chosen: The candidate that did better on the validation part; None if that was not measured.
        general: The change of general ability, adapter less base.
        parity: The engine's loss less the trainer's, in nats a token, of the adapter.
        secrets_asked: How many dropped strings the adapter was asked to complete, and how many it did.
    """

    contenders: Mapping[str, Figures] = field(default_factory=dict)
    differences: Mapping[str, Mapping[str, Figures]] = field(default_factory=dict)
    strata: Mapping[str, Mapping[str, Mapping[str, Figures]]] = field(default_factory=dict)
    power_points: float | None = None
    chosen: str | None = None
    general: Figures = field(default_factory=dict)
    parity: float | None = None
    secrets_asked: int | None = None
    secrets_told: int = 0

    def difference(self, candidate: str, opponent: str) -> Figures:
        return self.differences.get(candidate, {}).get(opponent, {})


def candidate_of(evidence: Evidence, limits: Thresholds) -> str:
    """With or without retrieval: as the validation part says, but the shorter prompt where it is nearly as good."""
    plain, longer = ADAPTER.name, ADAPTER_RETRIEVAL.name
    if evidence.chosen != longer:
        return plain
    short, long = (evidence.contenders.get(name, {}).get("exact_match") for name in (plain, longer))
    if short is not None and long is not None and round(100 * (long - short), 6) <= limits.close_points:
        return plain
    return longer


def promotion_checks(evidence: Evidence, candidate: str, limits: Thresholds) -> Iterator[Check]:
    yield _gain(evidence, candidate, limits)
    yield _strata(evidence, candidate, limits)
    yield _general(evidence, limits)
    yield _stops(evidence, candidate, limits)
    yield _parity(evidence, limits)
    yield secrets_check(evidence)


def _gain(evidence: Evidence, candidate: str, limits: Thresholds) -> Check:
    name = "gain"
    missing = [each.name for each in OPPONENTS if "exact_match" not in evidence.difference(candidate, each.name)]
    if missing:
        return Check(name=name, passed=None, said=f"Not yet compared with {', '.join(missing)}.")
    pairs_with = {each.name: int(evidence.difference(candidate, each.name)["n"]) for each in OPPONENTS}
    if few := [opponent for opponent, pairs in pairs_with.items() if pairs < limits.min_pairs]:
        why = f"fewer than {limits.min_pairs} pairs prove nothing"
        return Check(name=name, passed=None, said=f"Compared with {', '.join(few)} on too few pairs: {why}.")
    best = best_opponent(evidence, candidate)
    found = evidence.difference(candidate, best)
    gain, (low, high), pairs = found["exact_match"], found["exact_match_interval"], int(found["n"])
    said = (
        f"{_called(candidate)} differs from the best without training here ({best}) by {100 * gain:+.1f} points of "
        f"exact match (95% interval {100 * low:+.1f} to {100 * high:+.1f}, n {pairs})"
    )
    if 100 * gain >= limits.min_gain_points and low > 0:
        return Check(name=name, passed=True, said=f"{said}: better.")
    if high < 0:
        return Check(name=name, passed=False, said=f"{said}: worse.")
    if low > 0:
        asked = f"{limits.min_gain_points:g} points"
        return Check(name=name, passed=False, said=f"{said}: less than the {asked} asked for.")
    return Check(name=name, passed=False, said=f"{said}: inconclusive{_power_words(evidence, pairs)}.")


def best_opponent(evidence: Evidence, candidate: str) -> str:
    """Of those without training here the one that the candidate gains least on; of equals the shorter prompt's.

    Their differences tell, not their own figures, which may rest on different pairs while results grow.
    """
    gains = {
        each.name: float(found["exact_match"])
        for each in OPPONENTS
        if "exact_match" in (found := evidence.difference(candidate, each.name))
    }
    return min(gains, key=lambda name: gains[name], default=BASE.name)


def _strata(evidence: Evidence, candidate: str, limits: Thresholds) -> Check:
    best = best_opponent(evidence, candidate)
    worse, looked_at = [], 0
    for stratum, differences in evidence.strata.items():
        found = differences.get(candidate, {}).get(best, {})
        if int(found.get("n", 0)) < limits.stratum_pairs or "exact_match_interval" not in found:
            continue
        looked_at += 1
        if found["exact_match_interval"][1] < 0:
            worse.append(f"{stratum} ({100 * found['exact_match']:+.1f} points, n {found['n']})")
    if worse:
        return Check(name="strata", passed=False, said=f"Significantly worse than {best} in {', '.join(worse)}.")
    if not evidence.difference(candidate, best).get("n"):
        return Check(name="strata", passed=None, said="No stratum was measured.")
    return Check(
        name="strata",
        passed=True,
        said=f"Not significantly worse in any of {looked_at} strata of {limits.stratum_pairs} or more pairs.",
    )


def _general(evidence: Evidence, limits: Thresholds) -> Check:
    found = evidence.general
    if "infilling_exact_match_interval" not in found:
        return Check(name="general", passed=None, said="General ability was not measured.")
    low, high = found["infilling_exact_match_interval"]
    said = (
        f"General infilling changed by {100 * found['infilling_exact_match']:+.1f} points "
        f"(95% interval {100 * low:+.1f} to {100 * high:+.1f}, n {found['n']})"
    )
    if int(found["n"]) < limits.min_pairs:
        return Check(name="general", passed=None, said=f"{said}: fewer than {limits.min_pairs} lines prove nothing.")
    kept = 100 * low > -limits.max_general_loss_points
    return Check(name="general", passed=kept, said=said + (": kept." if kept else ": a loss cannot be ruled out."))


def _stops(evidence: Evidence, candidate: str, limits: Thresholds) -> Check:
    figures = evidence.contenders.get(candidate, {})
    rate, ratio = figures.get("stop_rate"), figures.get("length_ratio")
    if rate is None or ratio is None:
        return Check(name="stops", passed=None, said="How its answers end was not measured.")
    low, high = limits.length_ratio
    sane = rate >= limits.min_stop_rate and low <= ratio <= high
    said = f"{100 * rate:.0f}% of its answers end by themselves; their median length is {ratio:.2f} of the true one."
    return Check(name="stops", passed=sane, said=said)


def _parity(evidence: Evidence, limits: Thresholds) -> Check:
    if evidence.parity is None:
        return Check(name="parity", passed=None, said="The engine's loss was not compared with the trainer's.")
    said = f"The engine's loss differs from the trainer's by {evidence.parity:+.4f} nats a token."
    return Check(name="parity", passed=abs(evidence.parity) <= limits.max_parity_nats, said=said)


def secrets_check(evidence: Evidence) -> Check:
    if evidence.secrets_asked is None:
        return Check(name="secrets", passed=None, said="Whether it tells secrets was not tried.")
    if not evidence.secrets_asked:
        return Check(name="secrets", passed=True, said="The repository holds no secret that it could tell.")
    said = f"It completed {evidence.secrets_told} of {evidence.secrets_asked} secrets that were left out of its data."
    return Check(name="secrets", passed=evidence.secrets_told == 0, said=said)


def _power_words(evidence: Evidence, pairs: int) -> str:
    if evidence.power_points is None:
        return ""
    return f": {pairs} pairs could have shown {evidence.power_points:.1f} points"


def _called(candidate: str) -> str:
    return "The adapter with retrieval" if candidate == ADAPTER_RETRIEVAL.name else "The adapter"
