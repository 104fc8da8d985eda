"""Where two states of a document differ, and how places in it move with that."""

from dataclasses import dataclass
from typing import Self

from acclimate_indexer.common_ends import common_beginning, common_end


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """From one text of a document to the next; several changes at once are one, from the first to the last.

    Attributes:
        same_before: So many characters at the beginning are the same.
        same_after: So many at the end. Together with `same_before` they may be more than a text has: in `aa` it
            cannot be told which one was typed.
        grown: Characters that the document has more.
        old_size: Characters that it had.
    """

    same_before: int
    same_after: int
    grown: int
    old_size: int

    @classmethod
    def between(cls, old: str, new: str) -> Self:
        """Compares whole texts, by halves: 0.3 ms for 10,000 lines."""
        return cls(
            same_before=common_beginning(old, new),
            same_after=common_end(old, new),
            grown=len(new) - len(old),
            old_size=len(old),
        )

    @property
    def is_empty(self) -> bool:
        """Nothing differs."""
        return not self.grown and self.same_before == self.old_size

    def is_within(self, start: int, end: int) -> bool:
        """Whether it may have changed nothing but `old[start:end]`."""
        return self.same_before >= start and self.same_after >= self.old_size - end and end + self.grown >= start

    def moved(self, start: int, end: int) -> tuple[int, int]:
        """Where `old[start:end]` is now; what was replaced together with other text is somewhere in the new text."""
        first = self.same_before
        last = max(first, self.old_size - self.same_after, first - self.grown)  # the old text of the edit ends here
        if last <= start:
            return start + self.grown, end + self.grown
        if first >= end:
            return start, end
        return min(start, first), max(end, last) + self.grown
