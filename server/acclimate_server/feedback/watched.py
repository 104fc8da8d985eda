"""What is watched in a document: an offer whose fate is open, and texts that were taken over."""

from dataclasses import dataclass, field

from .edit import Edit
from .offer import Offer
from .scheduler import Timer
from .taking import Taking, taking


@dataclass(slots=True, kw_only=True)
class OpenOffer:
    """An offer that may still be taken.

    Attributes:
        texts: What was offered, whole, with what has been typed of it by now.
        start: Where they begin in the document.
        end: Where that ends which was typed since.
        since: When it was offered, by the scheduler's clock.
        timer: Ends the patience with it, or the time in which it may be confirmed.
        taken: How many characters of it stand there.
        is_confirmed: The editor said that it was taken.
        is_unseen: It was gone before anybody could read it.
    """

    offer: Offer
    texts: tuple[str, ...]
    start: int
    end: int
    since: float
    timer: Timer | None = None
    taken: int = 0
    is_confirmed: bool = False
    is_unseen: bool = False

    def stop_timer(self) -> None:
        """What it waited for has come."""
        if self.timer is not None:
            self.timer.cancel()

    def go_on(self, rest: Offer, text: str) -> None:
        """The rest of the answer is offered again, after some of it was typed."""
        if rest.offset >= self.start:
            typed = text[self.start : rest.offset]
            self.texts = tuple(typed + each for each in (rest.text, *rest.others))

    def after(self, edit: Edit, old: str, new: str) -> tuple[Taking, str]:
        """What there is of it after an edit, and which text that is, as it stands there."""
        for text in self.texts if edit.same_before >= self.start else ():
            if new.startswith(text, self.start) and not old.startswith(text, self.start):
                self.end = self.start + len(text)  # also where it replaced what stood behind the cursor
                return Taking(characters=len(text), is_whole=True, is_open=False), text
        if not edit.is_within(self.start, self.end):
            return Taking(characters=self.taken, is_whole=False, is_open=False), self.texts[0]
        self.end += edit.grown
        typed = new[self.start : self.end]
        found = [(taking(typed, text), text) for text in self.texts]
        best, text = max(found, key=lambda each: (each[0].is_whole, each[0].is_open, each[0].characters))
        is_changed = best.is_whole and not typed.replace("\r\n", "\n").startswith(text)
        return best, typed if is_changed else text


@dataclass(slots=True, kw_only=True)
class TakenOver:
    """A text that was taken over; `start` and `end` move with the edits around it."""

    offer: Offer
    text: str
    start: int
    end: int
    timers: list[Timer] = field(default_factory=list)

    def move(self, edit: Edit) -> None:
        """Follows an edit of its document."""
        self.start, self.end = edit.moved(self.start, self.end)


@dataclass(slots=True, kw_only=True)
class WatchedDocument:
    """A document in which something is watched. `text` is as it was after the last edit."""

    text: str
    open_offer: OpenOffer | None = None
    taken_over: list[TakenOver] = field(default_factory=list)

    @property
    def is_idle(self) -> bool:
        """Nothing is watched in it any more."""
        return self.open_offer is None and not self.taken_over
