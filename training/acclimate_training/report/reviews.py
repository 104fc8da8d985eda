"""The section about review comments, which have a verdict of their own."""

from typing import Any

from ..evaluation.reviews.contenders import ADAPTER, BASE, EVERYWHERE, SILENT
from ..reviewing.verdict import NOT_MEASURED as NO_VERDICT
from .comparison import checks_table
from .figures import difference_heading, finding, heading, with_unit
from .markup import Child, Markup, element, joined, prose
from .reading import count, interval, number, part, parts, text
from .subject import Subject
from .tables import NOT_MEASURED, Row, estimate, strata_table, table

REVIEWERS = {
    ADAPTER: "the adapter",
    BASE: "the base, prompted with rules and examples",
    EVERYWHERE: "a comment on everything",
    SILENT: "silence",
}
FIGURES = ("precision", "recall", "f1", "f0.5", "false_alarms")
COUNTS = {"shown": "comments", "n": "hunks (n)", "files": "files"}
STATES = {"on": "promoted", "off": "unknown"}  # what they look like; most are off, and that is nothing bad
BY_SOURCE = {
    "recall": "Found of what was corrected, by where it comes from",
    "false_alarms": "Commented on of what is clean, by where it comes from",
}


def reviews(subject: Subject) -> Markup:
    """The verdict, then the figures that it rests on."""
    measured = part(subject.metrics, "review")
    return joined(
        _verdict(subject),
        checks_table("What was asked before review comments are shown", part(subject.record, "review_verdict")),
        _figures(measured) if _is_measured(measured) else element("p", "No review was measured for this version."),
    )


def _is_measured(measured: dict[str, Any]) -> bool:
    return bool(count(parts(measured, "reviewers").get(ADAPTER), "n"))


def _verdict(subject: Subject) -> Markup:
    found = part(subject.record, "review_verdict")
    state, judged = text(found, "state", "off"), text(part(subject.record, "verdict"), "inherited_from")
    inherited = f"Inherited from {judged}; figures on this page are from code that was written since."
    return element(
        "div",
        element("p", element("strong", f"Review comments: {state}")),
        element("p", prose(text(found, "reason", NO_VERDICT["reason"]))),
        element("p", _threshold(part(subject.record, "calibration", "review"), is_on=state == "on"), class_="muted"),
        element("p", inherited, class_="muted") if judged else None,
        class_=f"verdict {STATES.get(state, 'unknown')}",
    )


def _threshold(calibration: dict[str, Any], *, is_on: bool) -> str:
    threshold = number(calibration, "threshold")
    if threshold is None:
        return "Threshold: none."
    return f"Threshold: a comment {'is' if is_on else 'would be'} shown from a confidence of {threshold:.3f} on."


def _figures(measured: dict[str, Any]) -> Markup:
    return joined(
        element("p", _budget(measured)),
        _reviewers(parts(measured, "reviewers")),
        _differences(parts(measured, "differences")),
        [
            strata_table(f"{said}: {heading(key)}", "source", found, key)
            for key, said in BY_SOURCE.items()
            if (found := _by_source(measured, key))
        ],
        _open(measured),
    )


def _budget(measured: dict[str, Any]) -> str:
    row = parts(measured, "reviewers")[ADAPTER]
    alarms, clean = count(row, "alarms"), count(row, "clean")
    budget, bound = number(measured, "false_alarm_budget"), number(row, "false_alarms_bound")
    if alarms is None or clean is None or budget is None:
        return "How much clean code was commented on is not recorded."
    feared = "" if bound is None else f"; of others up to {with_unit('false_alarms', bound)} have to be expected"
    return (
        f"Of {clean:,} clean hunks the adapter commented on {alarms:,}{feared}. The budget is "
        f"{with_unit('false_alarms', budget)}. What is shown of a file was decided by a threshold from other files."
    )


def _reviewers(found: dict[str, dict[str, Any]]) -> Markup:
    return table(
        "All reviewers on the same held-out hunks; 95 % intervals",
        ("reviewer", *map(heading, FIGURES), *COUNTS.values()),
        [
            Row(head=REVIEWERS.get(name, name), cells=[*_estimates(row), *(_counted(row, key) for key in COUNTS)])
            for name, row in found.items()
        ],
    )


def _estimates(row: dict[str, Any]) -> list[Child]:
    """Who says nothing is neither right nor wrong."""
    nothing = "nothing said" if count(row, "shown") == 0 else None
    return [nothing if nothing and key == "precision" else estimate(row, key) for key in FIGURES]


def _counted(row: dict[str, Any], key: str) -> str:
    value = count(row, key)
    return NOT_MEASURED if value is None else f"{value:,}"


def _differences(found: dict[str, dict[str, Any]]) -> Markup | None:
    rows = [
        Row(
            head=f"the adapter less {REVIEWERS.get(name, name)}",
            cells=(estimate(each, "f0.5", signed=True), finding("f0.5", interval(each, "f0.5"))),
        )
        for name, each in found.items()
        if number(each, "f0.5") is not None
    ]
    caption = "Differences on the same hunks, with 95 % intervals, bootstrapped by file"
    return table(caption, ("difference", difference_heading("f0.5"), "says"), rows) if rows else None


def _by_source(measured: dict[str, Any], key: str) -> dict[str, dict[str, Any]]:
    """By source, what each reviewer has of this figure; of those who look."""
    found: dict[str, dict[str, Any]] = {}
    looking = ((name, each) for name, each in parts(measured, "by_source").items() if name != SILENT)
    for name, sources in looking:
        for source, row in parts(sources).items():
            if number(row, key) is not None:
                found.setdefault(source, {})[REVIEWERS.get(name, name)] = row
    return found


def _open(measured: dict[str, Any]) -> Markup | None:
    left = count(measured, "open")
    if not left:
        return None
    words = (
        f"Not measured yet: {left:,} hunks, on which comments are likelier than on others. `acclimate evaluate` does."
    )
    return element("p", prose(words))
