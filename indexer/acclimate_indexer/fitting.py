"""What of an answer may be put into a document so that what parsed still parses."""

from .document_tree import DocumentTree, ParsedText
from .edit_damage import Edit

FITTING_SECONDS = 0.01  # an attempt; of an answer that takes longer nothing is known, and it is shown


def fitting(document: DocumentTree, insertion: str, offset: int, *, replaced: int = 0) -> str:
    """What of `insertion` may stand at `offset`, for so many characters: all of it, its first lines, or nothing.

    Only the constructs around the place are parsed, where they are small; there are three attempts at most.
    """
    if document.parsed is None:
        return insertion
    before, begin = document.parsed.part_around(offset, offset + replaced)
    offset -= begin
    if (damage := _damage(before, insertion, offset, replaced)) is None:
        return insertion
    for attempt in _shorter(insertion, damage):
        if _damage(before, attempt, offset, replaced) is None:
            return attempt
    return ""


def prepare(document: DocumentTree, offset: int) -> None:
    """Does what `fitting` needs to know of the document, before an answer is there."""
    if document.parsed is not None:
        document.parsed.part_around(offset, offset)


def _damage(before: ParsedText, insertion: str, offset: int, replaced: int) -> int | None:
    """At which of its bytes the insertion damages the document; None if it does not, as far as one knows."""
    after = before.with_edit(offset, offset + replaced, insertion, seconds=FITTING_SECONDS)
    return None if after is None else Edit.of(before, after, offset, replaced, insertion).damage()


def _shorter(insertion: str, damage: int) -> list[str]:
    """All lines but the last, which may be half written, and the lines above the damage."""
    above = insertion.encode("utf-8", errors="replace")[:damage].decode("utf-8", errors="ignore")
    kept = (insertion[: len(lines.rpartition("\n")[0].rstrip())] for lines in (insertion, above))
    return [lines for lines in dict.fromkeys(kept) if lines]
