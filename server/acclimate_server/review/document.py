"""A document that was saved, or that a review was asked for; what is known of it changes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from acclimate_indexer.languages.language import Language

from ..settings import ReviewSettings
from ..status import ReviewWord
from .comments import Comment, Shown
from .ground import Ground
from .opened import OpenText
from .reviewed import Reviewed
from .timing import Saves

Now = Callable[[], OpenText | None]  # what stands in a document; None when it is not open any more


@dataclass(slots=True, kw_only=True, eq=False)
class ReviewedDocument:
    """One document of the editor's.

    Attributes:
        ground: None until it was looked at for the first time, as is `language`.
        shown: What the editor was told last.
        task: Its review, or the wait for it.
        moving: Set where it was edited, until what is shown has moved with the text.
    """

    now: Now
    saves: Saves = field(default_factory=Saves)
    state: ReviewWord = "idle"
    ground: Ground | None = None
    language: Language | None = None
    wanted: ReviewSettings = field(default_factory=ReviewSettings)
    reviewed: Reviewed = field(default_factory=Reviewed)
    shown: Shown | None = None
    task: asyncio.Task[None] | None = None
    moving: asyncio.TimerHandle | None = None

    @property
    def comments(self) -> tuple[Comment, ...]:
        return () if self.shown is None else self.shown.all

    def comment(self, mark: str) -> Comment | None:
        """The comment that commands call so."""
        return next((each for each in self.comments if each.mark == mark), None)

    def stop(self) -> None:
        """Ends what is being done for it."""
        if self.task is not None:
            self.task.cancel()
        if self.moving is not None:
            self.moving.cancel()
            self.moving = None
