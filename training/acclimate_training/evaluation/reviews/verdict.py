"""Whether an adapter's reviews may be shown: better than all that costs nothing, mostly right, and seldom a nuisance.

For most adapters the answer is no. A small model that is often wrong about code is worse than one that is silent.
"""

from collections.abc import Iterator
from typing import Any

from ...reviewing.verdict import NOT_MEASURED
from .calibration import FALSE_ALARMS
from .contenders import ADAPTER, BASE, EVERYWHERE
from .table import Figures

MIN_CORRECTED = 20  # hunks that deserve a comment: of fewer a share of right ones says nothing
MIN_CLEAN = 60  # three for each, as in the data
MIN_PRECISION = 0.5  # more often right than wrong
NO_PAIRS = "The repository's history gave no held-out corrections to measure its reviews on."
_WORDS = {
    BASE: "the base model's with rules and examples in its prompt",
    EVERYWHERE: "a comment on every piece of code",
}


def review_verdict(table: Figures, threshold: float | None) -> dict[str, Any]:
    """`state` is `on` or `off`; `reason` a sentence; `checks` each condition and whether it holds."""
    row = table["reviewers"][ADAPTER]
    if not row["n"]:
        return {**NOT_MEASURED, "checks": []} if table["open"] else {"state": "off", "reason": NO_PAIRS, "checks": []}
    checks = [{"name": name, "passed": passed, "said": said} for name, passed, said in _checks(table, row, threshold)]
    failed = [each for each in checks if not each["passed"]]
    reason = failed[0]["said"] if failed else " ".join(str(each["said"]) for each in checks[-2:])
    return {"state": "off" if failed else "on", "reason": reason, "checks": checks}


def _checks(table: Figures, row: Figures, threshold: float | None) -> Iterator[tuple[str, bool, str]]:
    asked = f"{row['n']} of {row['n'] + table['open']} pieces of held-out code"
    within = f"keeps its false alarms within {FALSE_ALARMS:.0%} and lets"
    counted = f"{row['corrected']} corrected and {row['clean']} clean pieces of held-out code"
    yield (
        "finished",
        not table["open"],
        f"Its reviews were measured on {asked}" + (" so far: `acclimate evaluate` goes on." if table["open"] else "."),
    )
    yield (
        "threshold",
        threshold is not None,
        (f"No confidence {within} anything" if threshold is None else f"A confidence {within} something")
        + f" right through ({counted}).",
    )
    for name, words in _WORDS.items():
        yield name, *_better(table, name, words)
    share = row.get("precision", 0.0)
    yield (
        "precision",
        share >= MIN_PRECISION,
        f"{row['right']} of its {row['shown']} comments were right; half have to be.",
    )
    bound = row["false_alarms_bound"]
    yield (
        "false_alarms",
        bound is not None and bound <= FALSE_ALARMS,
        f"It commented on {row['alarms']} of {row['clean']} clean pieces of code; at most {FALSE_ALARMS:.0%} may be "
        "expected of others.",
    )
    yield (
        "enough",
        row["corrected"] >= MIN_CORRECTED and row["clean"] >= MIN_CLEAN,
        f"It was measured on {counted}; {MIN_CORRECTED} and {MIN_CLEAN} are needed.",
    )


def _better(table: Figures, opponent: str, words: str) -> tuple[bool, str]:
    found = table["differences"].get(opponent, {})
    other = table["reviewers"][opponent]
    if "f0.5_interval" not in found or not other["n"]:
        return False, f"Its comments were not compared with {words} yet."
    low, high = found["f0.5_interval"]
    said = f"F0.5 differs from {words} by {found['f0.5']:+.3f} (95% interval {low:+.3f} to {high:+.3f})."
    return low > 0, said
