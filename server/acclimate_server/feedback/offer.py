"""A completion that was sent to the editor."""

from dataclasses import dataclass
from datetime import datetime

from acclimate_indexer.repository import Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A completion that was sent and was not stale then.

    Attributes:
        id: Never used for another one. The rest of an answer that the user types through is the same offer.
        repository: Whose code it is in; what becomes of it is kept there.
        path: Relative to the work tree.
        offset: Of the cursor, in characters.
        before: The line up to the cursor.
        text: What is shown first.
        others: What the editor can turn to instead.
        adapter: None is the base model.
        model: The base model's name.
        milliseconds: From the request to the answer; None where the engine was not asked.
        is_automatic: The user typed and did not ask.
        confidence: From 0 to 1; None where it is not known.
    """

    id: str
    repository: Repository
    uri: str
    path: str
    language: str
    offset: int
    before: str
    text: str
    others: tuple[str, ...] = ()
    adapter: str | None
    model: str
    milliseconds: float | None
    is_automatic: bool
    confidence: float | None
    time: datetime
