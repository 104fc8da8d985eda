"""Whether an adapter may be used, and why.

`promoted`: it is proven better than all that needs no training here. `trial`: it has learnt something and does no harm.
`rejected`: neither, with the reason in a sentence.

Every comparison is of the same pairs, with a 95% interval from a bootstrap over files. What was not measured is not
passed: an evaluation that goes on later judges again.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .evaluation.contenders import ADAPTER, BASE, CONTROL
from .promotion import Check, Evidence, Figures, Thresholds, candidate_of, promotion_checks, secrets_check

VerdictState = Literal["promoted", "trial", "rejected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the gate says.

    Attributes:
        candidate: How the adapter is to be asked: `adapter` or `adapter+retrieval`.
        checks: All conditions of a promotion, those that hold too.
    """

    state: VerdictState
    reason: str
    candidate: str | None = None
    checks: tuple[Check, ...] = ()

    @property
    def may_be_used(self) -> bool:
        return self.state != "rejected"

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"checks": [asdict(check) for check in self.checks]}


def verdict(evidence: Evidence, thresholds: Thresholds | None = None, *, force: bool = False) -> Verdict:
    """Judges what was measured."""
    limits = thresholds or Thresholds()
    candidate = candidate_of(evidence, limits)
    checks = tuple(promotion_checks(evidence, candidate, limits))
    if all(check.passed for check in checks):
        return Verdict(state="promoted", reason=checks[0].said, candidate=candidate, checks=checks)
    better, finding = _trial(evidence, limits)
    open_words = _open_words(checks)
    if better:
        return Verdict(state="trial", reason=f"{finding} {open_words}", candidate=candidate, checks=checks)
    if force:
        return Verdict(
            state="trial",
            reason=f"Taken into use because it was forced. {finding}",
            candidate=candidate,
            checks=checks,
        )
    return Verdict(state="rejected", reason=finding, candidate=candidate, checks=checks)


def _trial(evidence: Evidence, limits: Thresholds) -> tuple[bool, str]:
    """Lower loss than base and control beyond doubt, and no fewer hits than either."""
    if evidence.secrets_told:
        return False, secrets_check(evidence).said
    findings = []
    for opponent in (BASE.name, CONTROL.name):
        lower, finding = _lower_loss(evidence.difference(ADAPTER.name, opponent), opponent, limits)
        if not lower:
            return False, finding
        findings.append(finding)
    for opponent in (BASE.name, CONTROL.name):
        found = evidence.difference(ADAPTER.name, opponent)
        interval = found.get("exact_match_interval")
        if interval is not None and int(found["n"]) >= limits.min_pairs and interval[1] < 0:
            return False, (
                f"Exact match is significantly below the {opponent}'s: {100 * found['exact_match']:+.1f} points "
                f"(95% interval {100 * interval[0]:+.1f} to {100 * interval[1]:+.1f}, n {found['n']})."
            )
    return True, " ".join(findings)


def _lower_loss(found: Figures, opponent: str, limits: Thresholds) -> tuple[bool, str]:
    if "loss_interval" not in found:
        return False, f"Held-out loss was not compared with the {opponent}'s yet."
    (low, high), pairs = found["loss_interval"], int(found.get("loss_n", 0))
    said = (
        f"Held-out loss differs from the {opponent}'s by {found['loss']:+.3f} nats a token "
        f"(95% interval {low:+.3f} to {high:+.3f}, n {pairs})"
    )
    if pairs < limits.min_pairs:
        return False, f"{said}: fewer than {limits.min_pairs} pairs prove nothing. Give the evaluation more minutes."
    if high < 0:
        return True, f"{said}: lower."
    return False, f"{said}: not lower beyond doubt."


def _open_words(checks: Sequence[Check]) -> str:
    """What stands between a trial and a promotion."""
    failed = [check.said for check in checks if check.passed is False]
    if failed:
        return f"Not promoted: {failed[0]}"
    missing = ", ".join(check.name for check in checks if check.passed is None)
    return f"Not promoted yet: {missing} not measured. Go on with `acclimate evaluate --continue`."
