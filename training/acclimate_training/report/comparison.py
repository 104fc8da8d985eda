"""The sections that prove or refute: the verdict and its checks, the contenders, the differences, where it differs."""

from collections.abc import Callable, Sequence
from typing import Any

from .charts import Bar, bars, differences
from .figures import bare, difference, difference_heading, figure, finding, heading, probability, with_unit
from .markup import Child, Markup, element, joined, prose
from .reading import count, interval, number, part, parts, rows, sentences, text
from .subject import Subject, is_withdrawn, state_words
from .tables import NOT_MEASURED, Row, beside, estimate, figures_table, interval_words, strata_table, table

CHECKS = {True: ("passed", "✓ passed"), False: ("failed", "✗ failed"), None: ("missing", "– not measured")}
STRATA = {
    "language": "By language",
    "place": "By kind of place",
    "age": "By age: new lines in old files, files made after the split, files held out whole",
    "needs": "By what the true code needs: only names of its file; one from elsewhere in the repository, or from a"
    " library; a new one, which nobody could know",
}
REACHES = {
    "near": "near: drawn at least once in 20 times",
    "far": "far",
    "out of reach": "out of reach: less than once in a hundred million times",
}
STATES = ("promoted", "trial", "rejected")
DECIDING = ("exact_match", "loss")  # the figures that the verdict rests on


Chart = Callable[[str, str, Sequence[Bar], str], Markup]


def verdict(subject: Subject) -> Markup:
    """The state and its reason, the first thing to read."""
    found, record = part(subject.record, "verdict"), subject.record
    kind = subject.state if subject.state in STATES and not is_withdrawn(record) else "unknown"
    candidate = text(found, "candidate")
    return element(
        "div",
        element("p", element("strong", f"Verdict: {state_words(record)}")),
        element("p", f"Withdrawn: {text(record, 'withdrawn_reason')}") if is_withdrawn(record) else None,
        element("p", prose(text(found, "reason", "Nothing was measured on held-out code yet."))),
        element("p", f"Judged: {candidate}.", class_="muted") if candidate else None,
        class_=f"verdict {kind}",
    )


def checks(subject: Subject) -> Markup:
    """Each check of the gate."""
    found = checks_table("What the gate asked before this adapter may be used", part(subject.record, "verdict"))
    return found or element("p", "No check of the gate is recorded for this version.")


def checks_table(caption: str, verdict: dict[str, Any]) -> Markup | None:
    """Each check that a verdict rests on; None if it names none."""
    found = rows(verdict, "checks")
    if not found:
        return None
    return table(
        caption,
        ("check", "result", "what was found"),
        [
            Row(head=text(each, "name").replace("_", " "), cells=(_passed(each), prose(text(each, "said"))))
            for each in found
        ],
        numeric=False,
    )


def tiles(subject: Subject) -> Markup:
    """The few numbers to take away."""
    found, opponent = subject.contenders, subject.opponent
    own = found.get(subject.candidate)
    best = f"Exact match, {opponent} (the best without training here)"
    shown = [
        _tile(f"Exact match, {subject.candidate}", own, "exact_match"),
        _tile(best, found.get(opponent), "exact_match"),
        _tile(f"Loss on held-out code, {subject.candidate}", own, "loss"),
        _tile("Loss on held-out code, base", found.get("base"), "loss"),
    ]
    return element("div", shown, class_="tiles")


def contenders(subject: Subject) -> Markup:
    """All who answered the very same places."""
    if not subject.contenders:
        return element("p", prose("No contender was measured yet. `acclimate evaluate` does."))
    found = _bars(subject.contenders, strong=subject.candidate)
    split = text(subject.metrics, "split", "held-out")
    return joined(
        _charted(
            bars,
            "Exact match by contender",
            "Exact match after the cut that the editor makes: the share of places, with 95 % intervals.",
            found,
            [f"{bar.label} {with_unit('exact_match', bar.value)}" for bar in found],
        ),
        figures_table(f"Every contender on the {split} part; 95 % intervals", subject.contenders),
    )


def paired(subject: Subject) -> Markup:
    """The differences on the same pairs, which decide."""
    found = parts(subject.metrics, "differences")
    if not any(parts(each) for each in found.values()):
        return element("p", "No paired difference is recorded for this version.")
    shown = _bars(subject.differences(), prefix="less ")
    title = f"Exact match of {subject.candidate} less that of each opponent"
    return joined(
        _charted(
            differences,
            title,
            f"{title}, on the same places. An interval that crosses the line at zero shows no difference.",
            shown,
            [f"{bar.label} {difference('exact_match', bar.value)}" for bar in shown],
        ),
        _differences_table(found),
        element("p", _power(subject)),
        _reach_table(parts(subject.metrics, "loss_by_reach", "control")),
    )


def missing(subject: Subject) -> Markup:
    """What nobody should read into this page."""
    names, notes = sentences(subject.metrics, "not_measured"), sentences(subject.metrics, "notes")
    if not names and not notes:
        return element("p", "Nothing is recorded as not measured, and there is nothing to note.")
    return joined(element("p", f"Not measured: {', '.join(names)}.") if names else None, _noted(notes))


def strata(subject: Subject) -> Markup:
    """The averages taken apart."""
    found = part(subject.metrics, "strata")
    tables = [
        strata_table(f"{caption}: {heading(key)}, with 95 % intervals", name, parts(found, name), key)
        for name, caption in STRATA.items()
        if (key := _stratum_figure(parts(found, name))) is not None
    ]
    if not tables:
        return element("p", "No figures by language, place, age or what is needed are recorded for this version.")
    return joined(element("p", "Few places in a row mean a wide interval: read n first."), beside(tables))


def documentation(subject: Subject) -> Markup:
    """Doc comments, which are judged by other figures."""
    found = parts(subject.metrics, "documentation")
    if not found:
        return element("p", "Documentation was not measured for this version.")
    return figures_table("Doc comments written for held-out functions", found)


def general(subject: Subject) -> Markup:
    """What the adapter costs elsewhere."""
    found = parts(subject.metrics, "general", "contenders")
    notes = sentences(part(subject.metrics, "general"), "notes")
    caption = "What changed against the base, on the same questions; 95 % intervals"
    less = {f"{name} less base": each for name, each in parts(subject.metrics, "general", "differences").items()}
    if not found and not less:
        return joined(element("p", "General ability was not measured for this version."), _noted(notes))
    return joined(
        element("p", "Code that is not this repository’s: does the adapter still do what the base could?"),
        figures_table("General ability; 95 % intervals", found),
        figures_table(caption, less, are_differences=True) if less else None,
        _noted(notes),
    )


def _noted(notes: list[str]) -> Markup | None:
    return element("ul", [element("li", prose(note)) for note in notes]) if notes else None


def _bars(found: dict[str, dict[str, Any]], *, prefix: str = "", strong: str = "") -> list[Bar]:
    return [
        Bar(label=prefix + name, value=value, interval=interval(each, "exact_match"), strong=name == strong)
        for name, each in found.items()
        if (value := number(each, "exact_match")) is not None
    ]


def _charted(chart: Chart, title: str, caption: str, shown: list[Bar], words: list[str]) -> Markup | None:
    if not shown:
        return None
    drawn = chart(title, "; ".join(words) + ".", shown, "exact_match")
    return element("figure", drawn, element("figcaption", caption))


def _passed(check: dict[str, Any]) -> Markup:
    passed = check.get("passed")
    kind, words = CHECKS[passed if isinstance(passed, bool) else None]
    return element("span", words, class_=kind)


def _tile(name: str, figures: dict[str, Any] | None, key: str) -> Markup | None:
    value = number(figures, key)
    if value is None or figures is None:
        return None
    around = interval(figures, key)
    pairs = count(figures, "loss_n" if key == "loss" else "n")
    details = [f"95 % {interval_words(key, around)}" if around else "", f"n {pairs:,}" if pairs is not None else ""]
    return element(
        "div",
        element("p", name, class_="muted"),
        element("p", bare(key, value), element("small", f" {figure(key).unit.name}"), class_="big"),
        element("p", ", ".join(filter(None, details)), class_="muted"),
        class_="tile",
    )


def _differences_table(found: dict[str, dict[str, Any]]) -> Markup:
    shown = [
        Row(head=f"{candidate} less {opponent}", cells=_difference_cells(each))
        for candidate in found
        for opponent, each in parts(found, candidate).items()
    ]
    columns = [difference_heading(key) for key in DECIDING]
    headings = ("paired difference", columns[0], "McNemar’s p", "n", "says", columns[1], "n", "says")
    return table("Paired differences with 95 % intervals, bootstrapped by file", headings, shown)


def _reach_table(found: dict[str, dict[str, Any]]) -> Markup | None:
    if not found:
        return None
    shown = [
        Row(
            head=words,
            cells=[estimate(found[name], "loss", signed=True), _share(found[name]), _pairs(found[name], "loss_n")],
        )
        for name, words in REACHES.items()
        if name in found
    ]
    caption = "Where the adapter’s loss differs from the control’s, by how far away from both the whole answer is"
    return table(caption, ("answer", difference_heading("loss"), "share of the whole difference", "n"), shown)


def _share(figures: dict[str, Any]) -> str:
    share = number(figures, "share")
    return NOT_MEASURED if share is None else f"{share:.0%}".replace("-", "−")


def _difference_cells(figures: dict[str, Any]) -> list[Child]:
    exact, loss = (estimate(figures, key, signed=True) for key in DECIDING)
    p = number(figures, "mcnemar_p")
    says = [_finding(figures, key) for key in DECIDING]
    pairs = [_pairs(figures, key) for key in ("n", "loss_n")]
    return [exact, NOT_MEASURED if p is None else probability(p), pairs[0], says[0], loss, pairs[1], says[1]]


def _finding(figures: dict[str, Any], key: str) -> str:
    return "" if number(figures, key) is None else finding(key, interval(figures, key))


def _pairs(figures: dict[str, Any], key: str) -> str:
    pairs = count(figures, key)
    return "" if pairs is None else f"{pairs:,}"


def _power(subject: Subject) -> str:
    points = number(subject.metrics, "power_points")
    pairs = count(subject.contenders.get(subject.candidate), "n")
    if points is None:
        return "What difference so many pairs could have shown at all is not recorded."
    among = f"{pairs:,} pairs" if pairs else "So many pairs"
    return (
        f"{among} could have shown a difference of about {points:.1f} points of exact match or more; "
        "a smaller one would stay inconclusive, which is not the same as worse."
    )


def _stratum_figure(found: dict[str, dict[str, Any]]) -> str | None:
    """Exact match where anything was generated, else the loss."""
    for key in DECIDING:
        if any(number(each, key) is not None for stratum in found.values() for each in parts(stratum).values()):
            return key
    return None
