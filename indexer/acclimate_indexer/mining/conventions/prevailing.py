"""When what many places do counts as a convention."""

from collections import Counter
from collections.abc import Iterable

from .record import Prevalence

NO_STYLE = "other"  # the way of what goes none
MIN_SHARE = 0.9
MIN_PLACES = 20
MAX_EXCEPTIONS = 50
MAX_OTHERS = 10


def prevailing(role: str, places: list[tuple[str, str]]) -> Iterable[Prevalence]:
    """The way that nearly all places go. Each place is its way, and where it is."""
    counts = Counter(way for way, _ in places)
    if sum(counts.values()) < MIN_PLACES:
        return
    way, count = min(counts.items(), key=lambda item: (-item[1], item[0]))
    if count < MIN_SHARE * len(places) or way == NO_STYLE:
        return
    exceptions = sorted({(other == NO_STYLE, where) for other, where in places if other != way})
    yield Prevalence(
        role=role,
        rule=way,
        count=count,
        of=len(places),
        exceptions=tuple(where for _, where in exceptions[:MAX_EXCEPTIONS]),
        others=dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[1 : MAX_OTHERS + 1]),
    )
