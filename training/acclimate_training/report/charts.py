"""Charts as inline SVG: bars with intervals, differences around zero, and the curve of a training.

Colours come from the page's style sheet, so that they follow its theme; every chart says in words what it shows, and
the numbers stand in a table beside it.
"""

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .figures import bare, figure
from .markup import Child, Markup, element

WIDTH = 760  # of the drawing's own units; the page scales it
LABELS = 170  # for the names to the left
VALUES = 165  # for the numbers to the right
ROW = 30
AXIS = 34  # below, for the ticks and the unit
CURVE_HEIGHT = 300
CURVE_LEFT = 60  # for the losses beside the curve
MOST_TICKS = 8
SMOOTHED = 40  # steps; a curve of more gets a running mean, since single steps are mostly noise
WINDOW_SHARE = 0.05  # of the steps, that the running mean goes over


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One estimate. `strong`: the one that the page is about."""

    label: str
    value: float
    interval: tuple[float, float] | None
    n: int | None = None
    strong: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """From values to a place between two places."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return round(self.start + share * (self.end - self.start), 1)


def bars(title: str, description: str, rows: Sequence[Bar], key: str) -> Markup:
    """Horizontal bars from zero, with their 95% intervals."""
    largest = max(max(row.value, *(row.interval or (0.0, 0.0))) for row in rows)
    scale = Scale(low=0.0, high=largest or 1.0, start=LABELS, end=WIDTH - VALUES)
    height = len(rows) * ROW
    grid = _vertical_grid(scale, height, key, figure(key).unit.name)
    return _drawing(
        title, description, height + AXIS, grid, [_bar(row, scale, i * ROW, key) for i, row in enumerate(rows)]
    )


def differences(title: str, description: str, rows: Sequence[Bar], key: str) -> Markup:
    """Differences as points with their 95% intervals, around the line where nothing differs."""
    ends = [0.0, *(end for row in rows for end in (row.value, *(row.interval or ())))]
    margin = (max(ends) - min(ends)) * 0.06 or 1.0
    scale = Scale(low=min(ends) - margin, high=max(ends) + margin, start=LABELS, end=WIDTH - VALUES)
    height, unit = len(rows) * ROW, figure(key).unit
    zero = element("line", x1=scale(0), x2=scale(0), y1=0, y2=height, class_="zero")
    drawn = [_point(row, scale, index * ROW, key) for index, row in enumerate(rows)]
    grid = _vertical_grid(scale, height, key, unit.difference or unit.name, signed=True)
    return _drawing(title, description, height + AXIS, grid, zero, drawn)


def curve(
    title: str, description: str, training: Sequence[tuple[float, float]], validation: Sequence[tuple[float, float]]
) -> Markup:
    """The loss by step: the training's faint with its running mean, the validation's as points on a line."""
    steps, losses = zip(*training, *validation, strict=True)
    margin = (max(losses) - min(losses)) * 0.06 or 0.1
    across = Scale(low=min(steps), high=max(steps), start=CURVE_LEFT, end=WIDTH - 20)
    down = Scale(low=min(losses) - margin, high=max(losses) + margin, start=CURVE_HEIGHT, end=10)
    is_long = len(training) > SMOOTHED
    return _drawing(
        title,
        description,
        CURVE_HEIGHT + AXIS + 12,
        [_level(tick, down) for tick in ticks(down.low, down.high)],
        [_column(tick, across) for tick in ticks(across.low, across.high)],
        element("text", "step", x=(CURVE_LEFT + WIDTH) / 2, y=CURVE_HEIGHT + 40, class_="axis middle"),
        _line(training, across, down, "raw") if is_long else None,
        _line(smoothed(training) if is_long else training, across, down, "mean"),
        _line(validation, across, down, "validation"),
        [element("circle", cx=across(step), cy=down(loss), r=4, class_="validation") for step, loss in validation],
    )


def smoothed(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The running mean over the steps around each."""
    reach = max(1, round(len(points) * WINDOW_SHARE / 2))
    means = []
    for index, (step, _) in enumerate(points):
        around = [loss for _, loss in points[max(0, index - reach) : index + reach + 1]]
        means.append((step, sum(around) / len(around)))
    return means


def ticks(low: float, high: float) -> list[float]:
    """Round numbers from low to high, at most `MOST_TICKS`."""
    span = high - low
    if span <= 0 or not math.isfinite(span):
        return [low]
    step = next(each for each in _round_numbers(span) if span / each <= MOST_TICKS)
    first = math.ceil(low / step)
    return [index * step for index in range(first, math.floor(high / step) + 1)]


def _round_numbers(span: float) -> Iterator[float]:
    power = 10.0 ** math.floor(math.log10(span) - 1)
    for decade in itertools.count():
        for digit in (1, 2, 5):
            yield digit * power * 10**decade


def _drawing(title: str, description: str, height: float, *children: Child) -> Markup:
    name = re.sub(r"[^a-z0-9]+", "-", f"chart {title}".lower())  # titles differ within a page, and so do these
    return element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", description, id=f"{name}-desc"),
        *children,
        viewBox=f"0 0 {WIDTH} {height:g}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
    )


def _bar(row: Bar, scale: Scale, top: float, key: str) -> Markup:
    kind, width = "bar strong" if row.strong else "bar", max(scale(row.value) - scale(0), 1)
    box = element("rect", x=scale(0), y=top + 6, width=width, height=18, rx=2, class_=kind)
    return element("g", _name(row, top), box, _whisker(row, scale, top), _value(row, top, key))


def _point(row: Bar, scale: Scale, top: float, key: str) -> Markup:
    dot = element("circle", cx=scale(row.value), cy=top + 15, r=5, class_="bar strong" if row.strong else "bar")
    return element("g", _name(row, top), _whisker(row, scale, top), dot, _value(row, top, key, signed=True))


def _name(row: Bar, top: float) -> Markup:
    kind = "label end strong" if row.strong else "label end"
    return element("text", row.label, x=LABELS - 12, y=top + 20, class_=kind)


def _value(row: Bar, top: float, key: str, *, signed: bool = False) -> Markup:
    words = bare(key, row.value, signed=signed)
    if row.interval is not None:
        words += " [{}, {}]".format(*(bare(key, end, signed=signed) for end in row.interval))
    return element("text", words, x=WIDTH - VALUES + 12, y=top + 20, class_="label")


def _whisker(row: Bar, scale: Scale, top: float) -> Markup | None:
    """The interval, on a halo that keeps it apart from the bar that it crosses."""
    if row.interval is None:
        return None
    low, high = map(scale, row.interval)
    middle = top + 15
    caps = "".join(f"M{end} {middle - 5}V{middle + 5}" for end in (low, high))
    path = f"M{low} {middle}H{high}{caps}"
    return element("g", element("path", d=path, class_="halo"), element("path", d=path, class_="whisker"))


def _vertical_grid(scale: Scale, height: float, key: str, unit: str, *, signed: bool = False) -> Markup:
    factor, digits = figure(key).unit.scale, 0 if figure(key).unit.scale > 1 else 2
    parts: list[Child] = []
    for tick in ticks(scale.low, scale.high):
        words = f"{tick * factor:+.{digits}f}" if signed and tick else f"{tick * factor:.{digits}f}"
        parts.append(element("line", x1=scale(tick), x2=scale(tick), y1=0, y2=height, class_="grid"))
        words = words.replace("-", "\N{MINUS SIGN}")
        parts.append(element("text", words, x=scale(tick), y=height + 15, class_="axis middle"))
    parts.append(element("text", unit, x=WIDTH - VALUES + 12, y=height + 15, class_="axis"))
    return element("g", *parts)


def _level(tick: float, down: Scale) -> Markup:
    line = element("line", x1=CURVE_LEFT, x2=WIDTH - 20, y1=down(tick), y2=down(tick), class_="grid")
    return element("g", line, element("text", f"{tick:g}"[:6], x=CURVE_LEFT - 8, y=down(tick) + 4, class_="axis end"))


def _column(tick: float, across: Scale) -> Markup:
    return element("text", f"{tick:g}", x=across(tick), y=CURVE_HEIGHT + 20, class_="axis middle")


def _line(points: Sequence[tuple[float, float]], across: Scale, down: Scale, kind: str) -> Markup:
    places = " ".join(f"{across(step)},{down(loss)}" for step, loss in points)
    return element("polyline", points=places, class_=kind)
