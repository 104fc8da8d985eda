"""What becomes of the completions of a session, inferred from the edits after them.

Every editor sends edits, few say what was taken; so the edits count, and an item's command only confirms them. Lives on
the event loop, and costs it nothing for documents in which nothing is watched.

- accepted: the offered text stands there, put in at once or typed to its end; or the editor said so;
- partly: its beginning does, then something else was changed, or nothing for ten seconds;
- rejected: something else was changed, or nothing for ten seconds.

An automatic offer that did not stand long enough to be read is none: to type on is no judgement.
"""

from dataclasses import dataclass
from functools import partial
from typing import Protocol

from acclimate_indexer.completion_feedback import Fate, Moment
from acclimate_indexer.survival import characters_kept

from .edit import Edit
from .offer import Offer
from .scheduler import RunningLoop, Scheduler
from .watched import OpenOffer, TakenOver, WatchedDocument

PATIENCE_SECONDS = 10.0  # who has not taken an offer by then does not want it
UNSEEN_SECONDS = 0.25  # to notice a text and read its first word takes longer
CONFIRMATION_SECONDS = 1.0  # an editor that changes what it puts in says within that that it was taken
MOMENTS: dict[Moment, float] = {"30_seconds": 30.0, "5_minutes": 300.0}  # the last one ends the watch
MAX_TAKEN_OVER = 50  # in a document within five minutes; the oldest of more are not looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What became of an offer. `text` is what stands there, of an accepted one; its lines end with "\\n"."""

    fate: Fate
    shown: int
    taken: int
    text: str | None = None


class Listener(Protocol):
    """Who hears of it, on the event loop."""

    def decided(self, offer: Offer, decision: Decision) -> None:
        """The fate of an offer is known; once for each."""
        ...

    def still_there(self, offer: Offer, moment: Moment, characters: int) -> None:
        """So many characters of an accepted text still stand there."""
        ...


class Watch:
    """The offers of one session."""

    def __init__(self, listener: Listener, scheduler: Scheduler | None = None) -> None:
        self._listener = listener
        self._scheduler = scheduler or RunningLoop()
        self._documents: dict[str, WatchedDocument] = {}
        self._doubtful: dict[str, OpenOffer] = {}  # not taken, unless the editor says otherwise at once

    def offered(self, offer: Offer, text: str) -> None:
        """A completion was sent for a document with this text; with a known id, the rest of one that was sent."""
        self.edited(offer.uri, text)
        if (doubtful := self._doubtful.pop(offer.id, None)) is not None:
            doubtful.stop_timer()
        document = self._documents.setdefault(offer.uri, WatchedDocument(text=text))
        known = document.open_offer
        if known is not None and known.offer.id == offer.id:
            known.go_on(offer, text)
            self._be_patient(document, known)
            return
        if known is not None:
            self._give_up(document, known)
        document.open_offer = known = OpenOffer(
            offer=offer,
            texts=(offer.text, *offer.others),
            start=offer.offset,
            end=offer.offset,
            since=self._scheduler.time(),
        )
        self._be_patient(document, known)

    def is_watching(self, uri: str) -> bool:
        """Whether an edit of this document matters."""
        return uri in self._documents

    def edited(self, uri: str, text: str) -> None:
        """A document has this text now. For each change, before a completion is asked for in the new text."""
        document = self._documents.get(uri)
        if document is None or document.text is text:
            return
        old, document.text = document.text, text
        edit = Edit.between(old, text)
        if edit.is_empty:
            return
        for taken in document.taken_over:
            taken.move(edit)
        if document.open_offer is not None:
            self._follow(document, document.open_offer, edit, old)
        self._forget_if_idle(uri)

    def accepted(self, id: str) -> None:  # noqa: A002 - as the offer calls it
        """The editor says that an offer was taken; before the edit that does so or soon after it."""
        if (doubtful := self._doubtful.pop(id, None)) is not None:
            doubtful.stop_timer()
            self._tell_accepted(doubtful, doubtful.texts[0])
        for document in self._documents.values():
            if document.open_offer is not None and document.open_offer.offer.id == id:
                document.open_offer.is_confirmed = True

    def closed(self, uri: str) -> None:
        """A document was closed. What was taken over in it is looked for in the text that it had."""
        document = self._documents.get(uri)
        if document is not None and document.open_offer is not None:
            self._give_up(document, document.open_offer)
            self._forget_if_idle(uri)

    def close(self) -> None:
        """Decides what is open, and looks at nothing from now on."""
        for document in self._documents.values():
            if document.open_offer is not None:
                self._give_up(document, document.open_offer)
            for taken in list(document.taken_over):
                _stop_looking(document, taken)
        for doubtful in list(self._doubtful.values()):
            self._refuse(doubtful)
        self._documents.clear()

    def _follow(self, document: WatchedDocument, known: OpenOffer, edit: Edit, old: str) -> None:
        found, text = known.after(edit, old, document.text)
        known.taken = found.characters
        if found.is_whole:
            self._take_over(document, known, text.replace("\r\n", "\n"))
        elif found.is_open:
            self._be_patient(document, known)
        else:
            self._give_up(document, known, may_be_confirmed=True)

    def _take_over(self, document: WatchedDocument, known: OpenOffer, text: str) -> None:
        known.stop_timer()
        document.open_offer = None
        self._tell_accepted(known, text)
        taken = TakenOver(offer=known.offer, text=text, start=known.start, end=known.end)
        for moment, seconds in MOMENTS.items():
            taken.timers.append(self._scheduler.call_later(seconds, partial(self._look, document, taken, moment)))
        document.taken_over.append(taken)
        if len(document.taken_over) > MAX_TAKEN_OVER:
            _stop_looking(document, document.taken_over[0])

    def _look(self, document: WatchedDocument, taken: TakenOver, moment: Moment) -> None:
        characters = characters_kept(taken.text, document.text, taken.start, taken.end)
        self._listener.still_there(taken.offer, moment, characters)
        if moment == list(MOMENTS)[-1]:
            _stop_looking(document, taken)
            self._forget_if_idle(taken.offer.uri)

    def _be_patient(self, document: WatchedDocument, known: OpenOffer) -> None:
        known.stop_timer()
        known.timer = self._scheduler.call_later(PATIENCE_SECONDS, partial(self._lose_patience, document, known))

    def _lose_patience(self, document: WatchedDocument, known: OpenOffer) -> None:
        self._give_up(document, known)
        self._forget_if_idle(known.offer.uri)

    def _give_up(self, document: WatchedDocument, known: OpenOffer, *, may_be_confirmed: bool = False) -> None:
        """It will not be taken, or no further."""
        known.stop_timer()
        document.open_offer = None
        stood_seconds = self._scheduler.time() - known.since
        known.is_unseen = known.offer.is_automatic and not known.taken and stood_seconds < UNSEEN_SECONDS
        if known.is_confirmed:
            self._tell_accepted(known, known.texts[0])
        elif may_be_confirmed:
            known.timer = self._scheduler.call_later(CONFIRMATION_SECONDS, partial(self._refuse, known))
            self._doubtful[known.offer.id] = known
        else:
            self._refuse(known)

    def _refuse(self, known: OpenOffer) -> None:
        known.stop_timer()
        self._doubtful.pop(known.offer.id, None)
        if not known.is_unseen:
            fate: Fate = "partly" if known.taken else "rejected"
            shown = len(known.texts[0])
            self._listener.decided(known.offer, Decision(fate=fate, shown=shown, taken=known.taken))

    def _tell_accepted(self, known: OpenOffer, text: str) -> None:
        self._listener.decided(
            known.offer, Decision(fate="accepted", shown=len(known.texts[0]), taken=len(text), text=text)
        )

    def _forget_if_idle(self, uri: str) -> None:
        document = self._documents.get(uri)
        if document is not None and document.is_idle:
            del self._documents[uri]


def _stop_looking(document: WatchedDocument, taken: TakenOver) -> None:
    for timer in taken.timers:
        timer.cancel()
    document.taken_over.remove(taken)
