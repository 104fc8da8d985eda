"""The reviews of a session: what is saved is reviewed in the background, and what was found moves with the text.

Lives on the event loop; all that computes or reads runs in one thread of its own, so that no completion waits for a
review. A document is reviewed once at a time: its next save ends the review that runs.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from acclimate_indexer.errors import AcclimateError
from acclimate_indexer.repository import Repository
from acclimate_indexer.review.dismissal_log import Scope

from ..settings import ReviewSettings
from ..status import ReviewStatus, ReviewWord, StatusBoard
from .background import Background
from .comments import Comment, Shown, shown
from .document import Now, ReviewedDocument
from .ground import Ground
from .model import Voice
from .opened import Belonging, OpenText
from .plan import Asked, NoReview, Plan, plan
from .reviewed import Reviewed
from .reviewers import findings_of
from .scope import language_to_review

log = logging.getLogger(__name__)

T = TypeVar("T")

MOVE_SECONDS = 0.2  # after an edit; editors move what they show themselves until they are told
LOOK_SECONDS = 2.0  # between two looks whether another editor of this machine dismissed something
YIELD_SECONDS = 2.0  # so long a review waits at most for completions to be done
NO_REPOSITORY = "The file is in no git repository that has a commit: there is no history to review it by."


class Reviews:
    """All documents of a session.

    Attributes:
        publish: Hears what is to be shown of a document, whenever that may have changed.

    Args:
        belonging: Gives where a file belongs; None outside of any repository.
        completions: Gives the completions that are being written: they go first.
    """

    def __init__(
        self,
        board: StatusBoard,
        belonging: Callable[[Path], Awaitable[Belonging | None]],
        completions: Callable[[], Collection[asyncio.Future[Any]]],
    ) -> None:
        self.publish: Callable[[Shown], None] = lambda _: None
        self._board = board
        self._belonging = belonging
        self._completions = completions
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="review")
        self._grounds: dict[Path, Ground] = {}
        self._documents: dict[str, ReviewedDocument] = {}
        self._background = Background()
        self._following: asyncio.Task[None] | None = None
        self._is_enabled = True
        self._reason = ""
        self._words: Mapping[str, str] = {}

    # What happens to a document.

    def announced(self, uri: str, now: Now, *, is_automatic: bool) -> None:
        """A document is going to be saved, and its editor says whether somebody wanted that."""
        self._document(uri, now).saves.announced(is_automatic=is_automatic)

    def saved(self, uri: str, now: Now) -> None:
        """A document was saved: it is reviewed as it is now, soon."""
        document, saved = self._document(uri, now), now()
        document.saves.saved()
        if saved is not None:
            self._tell(document, "waiting")
            self._begin(document, partial(self._after_save, document, saved))

    def changed(self, uri: str, now: Now) -> None:
        """Something was typed."""
        document = self._document(uri, now)
        document.saves.edited()
        if document.comments and document.moving is None:
            self._move_soon(document)

    def closed(self, uri: str) -> None:
        """A document left the editor: nothing is shown of it any more."""
        if (document := self._documents.pop(uri, None)) is None:
            return
        document.stop()
        if document.shown is not None:
            self.publish(Shown(document=document.shown.document))
        self._tell()

    async def asked(self, uri: str, now: Now, asked: Asked) -> str:
        """Reviews a document at once; gives why nothing is reviewed, or nothing."""
        document, text = self._document(uri, now), now()
        if text is None:
            return "The document is not open."
        self._reason = ""
        task = self._begin(document, partial(self._review, document, text, asked))
        await asyncio.wait([task])
        return self._reason

    async def current(self, uri: str) -> Shown | None:
        """What is shown of a document, in the text that it has now; None if nothing is known of it.

        Its fixes fit that text, also while it is edited.
        """
        document = self._documents.get(uri)
        if document is None or document.shown is None:
            return None
        await self._confirm(document)
        await self._show(document)
        return document.shown

    async def dismiss(self, uri: str, mark: str, scope: Scope) -> bool:
        """Says a thing here, or in the whole repository, never again. False if it is not shown (any more).

        Raises:
            DiskFull: It cannot be remembered.
        """
        document = self._documents.get(uri)
        comment = None if document is None else document.comment(mark)
        if document is None or document.shown is None or comment is None or document.ground is None:
            return False
        await self.in_thread(document.ground.dismiss, comment.finding, document.shown.target, scope)
        await self._show_all(document.ground)
        return True

    def comment(self, uri: str, mark: str) -> Comment | None:
        """A comment that is shown."""
        document = self._documents.get(uri)
        return None if document is None else document.comment(mark)

    async def in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        """Does some work in the thread of reviews."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def settings_changed(self, wanted: ReviewSettings) -> None:
        """Other settings count from now on; `wanted` are those outside of any repository."""
        self._is_enabled = wanted.enabled
        self._tell()
        for document in self._documents.values():
            if document.shown is not None:
                self._background.run(self._set_anew(document))

    def close(self) -> None:
        """Ends everything at once."""
        for document in self._documents.values():
            document.stop()
        self._background.close()
        self._documents.clear()
        self._thread.shutdown(wait=False, cancel_futures=True)

    # A review.

    async def _after_save(self, document: ReviewedDocument, saved: OpenText) -> None:
        belonging = await self._belonging(saved.path)
        if belonging is not None and belonging.wanted.enabled:
            await document.saves.settled(belonging.wanted.idle_seconds)
        await self._review(document, saved, None)

    async def _review(self, document: ReviewedDocument, text: OpenText, asked: Asked) -> None:
        belonging = await self._belonging(text.path)
        if belonging is None:
            self._reason = NO_REPOSITORY
            return
        self._tell(document, "reviewing")
        await self._after_completions()
        planned = await self.in_thread(self._planned, document, text, belonging, asked)
        self._reason = planned.reason if isinstance(planned, NoReview) else ""
        if isinstance(planned, Plan):
            await self._ask(document, planned)
        elif not planned.is_broken:
            document.reviewed = Reviewed()
        await self._show(document)

    async def _ask(self, document: ReviewedDocument, planned: Plan) -> None:
        """Asks the reviewers about what is new. Lines count as looked at only when that is done."""
        findings = await findings_of(
            planned.target,
            planned.panel.reviewers,
            timeout_seconds=document.wanted.timeout_seconds,
            known=planned.known.lines,
        )
        document.reviewed = await self.in_thread(planned.done, findings)
        self._words = {**planned.panel.words, **findings.silent}

    async def _confirm(self, document: ReviewedDocument) -> None:
        """Asks for the fixes again where the text was edited since: what they would do there now may be harm."""
        known, text = document.reviewed, document.now()
        if text is None or document.ground is None or document.language is None or not known.found:
            return
        if known.text == text.text and known.has_current_fixes:
            return
        carried = await self.in_thread(known.carried, text.text)
        panel = await self.in_thread(document.ground.panel, document.wanted, Voice(), self._thread)
        again = [each for each in panel.reviewers if each.looks_again]
        target = await self.in_thread(carried.target, document.language)
        if target is None:
            return
        findings = await findings_of(target, again, timeout_seconds=document.wanted.timeout_seconds)
        if document.reviewed is known:  # else a review has ended meanwhile, which gave fixes of its own
            document.reviewed = carried.confirmed(findings.found, {each.name for each in again})

    def _planned(
        self, document: ReviewedDocument, text: OpenText, belonging: Belonging, asked: Asked
    ) -> Plan | NoReview:
        """In the thread."""
        document.ground = ground = self._ground(belonging)
        document.wanted = wanted = belonging.wanted
        document.language = language_to_review(belonging.path, text.language_id)
        return plan(
            belonging.path,
            document.language,
            text.text,
            before=document.reviewed,
            asked=asked,
            ground=ground,
            panel=ground.panel(wanted, belonging.voice, self._thread),
            wanted=wanted,
        )

    def _ground(self, belonging: Belonging) -> Ground:
        """In the thread, with a `Repository` of its own: one is not for several threads."""
        key = belonging.repository.git_directory
        if key not in self._grounds:
            self._grounds[key] = Ground(Repository.open(belonging.repository.work_tree or key), belonging.home)
        return self._grounds[key]

    async def _after_completions(self) -> None:
        """Waits a little while completions are being written."""
        loop = asyncio.get_running_loop()
        until = loop.time() + YIELD_SECONDS
        while (writing := self._completions()) and loop.time() < until:
            await asyncio.wait(writing, timeout=until - loop.time())

    # What is shown.

    async def _show(self, document: ReviewedDocument) -> None:
        """Shows what is known, in the text that the document has now."""
        while (text := document.now()) is not None and document.ground is not None and document.language is not None:
            known = document.reviewed
            carried = await self.in_thread(known.carried, text.text) if known.found else known
            now = await self.in_thread(shown, text, carried, document.language, document.ground, document.wanted)
            if document.reviewed is not known:
                continue  # a review has ended meanwhile, or another one has carried it on
            if document not in self._documents.values():
                return
            document.reviewed, document.shown = carried, now
            self.publish(now)
            self._follow()
            if now.all and document.moving is None and (later := document.now()) and later.source is not text.source:
                self._move_soon(document)
            return

    async def _show_all(self, ground: Ground) -> None:
        for document in list(self._documents.values()):
            if document.ground is ground and document.shown is not None:
                await self._show(document)

    def _move_soon(self, document: ReviewedDocument) -> None:
        document.moving = asyncio.get_running_loop().call_later(MOVE_SECONDS, self._move, document)

    def _move(self, document: ReviewedDocument) -> None:
        document.moving = None
        self._background.run(self._show(document))

    async def _set_anew(self, document: ReviewedDocument) -> None:
        text = document.now()
        belonging = None if text is None else await self._belonging(text.path)
        if belonging is not None:
            document.wanted = belonging.wanted
            await self._show(document)

    def _follow(self) -> None:
        """Looks from time to time what other editors dismiss, or take back, as long as something was found."""
        if self._following is None or self._following.done():
            self._following = self._background.run(self._followed())

    async def _followed(self) -> None:
        while grounds := {each.ground for each in self._documents.values() if each.reviewed.found}:
            await asyncio.sleep(LOOK_SECONDS)
            for ground in grounds:
                if ground is not None and await self.in_thread(ground.has_news):
                    await self._show_all(ground)

    # The rest.

    def _document(self, uri: str, now: Now) -> ReviewedDocument:
        document = self._documents.setdefault(uri, ReviewedDocument(now=now))
        document.now = now
        return document

    def _begin(self, document: ReviewedDocument, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        if document.task is not None:
            document.task.cancel()
        document.task = task = self._background.run(self._to_its_end(document, work))
        return task

    async def _to_its_end(self, document: ReviewedDocument, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except AcclimateError as error:
            self._reason = str(error)
            log.warning("No review: %s", error)
        finally:
            if document.task is asyncio.current_task():
                self._tell(document, "idle")

    def _tell(self, document: ReviewedDocument | None = None, state: ReviewWord = "idle") -> None:
        """Brings the status up to date."""
        if document is not None:
            document.state = state
        if not self._is_enabled:
            self._board.update(review=ReviewStatus(state="off", reason="Review is switched off: `review.enabled`."))
            return
        states = {each.state for each in self._documents.values()}
        now: ReviewWord = "reviewing" if "reviewing" in states else "waiting" if "waiting" in states else "idle"
        self._board.update(review=ReviewStatus(state=now, reason=self._reason, reviewers=dict(self._words)))
