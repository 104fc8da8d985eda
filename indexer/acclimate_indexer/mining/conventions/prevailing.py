"""When what many places do counts as a convention."""

from collections import Counter
from collections.abc import Iterable

from .record import Prevalence

MIN_SHARE = 0.9
MIN_PLACES = 20
MAX_EXCEPTIONS = 10


def prevailing(role: str, places: list[tuple[str, str]]) -> Iterable[Prevalence]:
    """The way that nearly all places go. Each place is its way, and where it is."""
    counts = Counter(way for way, _ in places)
    if sum(counts.values()) < MIN_PLACES:
        return
    way, count = min(counts.items(), key=lambda item: (-item[1], item[0]))
    if count < MIN_SHARE * len(places) or way == "other":
        return
    exceptions = sorted({where for other, where in places if other != way})
    yield Prevalence(
        role=role,
        rule=way,
        count=count,
        of=len(places),
        exceptions=tuple(exceptions[:MAX_EXCEPTIONS]),
        others=dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[1 : MAX_EXCEPTIONS + 1]),
    )
