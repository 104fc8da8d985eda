"""Tables that a screen reader can follow: a caption, and headings that say what they head."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .figures import NOT_VALUES, bare, difference_heading, heading
from .markup import Child, Markup, element, joined
from .reading import count, interval, number, part

NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row: what it is about, then its cells."""

    head: Child
    cells: Sequence[Child]


def table(caption: str, headings: Sequence[str], rows: Iterable[Row], *, numeric: bool = True) -> Markup:
    """A table in a box that scrolls by itself and can be reached with the keyboard.

    Args:
        headings: The first one heads the rows' heads.
        numeric: The cells are numbers and stand to the right.
    """
    body = [
        element("tr", element("th", row.head, scope="row"), [element("td", cell) for cell in row.cells]) for row in rows
    ]
    written = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", [element("th", each, scope="col") for each in headings])),
        element("tbody", body),
        class_="numbers" if numeric else "words",
    )
    return element("div", written, class_="scroll", role="region", tabindex="0", aria_label=f"Table: {caption}")


def beside(*tables: Child) -> Markup:
    """Small tables in as few rows as the page's width allows."""
    return element("div", *tables, class_="beside")


def facts(caption: str, pairs: Iterable[tuple[str, Child]]) -> Markup:
    """What is known of one thing; what is not known is left out."""
    known = [Row(head=name, cells=(value,)) for name, value in pairs if value not in (None, "")]
    return table(caption, ("what", "value"), known, numeric=False) if known else Markup("")


def estimate(figures: dict[str, Any], key: str, *, signed: bool = False) -> Markup:
    """A figure without its unit, its 95% interval below."""
    value, around = number(figures, key), interval(figures, key)
    if value is None:
        return element("span", NOT_MEASURED, class_="missing")
    ends = None if around is None else interval_words(key, around, signed=signed)
    return joined(bare(key, value, signed=signed), None if ends is None else element("small", ends))


def interval_words(key: str, around: tuple[float, float], *, signed: bool = False) -> str:
    """`[12.0, 24.1]`."""
    low, high = around
    return f"[{bare(key, low, signed=signed)}, {bare(key, high, signed=signed)}]"


def figures_table(caption: str, columns: dict[str, dict[str, Any]], *, are_differences: bool = False) -> Markup:
    """A column a contender, a row a figure that any of them has, and how many pairs stand behind it."""
    keys = dict.fromkeys(key for figures in columns.values() for key in figures if _is_figure(figures, key))
    named = difference_heading if are_differences else heading
    rows = [
        Row(head=named(key), cells=[estimate(each, key, signed=are_differences) for each in columns.values()])
        for key in keys
    ]
    for key, name in (("n", "pairs answered (n)"), ("loss_n", "pairs with a loss (n)")):
        if any(key in figures for figures in columns.values()):
            rows.append(Row(head=name, cells=[_count_words(each, key) for each in columns.values()]))
    return table(caption, ("figure [95 % interval]", *columns), rows)


def strata_table(caption: str, first: str, strata: dict[str, Any], key: str) -> Markup:
    """A row a stratum, a column a contender: one figure, and n."""
    names = list(dict.fromkeys(name for stratum in strata.values() for name in part(stratum)))
    rows = [
        Row(head=name.replace("_", " "), cells=[_stratum_n(stratum, key), *_stratum_cells(stratum, names, key)])
        for name, stratum in strata.items()
    ]
    return table(caption, (first, "n", *names), rows)


def counts_table(caption: str, first: str, counts: dict[str, Any], columns: Sequence[str]) -> Markup:
    """How many there are of each, by column."""
    rows = [
        Row(head=name.replace("_", " "), cells=[_count_words(part(counts, name), each) for each in columns])
        for name in counts
    ]
    return table(caption, (first, *columns), rows)


def _is_figure(figures: dict[str, Any], key: str) -> bool:
    return not key.endswith("_interval") and key not in NOT_VALUES and number(figures, key) is not None


def _stratum_cells(stratum: dict[str, Any], names: Iterable[str], key: str) -> list[Markup]:
    return [estimate(part(stratum, name), key) for name in names]


def _stratum_n(stratum: dict[str, Any], key: str) -> str:
    counts = [count(part(stratum, name), "loss_n" if key == "loss" else "n") for name in part(stratum)]
    return f"{max((each for each in counts if each is not None), default=0):,}"


def _count_words(record: dict[str, Any], key: str) -> str:
    value = count(record, key)
    return "0" if value is None else f"{value:,}"
