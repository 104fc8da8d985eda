"""How an adapter reviews, for a person: all reviewers on the same held-out hunks, and the verdict of their own."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from acclimate_training.evaluation.reviews.contenders import ADAPTER
from acclimate_training.report.markup import visible
from acclimate_training.report.reading import count, interval, number, part, parts, text
from acclimate_training.reviewing.verdict import NOT_MEASURED

COLUMNS = {"precision": "precision", "recall": "recall", "f0.5": "F0.5", "false_alarms": "false alarms"}
COUNTS = {"shown": "comments", "n": "n", "files": "files"}
DIGITS = 2
SAID = {"recall": "found", "false_alarms": "false alarms"}  # of a source


def reviews_shown(record: Mapping[str, Any]) -> Iterator[RenderableType]:
    """What an adapter's record, or the result of an evaluation, says of reviews."""
    measured = part(record, "metrics", "review") or part(record, "review")
    if count(parts(measured, "reviewers").get(ADAPTER), "n"):
        yield _reviewers(measured)
        yield from map(Text, _measured_sentences(measured, part(record, "calibration", "review")))
    verdict, judged = part(record, "review_verdict"), text(part(record, "verdict"), "inherited_from")
    reason = text(verdict, "reason", NOT_MEASURED["reason"]) + (f" (Inherited from {judged}.)" if judged else "")
    yield Text(visible(f"Review comments: {text(verdict, 'state', 'off')}. {reason}"))


def speaking_words(result: Mapping[str, Any]) -> str:
    """A clause for the end of a training; empty for most adapters, which do not review."""
    if text(part(result, "review_verdict"), "state") != "on":
        return ""
    return "Its comments on changed code are right often enough to be shown while it is in use: `acclimate review`."


def _measured_sentences(measured: dict[str, Any], calibration: dict[str, Any]) -> Iterator[str]:
    if sources := _sources(measured):
        yield f"The adapter by source: {sources}."
    if left := count(measured, "open"):
        yield f"Not measured yet: {left:,} pieces of code."
    threshold = number(calibration, "threshold")
    yield "Threshold: none." if threshold is None else f"Threshold: a confidence of {threshold:.{DIGITS}f}."


def _reviewers(measured: dict[str, Any]) -> Table:
    budget = number(measured, "false_alarm_budget")
    caption = "95% intervals in brackets; false alarms are on clean code"
    if budget is not None:
        caption += f", of which at most {budget:.0%} may be expected"
    table = Table(title="Reviews of held-out code", title_justify="left", caption=caption, caption_justify="left")
    table.add_column("reviewer", no_wrap=True)
    for heading in (*COLUMNS.values(), *COUNTS.values()):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, row in parts(measured, "reviewers").items():
        table.add_row(
            Text(visible(name)),
            *(Text(_figure(row, key)) for key in COLUMNS),
            *(_counted(row, key) for key in COUNTS),
        )
    return table


def _figure(row: dict[str, Any], key: str) -> str:
    value, around = number(row, key), interval(row, key)
    if value is None:
        return "says nothing" if key == "precision" and count(row, "shown") == 0 else "not measured"
    ends = "" if around is None else f" [{around[0]:.{DIGITS}f}, {around[1]:.{DIGITS}f}]"
    return f"{value:.{DIGITS}f}{ends}"


def _counted(row: dict[str, Any], key: str) -> str:
    value = count(row, key)
    return "" if value is None else f"{value:,}"


def _sources(measured: dict[str, Any]) -> str:
    found = []
    for source, row in parts(measured, "by_source", ADAPTER).items():
        said = [f"{words} {value:.{DIGITS}f}" for key, words in SAID.items() if (value := number(row, key)) is not None]
        if said:
            found.append(f"{visible(source)} {', '.join(said)} (n {_counted(row, 'n')})")
    return "; ".join(found)
