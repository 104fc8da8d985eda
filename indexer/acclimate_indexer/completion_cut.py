"""Where an answer ends: the same cut in mining, evaluation and serving.

A model that has not learnt to stop runs on past the hole. The cut ends its answer at the end of a construct, and never
repeats what stands after the cursor. It knows the text around the cursor, and nothing about the true answer.

- *Inside a line* (something stands before the cursor on its line, or after it): one construct. It ends at the first
  line break outside brackets and strings; only brackets opened on the cursor's own line or in the answer count.
- *After a block opener* (`def f():`, `case 1:`): the block, up to the line that is not deeper than the opener.
- *On a blank line*: up to the line that dedents below the cursor, or to the blank line after a paragraph; directly
  below an opener blank lines belong to the block.

Then what the suffix already holds is dropped: closing brackets, whole lines, the rest of the cursor's line.

The lexing is approximate (regular expressions, one line of left context) so that it costs well under a millisecond and
survives anything; mining drops the pairs whose true middle it would shorten, and counts them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .lexing import CLOSES, OPENS, brackets, columns_of, last_line, lexer, lexer_family, opens_block, opens_colon_block

REPEATED_LINES = 3  # so many lines equal to the suffix's next ones are a repetition for sure
MIN_REPEATED_CHARACTERS = 6  # of a partial line at the very end; shorter ones agree by chance
MIN_OVERLAP_CHARACTERS = 3  # of a tail that repeats the rest of the cursor's line, unless it is punctuation
MAX_OVERLAP_CHARACTERS = 200  # what remains of a longer line is not repeated by chance, nor in full
MAX_NESTED_CHARACTERS = 2_000  # of an answer, looked at for brackets that it leaves open

_PUNCTUATION = frozenset(",;:)]}\"'`")

Mode = Literal["line", "block", "lines"]


def cut(completion: str, *, language: str, prefix: str, suffix: str) -> str:
    """The part of `completion` that is shown. Never raises, whatever the text."""
    place = _Place.of(completion, language=language, prefix=prefix, suffix=suffix)
    return _shown(completion, _end(completion, place), place)


def is_complete(text: str, *, language: str, prefix: str, suffix: str) -> bool:
    """Whether all that could still be generated after `text` would be cut away."""
    place = _Place.of(text, language=language, prefix=prefix, suffix=suffix)
    end = _end(text, place)
    if end is None:
        return False
    # A repetition that has begun before the end may be told for one only when the rest of it has come.
    begun = (lines[0][0] for lines in _repeating_tails(text, place) if lines[0][0] < end)
    return all(_shown(text, start, place) == _shown(text, end, place) for start in begun)


def mode_at(*, language: str, prefix: str, suffix: str) -> Mode:
    """How much an answer may hold here: the rest of a line, a block, or lines. One of a block begins below its head."""
    return _Place.of("", language=language, prefix=prefix, suffix=suffix).mode


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """What the surroundings of the cursor say about where an answer may end.

    Attributes:
        before: The cursor's line up to the cursor; `after`: from it.
        threshold: A line with fewer columns ends the answer (`block`: with as few or fewer).
        paragraphs: A blank line ends the answer, too.
        supplied: So many closing brackets stand after the cursor already.
        next_lines: The suffix's next lines that are not blank.
    """

    before: str
    after: str
    family: str
    mode: Mode
    threshold: int
    paragraphs: bool
    supplied: int
    next_lines: tuple[str, ...]

    @classmethod
    def of(cls, completion: str, *, language: str, prefix: str, suffix: str) -> "_Place":
        before = prefix[prefix.rfind("\n") + 1 :]
        after, _, below = suffix.partition("\n")
        family = lexer_family(language, prefix, before)
        next_lines = tuple(_first_lines(below)) if not after.strip() else ()
        mode = _mode(completion, before, after, family)
        return cls(
            before=before,
            after=after.strip(),
            family=family,
            mode=mode,
            threshold=_threshold(completion, before, mode),
            paragraphs=mode == "lines" and not opens_block(last_line(prefix[: len(prefix) - len(before)])),
            supplied=_supplied(before, after.strip(), next_lines, family),
            next_lines=next_lines,
        )


def _mode(completion: str, before: str, after: str, family: str) -> Mode:
    if not before.strip() and not after:
        return "lines"
    first = completion.partition("\n")[0].strip()
    if not after and family != "prose" and opens_colon_block(before) and (not first or first.startswith(("#", "//"))):
        return "block"
    return "line"


def _threshold(completion: str, before: str, mode: Mode) -> int:
    if mode != "lines":
        return columns_of(before)
    first = next((line for line in (before + completion).split("\n") if line.strip()), before)
    return max(columns_of(before), columns_of(first))


def _supplied(before: str, after: str, next_lines: tuple[str, ...], family: str) -> int:
    if after:
        depth = lowest = 0
        for bracket in brackets(after, family):
            depth += 1 if bracket in OPENS else -1
            lowest = min(lowest, depth)
        return -lowest
    if not next_lines or columns_of(next_lines[0]) < columns_of(before):
        return 0  # a closer that is less deep than this line closes something that was opened before it
    head = next_lines[0].replace(" ", "")
    return len(head) - len(head.lstrip(CLOSES))


def _shown(completion: str, end: int | None, place: _Place) -> str:
    """What is left of an answer that ends there."""
    kept = _without_repeated_last_lines(completion[:end], place)
    return _without_repeated_rest(kept.rstrip(), place).rstrip()


def _end(completion: str, place: _Place) -> int | None:
    """Where the answer surely ends, or None if more text could still belong to it."""
    ends = (_construct_end(completion, place), _repetition(completion, place))
    return min((end for end in ends if end is not None), default=None)


def _construct_end(completion: str, place: _Place) -> int | None:
    offset = len(place.before)
    text = place.before + completion
    depth, floor, decided = 0, None, 0
    for token in lexer(place.family).finditer(text):
        if token.lastgroup is None:
            continue
        at = token.start()
        if floor is None and at >= offset:
            floor = _floor(depth, place)
        if token.lastgroup == "newline":
            if depth > 0 or at < decided:
                continue
            gap = _GAP.match(text, at)
            assert gap is not None
            if _ends_at_gap(text, gap, offset, place):
                return at - offset
            decided = gap.end()
            continue
        depth += 1 if text[at] in OPENS else -1
        if floor is None:
            depth = max(depth, 0)
        elif depth < floor:
            return at - offset
    return None


def _floor(opened: int, place: _Place) -> float:
    """How deep the answer may close: not below what the suffix closes itself."""
    if place.mode == "lines":
        return 0
    return min(opened, place.supplied) if place.supplied else float("-inf")


def _ends_at_gap(text: str, gap: re.Match[str], offset: int, place: _Place) -> bool:
    """Whether the answer ends before a line break with all the blank lines that follow it."""
    if place.mode == "line":
        return True
    if gap.end() == len(text):
        return False  # the next line decides, and it has not come yet
    columns = columns_of(text[gap.start("indent") : gap.end() + 1])
    if place.mode == "block":
        return columns <= place.threshold
    is_paragraph = place.paragraphs and gap["lines"].count("\n") > 1 and bool(text[offset : gap.start()].strip())
    return columns < place.threshold or (is_paragraph and columns <= place.threshold)


def _repetition(completion: str, place: _Place) -> int | None:
    """Where whole lines begin that the suffix holds already."""
    wanted = [line.strip() for line in place.next_lines]
    if len(wanted) < REPEATED_LINES or wanted[0] not in completion:
        return None
    lines = _lines(completion, place)[:-1]  # the last one may still grow
    for first in range(len(lines) - len(wanted) + 1):
        if [line for _, line in lines[first : first + len(wanted)]] == wanted:
            return lines[first][0]
    return None


def _without_repeated_last_lines(kept: str, place: _Place) -> str:
    """Drops a tail that breaks off while it repeats the suffix's next lines."""
    for lines in _repeating_tails(kept, place):
        if len(lines) > 1 or len(lines[0][1]) >= MIN_REPEATED_CHARACTERS:
            return kept[: lines[0][0]]
    return kept


def _repeating_tails(text: str, place: _Place) -> Iterator[list[tuple[int, str]]]:
    """The text's last lines, the longest tail first, where they repeat the suffix's next ones as far as they go."""
    if not place.next_lines:
        return
    wanted = [line.strip() for line in place.next_lines]
    lines = _lines(text, place)
    for first in range(max(0, len(lines) - len(wanted)), len(lines)):
        *whole, (_, last) = lines[first:]
        if [line for _, line in whole] == wanted[: len(whole)] and wanted[len(whole)].startswith(last):
            yield lines[first:]


def _lines(completion: str, place: _Place) -> list[tuple[int, str]]:
    """The answer's lines that are not blank, with where each begins; the cursor's own only if the cursor starts it."""
    lines, start = [], 0
    for number, line in enumerate(completion.split("\n")):
        if line.strip() and (number or not place.before.strip()):
            lines.append((start, line.strip()))
        start += len(line) + 1
    return lines


def _without_repeated_rest(kept: str, place: _Place) -> str:
    """Drops a tail that repeats the head of what stands after the cursor on its line."""
    longest = min(len(kept), len(place.after), MAX_OVERLAP_CHARACTERS)
    for length in range(longest, 0, -1):
        head, tail = kept[:-length], kept[-length:]
        if tail != place.after[:length] or not _is_boundary(head, tail):
            continue
        is_chance = length < MIN_OVERLAP_CHARACTERS and length < len(place.after) and tail[0] not in _PUNCTUATION
        if not is_chance and not _nested(head, place):
            return head
    return kept


def _is_boundary(kept: str, tail: str) -> bool:
    return not kept or not (_is_word(kept[-1]) and _is_word(tail[0]))


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _nested(kept: str, place: _Place) -> bool:
    """Whether `kept` leaves a bracket of its own open: the tail then closes it, and repeats nothing."""
    depth = lowest = 0
    for bracket in brackets(kept[-MAX_NESTED_CHARACTERS:], place.family):
        depth += 1 if bracket in OPENS else -1
        lowest = min(lowest, depth)
    return depth > lowest


def _first_lines(text: str) -> list[str]:
    found: list[str] = []
    start = 0
    while start < len(text) and len(found) < REPEATED_LINES:
        end = text.find("\n", start)
        line = text[start:] if end < 0 else text[start:end]
        if line.strip():
            found.append(line)
        start = len(text) if end < 0 else end + 1
    return found


_GAP = re.compile(r"(?P<lines>(?:[ \t\r\f\v]*\n)+)(?P<indent>[ \t\r\f\v]*)")
