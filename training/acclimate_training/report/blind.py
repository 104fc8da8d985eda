"""Base against adapter, judged by a person who is not told which is which.

Which places are shown, and which answer stands first, follows from the seed and the pair's name alone: going on later
shows neither another order nor another place.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any, Literal

from .figures import probability
from .markup import Markup, element, joined, prose
from .reading import count, number, part
from .tables import Row, table

Judgement = Literal["better", "worse", "tie"]  # from the adapter's point of view
JUDGEMENTS: tuple[Judgement, ...] = ("better", "worse", "tie")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindPair:
    """A held-out place and its two answers, as the editor would show them; it is judged under its `name`."""

    name: str
    path: str
    language: str
    prefix: str
    suffix: str
    base: str
    adapter: str

    @property
    def is_identical(self) -> bool:
        return self.base.rstrip() == self.adapter.rstrip()


def chosen(pairs: Sequence[BlindPair], *, judged: Mapping[str, Judgement], seed: int, at_most: int) -> list[BlindPair]:
    """The places of one test: those judged already, then others in the seed's order, whatever their answers are."""
    ordered = sorted(pairs, key=lambda pair: (pair.name not in judged, _digest(seed, "place", pair.name)))
    return ordered[:at_most]


def adapter_is_first(seed: int, name: str) -> bool:
    """On which side the adapter's answer stands."""
    return _digest(seed, "side", name)[0] % 2 == 0


def judgement(choice: Literal["1", "2"], *, adapter_first: bool) -> Judgement:
    """What preferring the first or the second answer says about the adapter."""
    return "better" if (choice == "1") == adapter_first else "worse"


def read_judgements(metrics: Mapping[str, Any]) -> dict[str, Judgement]:
    """What was judged before, by the pair's name."""
    known: dict[object, Judgement] = {name: name for name in JUDGEMENTS}
    kept = part(dict(metrics), "blind", "judgements")
    return {name: known[value] for name, value in kept.items() if isinstance(value, str) and value in known}


def blind_record(judgements: Mapping[str, Judgement], seed: int) -> dict[str, Any]:
    """What is kept under `metrics.blind`."""
    counts = Counter(judgements.values())
    return {
        **{name: counts[name] for name in JUDGEMENTS},
        "seed": seed,
        "p": round(sign_test(counts["better"], counts["worse"]), 4),
        "judgements": dict(judgements),
    }


def sign_test(better: int, worse: int) -> float:
    """How likely a split at least this uneven is if both are equally good; two-sided, exact, ties left out."""
    decided = better + worse
    tail = sum(comb(decided, k) for k in range(min(better, worse) + 1))
    return min(1.0, 2 * tail / int(2**decided))


def blind(record: dict[str, Any]) -> Markup:
    """The section: what a person said."""
    found = part(record, "metrics", "blind")
    better, worse, tie = (count(found, name) or 0 for name in JUDGEMENTS)
    if not better + worse + tie:
        return element("p", prose("Nobody has judged blind pairs yet. `acclimate blind` shows 20 held-out places."))
    p = number(found, "p")
    shown_p = probability(sign_test(better, worse) if p is None else p)
    row = Row(head="adapter", cells=(f"{better:,}", f"{worse:,}", f"{tie:,}", shown_p))
    caption = "The adapter against the base, answers in an order that hid which was which"
    return joined(
        table(caption, ("judged by a person", "better", "worse", "tie", "sign test’s p"), [row]),
        element("p", "Places where both gave the same answer count as ties. The sign test leaves ties out."),
    )


def _digest(seed: int, purpose: str, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\n{purpose}\n{name}".encode(errors="replace")).digest()
