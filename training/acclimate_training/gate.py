"""Whether an adapter may be used. A trial asks for one thing: lower held-out loss than the base, beyond doubt.

The full gate (exact match against every opponent, a control adapter among them) is above this and gives `promoted`.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

MIN_PAIRS = 20  # a bootstrap of fewer says more about the few than about the adapter

VerdictState = Literal["promoted", "trial", "rejected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    state: VerdictState
    reason: str

    @property
    def may_be_used(self) -> bool:
        return self.state != "rejected"

    def to_json(self) -> dict[str, str]:
        return asdict(self)


NOT_MEASURED = Verdict(state="rejected", reason="Nothing was measured on held-out code yet.")


def verdict(differences: dict[str, Any], *, force: bool = False) -> Verdict:
    """Judges the paired differences, adapter less base."""
    better, finding = _finding(differences)
    if better:
        return Verdict(state="trial", reason=finding)
    if force:
        return Verdict(state="trial", reason=f"Taken into use because it was forced. {finding}")
    return Verdict(state="rejected", reason=finding)


def _finding(differences: dict[str, Any]) -> tuple[bool, str]:
    difference, interval = differences.get("loss"), differences.get("loss_interval")
    if difference is None or interval is None:
        return False, NOT_MEASURED.reason
    low, high = interval
    pairs = int(differences.get("loss_n", 0))
    measured = (
        f"Held-out loss differs from the base's by {difference:+.3f} nats a token "
        f"(95% interval {low:+.3f} to {high:+.3f}, n {pairs})"
    )
    if pairs < MIN_PAIRS:
        return False, f"{measured}: fewer than {MIN_PAIRS} pairs prove nothing. Give the evaluation more minutes."
    if high < 0:
        return True, f"{measured}: lower."
    return False, f"{measured}: not lower beyond doubt."
