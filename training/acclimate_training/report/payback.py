"""What the shorter prompt saves, and after how many completions that has paid for the training."""

from dataclasses import dataclass
from typing import Any

from .figures import difference
from .markup import Markup, element, joined
from .reading import interval, number
from .subject import ADAPTER, RETRIEVED, Subject
from .tables import NOT_MEASURED, Row, interval_words, table

LONGER = ("base+retrieval", "prompted")  # what the adapter alone could make unnecessary
COMPLETIONS_A_DAY = 500  # asked by one person who writes code all day: one a minute. An assumption, said on the page
PREFILL = "prefill_tokens_per_second"


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """What one completion with the adapter alone saves against a longer prompt.

    Attributes:
        tokens: Of the prompt, on average.
        seconds: None if neither a prefill speed nor latencies were measured.
        completions: After which the training has paid back; None if it never does, or nobody knows.
    """

    opponent: str
    tokens: float
    seconds: float | None
    completions: float | None


def savings(
    metrics: dict[str, Any], contenders: dict[str, dict[str, Any]], training_seconds: float | None
) -> list[Saving]:
    """Against each contender with a longer prompt whose prompts were counted."""
    own = contenders.get(ADAPTER)
    mine, found = number(own, "prompt_tokens"), []
    for name in LONGER:
        theirs = number(contenders.get(name), "prompt_tokens")
        if mine is None or theirs is None:
            continue
        seconds = _seconds_saved(metrics, theirs - mine, own, contenders[name])
        pays = seconds is not None and seconds > 0 and training_seconds is not None
        completions = training_seconds / seconds if pays and training_seconds and seconds else None
        found.append(Saving(opponent=name, tokens=theirs - mine, seconds=seconds, completions=completions))
    return found


def payback(subject: Subject) -> Markup:
    """The section: the table, the formula, and when the formula does not apply."""
    seconds = number(subject.record, "seconds")
    found = savings(subject.metrics, subject.contenders, seconds)
    if not found:
        return element("p", "Prompt tokens of the adapter alone and of a longer prompt were not both measured.")
    headings = (
        "the adapter alone instead of",
        "prompt tokens saved",
        "seconds saved",
        "training paid back after",
        "exact match lost or won",
    )
    caption = "What one completion with the adapter and no retrieval saves"
    return joined(
        table(caption, headings, [Row(head=each.opponent, cells=_cells(each, subject)) for each in found]),
        element("p", _formula(subject.metrics, seconds)),
        element("p", _served(subject)),
    )


def _seconds_saved(
    metrics: dict[str, Any], tokens: float, own: dict[str, Any] | None, other: dict[str, Any]
) -> float | None:
    speed = number(metrics, PREFILL)
    if speed is not None and speed > 0:
        return tokens / speed
    mine, theirs = number(own, "latency_ms"), number(other, "latency_ms")
    return None if mine is None or theirs is None else (theirs - mine) / 1000


def _cells(saving: Saving, subject: Subject) -> list[str]:
    return [
        f"{saving.tokens:,.0f}".replace("-", "\N{MINUS SIGN}"),
        NOT_MEASURED if saving.seconds is None else f"{saving.seconds:,.3f} s".replace("-", "\N{MINUS SIGN}"),
        _after(saving),
        _accuracy(subject.differences(ADAPTER).get(saving.opponent, {})),
    ]


def _after(saving: Saving) -> str:
    if saving.completions is None:
        return "never: no time is saved" if saving.seconds is not None and saving.seconds <= 0 else "not known"
    return f"{saving.completions:,.0f} completions, {saving.completions / COMPLETIONS_A_DAY:,.1f} days"


def _accuracy(figures: dict[str, Any]) -> str:
    value, around = number(figures, "exact_match"), interval(figures, "exact_match")
    if value is None:
        return NOT_MEASURED
    ends = "" if around is None else f" {interval_words('exact_match', around, signed=True)}"
    return difference("exact_match", value) + ends


def _formula(metrics: dict[str, Any], seconds: float | None) -> str:
    speed = number(metrics, PREFILL)
    if speed is not None and speed > 0:
        saved = f"prompt tokens saved ÷ prefill speed, which is {speed:,.0f} tokens/s here"
        assumed = "It assumes that no prompt is in the engine’s prefix cache; where retrieved text is, less is saved."
    else:
        saved = "the difference of the measured latencies"
        assumed = "That difference also holds what a longer or shorter answer costs, and what the prefix cache spares."
    took = "unknown" if seconds is None else f"{seconds:,.0f} s"
    return (
        f"Paid back after = seconds of training ({took}) ÷ seconds saved a completion ({saved}). {assumed} "
        "Mining and evaluation are not counted, nor is any gain in accuracy. "
        f"A day is taken as {COMPLETIONS_A_DAY} completions, which is an assumption."
    )


def _served(subject: Subject) -> str:
    if subject.candidate.endswith(RETRIEVED):
        return (
            "What was judged is the adapter with retrieval: its prompt is as long as retrieval’s own, "
            "so as served it saves none of this and has to pay by accuracy."
        )
    return "What was judged is the adapter without retrieval, so this is what is saved as served."
