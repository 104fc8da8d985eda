"""Places won and lost, chosen by one rule for both: as many as there are, in the order in which they were asked.

Without leave to show code only the place and who was right are told.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from acclimate_indexer.filters.secrets import has_secret

from .markup import Child, Markup, element, joined, prose
from .reading import text
from .subject import BASE, Subject
from .tables import Row, table

MOST_SHOWN = 10  # of the won and of the lost: enough for an impression, few enough to read
LINES_BEFORE = 8  # of code above the hole, where that is shown
LINES_AFTER = 4
HELD_BACK = "(held back: it looks like a secret)"

Example = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All places that both answered, by who was right; each list in the order of asking."""

    won: list[Example]
    lost: list[Example]
    both: int
    neither: int

    @property
    def asked(self) -> int:
        return len(self.won) + len(self.lost) + self.both + self.neither


def outcome(examples: Iterable[Example], *, candidate: str, opponent: str) -> Outcome:
    """Sorts the places by whether candidate and opponent hit the true code after the served cut."""
    won: list[Example] = []
    lost: list[Example] = []
    both = neither = 0
    for example in examples:
        answers = _answers(example)
        if candidate not in answers or opponent not in answers:
            continue
        match is_right(example, candidate), is_right(example, opponent):
            case True, False:
                won.append(example)
            case False, True:
                lost.append(example)
            case True, True:
                both += 1
            case _:
                neither += 1
    return Outcome(won=won, lost=lost, both=both, neither=neither)


def is_right(example: Example, contender: str) -> bool:
    """Exact match, as the table counts it: equal but for trailing white space."""
    answer = _answers(example).get(contender)
    return answer is not None and answer.rstrip() == text(example, "middle").rstrip()


def examples(subject: Subject) -> Markup:
    """The section."""
    candidate, opponent = subject.candidate, subject.opponent
    found = outcome(subject.examples, candidate=candidate, opponent=opponent)
    if not found.asked:
        return element("p", f"No place that both {candidate} and {opponent} have answered is at hand.")
    hidden = "Code is left out; `acclimate report --with-code` shows it."
    return joined(
        element("p", _counted(found, candidate, opponent)),
        None if subject.with_code else element("p", prose(hidden), class_="muted"),
        _shown(f"Won: {candidate} right, {opponent} wrong", found.won, subject),
        _shown(f"Lost: {opponent} right, {candidate} wrong", found.lost, subject),
    )


def _counted(found: Outcome, candidate: str, opponent: str) -> str:
    return (
        f"Of {found.asked:,} places that {candidate} and {opponent} both answered, {len(found.won):,} were right with "
        f"{candidate} alone (won), {len(found.lost):,} with {opponent} alone (lost), {found.both:,} with both and "
        f"{found.neither:,} with neither. Shown are the first {MOST_SHOWN} at most of each, in the order in which they "
        "were asked, which a seed decides and no answer."
    )


def _shown(title: str, found: Sequence[Example], subject: Subject) -> Markup:
    first = found[:MOST_SHOWN]
    heading = element("h3", f"{title} ({len(first):,} of {len(found):,} shown)")
    if not first:
        return joined(heading, element("p", "None."))
    if subject.with_code:
        return joined(heading, [_side_by_side(example, subject) for example in first])
    rows = [
        Row(
            head=text(example, "path"),
            cells=(text(example, "language"), text(example, "place").replace("_", " "), _right_words(example)),
        )
        for example in first
    ]
    return joined(
        heading,
        table("Where, and which contenders were right", ("file", "language", "place", "right"), rows, numeric=False),
    )


def _side_by_side(example: Example, subject: Subject) -> Markup:
    about = f"{text(example, 'path')}, {text(example, 'language')}, {text(example, 'place').replace('_', ' ')}"
    answers, shown = _answers(example), dict.fromkeys((subject.candidate, subject.opponent, BASE))
    boxes = [
        _box("the true code", text(example, "middle")),
        *(_box(_judged(example, name), answers[name]) for name in shown if name in answers),
    ]
    return element(
        "article",
        element("h4", about),
        _code_around(example),
        element("div", boxes, class_="answers"),
        element("p", f"Right: {_right_words(example)}.", class_="muted"),
        class_="example",
    )


def _judged(example: Example, name: str) -> str:
    return f"{name}: {'right' if is_right(example, name) else 'wrong'}"


def _code_around(example: Example) -> Markup:
    before = "\n".join(text(example, "prefix").split("\n")[-LINES_BEFORE:])
    after = "\n".join(text(example, "suffix").split("\n")[:LINES_AFTER])
    if has_secret(before) or has_secret(after):
        return _code("code around the place", HELD_BACK)
    return _code("code around the place", before, element("mark", "▏to complete▕"), after)


def _box(name: str, answer: str) -> Markup:
    shown = HELD_BACK if has_secret(answer) else answer or "(nothing)"
    return element("div", element("p", name), _code(name, shown))


def _code(name: str, *children: Child) -> Markup:
    return element("pre", element("code", *children), tabindex="0", role="region", aria_label=name)


def _right_words(example: Example) -> str:
    return ", ".join(name for name in _answers(example) if is_right(example, name)) or "nobody"


def _answers(example: Example) -> dict[str, str]:
    found = example.get("answers")
    if not isinstance(found, Mapping):
        return {}
    return {str(name): answer for name, answer in found.items() if isinstance(answer, str)}
