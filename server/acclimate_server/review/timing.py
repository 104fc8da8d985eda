"""When a saved document is reviewed: soon after somebody saved it, or once an editor that saves by itself is idle.

Many editors say before a save why it happens (`willSave`). Of the others, a save that closely follows an edit or
another save counts as the editor's own.
"""

import asyncio
import time

SETTLE_SECONDS = 0.3  # after a save: "save all" and tools that write a file several times are over by then
AUTOMATIC_SECONDS = 2.0  # what saves by itself mostly does so a second after the last keystroke


class Saves:
    """The edits and saves of one document."""

    def __init__(self) -> None:
        self._edited = self._saved = -AUTOMATIC_SECONDS
        self._announced: bool | None = None
        self._is_automatic = False

    def edited(self) -> None:
        """Somebody typed."""
        self._edited = time.monotonic()

    def announced(self, *, is_automatic: bool) -> None:
        """The editor has said why it is going to save."""
        self._announced = is_automatic

    def saved(self) -> None:
        """The document was saved."""
        now = time.monotonic()
        is_close = now - max(self._edited, self._saved) < AUTOMATIC_SECONDS
        self._is_automatic = is_close if self._announced is None else self._announced
        self._saved, self._announced = now, None

    async def settled(self, idle_seconds: float) -> None:
        """Returns when the document that was saved may be reviewed."""
        while (left := self._due(idle_seconds) - time.monotonic()) > 0:  # noqa: ASYNC110  # each edit moves the end
            await asyncio.sleep(left)

    def _due(self, idle_seconds: float) -> float:
        soon = self._saved + SETTLE_SECONDS
        return max(soon, max(self._edited, self._saved) + idle_seconds) if self._is_automatic else soon
