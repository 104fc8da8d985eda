"""The section about the training: how the loss went."""

from typing import Any

from .charts import SMOOTHED, curve
from .markup import Markup, element, joined
from .reading import number, rows
from .subject import Subject
from .tables import Row, table

MOST_ROWS = 12  # of the curve's table, beside those with a validation loss


def training(subject: Subject) -> Markup:
    """The loss curve, in words, drawn and as a table."""
    points = rows(subject.record, "curve")
    learnt, checked = _series(points, "loss"), _series(points, "validation_loss")
    if not learnt and not checked:
        return element("p", "No loss curve is recorded for this version.")
    described = " ".join(filter(None, (_ends("Training", learnt), _ends("Validation", checked))))
    drawn = curve("Loss by training step", described, learnt, checked)
    figure = element("figure", drawn, element("figcaption", _key(learnt, checked)))
    return joined(element("p", described), figure, _curve_table(points))


def _key(learnt: list[tuple[float, float]], checked: list[tuple[float, float]]) -> Markup:
    thick = ", thick: its running mean" if len(learnt) > SMOOTHED else ""
    validation = (element("span", class_="key validation"), "validation; ") if checked else None
    return joined(element("span", class_="key"), f"training{thick}; ", validation, "in nats per token of the middle")


def _series(points: list[dict[str, Any]], key: str) -> list[tuple[float, float]]:
    found = [(number(point, "step"), number(point, key)) for point in points]
    return [(step, loss) for step, loss in found if step is not None and loss is not None]


def _ends(name: str, series: list[tuple[float, float]]) -> str:
    if not series:
        return ""
    (first, start), (last, end) = series[0], series[-1]
    lowest_step, lowest = min(series, key=lambda point: point[1])
    return (
        f"{name} loss: {start:.3f} nats/token at step {first:g}, {end:.3f} at step {last:g}, "
        f"lowest {lowest:.3f} at step {lowest_step:g}."
    )


def _curve_table(points: list[dict[str, Any]]) -> Markup:
    every = max(1, -(-len(points) // MOST_ROWS))
    kept = [
        point
        for index, point in enumerate(points)
        if index % every == 0 or index == len(points) - 1 or "validation_loss" in point
    ]
    shown = [
        Row(head=f"{number(point, 'step') or 0:g}", cells=[_loss(point, "loss"), _loss(point, "validation_loss")])
        for point in kept
    ]
    headings = ("step", "training loss, nats/token", "validation loss, nats/token")
    return element(
        "details", element("summary", "The curve as a table"), table("Loss at some of the steps", headings, shown)
    )


def _loss(point: dict[str, Any], key: str) -> str:
    value = number(point, key)
    return "" if value is None else f"{value:.3f}"
