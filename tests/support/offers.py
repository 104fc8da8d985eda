"""Offers, a clock that is set by hand, and an editor that types: for what is inferred from edits."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from acclimate_indexer.completion_feedback import Moment
from acclimate_indexer.repository import Repository
from acclimate_server.feedback.offer import Offer
from acclimate_server.feedback.watch import Decision, Watch

NOWHERE = Repository(git_directory=Path(), common_directory=Path(), work_tree=None)
URI = "file:///shop/till.py"
OFFER = Offer(
    id="1",
    repository=NOWHERE,
    uri=URI,
    path="till.py",
    language="python",
    offset=0,
    before="",
    text="",
    adapter="shop-1",
    model="tiny",
    milliseconds=120.0,
    is_automatic=True,
    confidence=0.8,
    time=datetime(2026, 5, 1, 12, 0, tzinfo=UTC),
)


@dataclass
class HandTimer:
    due: float
    callback: Callable[[], None]
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True


class HandClock:
    """Time passes when it is told to."""

    def __init__(self) -> None:
        self._now = 0.0
        self.timers: list[HandTimer] = []

    def time(self) -> float:
        return self._now

    def call_later(self, delay: float, callback: Callable[[], None], /) -> HandTimer:
        timer = HandTimer(self._now + delay, callback)
        self.timers.append(timer)
        return timer

    def advance(self, seconds: float) -> None:
        """Lets time pass, and all happen that is due by then, in order."""
        end = self._now + seconds
        while due := [timer for timer in self.timers if timer.due <= end and not timer.is_cancelled]:
            first = min(due, key=lambda timer: timer.due)
            self.timers.remove(first)
            self._now = max(self._now, first.due)
            first.callback()
        self.timers = [timer for timer in self.timers if not timer.is_cancelled]
        self._now = end


@dataclass
class Heard:
    """All that a listener was told, in order."""

    decisions: list[tuple[str, Decision]] = field(default_factory=list)
    kept: list[tuple[str, Moment, int]] = field(default_factory=list)

    def decided(self, offer: Offer, decision: Decision) -> None:
        self.decisions.append((offer.id, decision))

    def still_there(self, offer: Offer, moment: Moment, characters: int) -> None:
        self.kept.append((offer.id, moment, characters))

    @property
    def fates(self) -> list[tuple[str, str, int]]:
        """Offer, fate and characters taken."""
        return [(id_, decision.fate, decision.taken) for id_, decision in self.decisions]


class Typist:
    """An editor with one document and one cursor."""

    def __init__(self, text: str, watch: Watch, clock: HandClock) -> None:
        self.before, _, self.after = text.partition("|")
        self.watch = watch
        self.clock = clock

    @property
    def text(self) -> str:
        return self.before + self.after

    def offer(self, text: str, id: str = "1", **changes: object) -> None:  # noqa: A002 - as the offer calls it
        """An answer arrives at the cursor, and is looked at for a second."""
        self.offer_at_once(text, id, **changes)
        self.clock.advance(1.0)

    def offer_at_once(self, text: str, id: str = "1", **changes: object) -> None:  # noqa: A002
        offer = replace(OFFER, id=id, text=text, offset=len(self.before), **changes)  # type: ignore[arg-type]
        self.watch.offered(offer, self.text)

    def insert(self, text: str, *, closing: str = "") -> None:
        """Puts in a text at once; `closing` is what the editor adds behind the cursor."""
        self.before += text
        self.after = closing + self.after
        self.watch.edited(URI, self.text)

    def type(self, text: str) -> None:
        """Types character by character."""
        for character in text:
            self.insert(character)
            self.clock.advance(0.1)

    def delete(self, count: int = 1) -> None:
        """Deletes before the cursor."""
        self.before = self.before[:-count]
        self.watch.edited(URI, self.text)

    def rewrite(self, text: str) -> None:
        """The whole document is another one; the cursor stands at `|`."""
        self.before, _, self.after = text.partition("|")
        self.watch.edited(URI, self.text)
