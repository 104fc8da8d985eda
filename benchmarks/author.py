"""A person at the keyboard: what they see, what they read, what they take, and what it cost them.

One policy: take what equals the author's next text, and type through everything else. A proposal is read once it has
been on the screen for the time that a reaction takes; one that was typed away before was not read, and is neither right
nor wrong. It stays on the screen as long as the author types what it says, as in editors. Where only its first lines
are right, these are taken, a key a line.
Whoever takes only what is right deletes nothing again, so all that is taken is there at the end of the commit.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

REACTION_SECONDS = 0.5  # to see that there is something new, and to read a line of it


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was counted.

    Attributes:
        strokes: Keys that the text takes without any help.
        typed: Keys that were pressed to write.
        taking: Keys that were pressed to take a proposal, or a line of it.
        taken_characters: What they brought.
        shown: Proposals that came to the screen; `read` those that stayed long enough.
        wrong: Of those read, the ones that do not begin the author's next text. Of these, `partly_right` have a first
            line that does.
        pauses: Between two changes of the text, longer than a pause is. `helped` ended with a proposal on the screen.
        empty: When the others were asked in and answered with nothing.
    """

    strokes: int = 0
    typed: int = 0
    taking: int = 0
    taken_characters: int = 0
    shown: int = 0
    read: int = 0
    wrong: int = 0
    partly_right: int = 0
    pauses: int = 0
    helped: int = 0
    empty: list[tuple[float, float]] = field(default_factory=list)

    @property
    def saved(self) -> int:
        """Keys that were not pressed, less those that taking took."""
        return self.strokes - self.typed - self.taking


@dataclass(slots=True, kw_only=True)
class _Proposal:
    text: str
    since: float
    is_read: bool = False


class Author:
    """Writes the strokes in order. Knows no clock: whoever calls says what time it is."""

    def __init__(self, strokes: Sequence[str]) -> None:
        self._rest = deque(strokes)
        self._proposal: _Proposal | None = None
        self.tally = Tally(strokes=len(strokes))

    @property
    def is_done(self) -> bool:
        return not self._rest

    @property
    def strokes_left(self) -> int:
        return len(self._rest)

    @property
    def sees_a_proposal(self) -> bool:
        return self._proposal is not None

    @property
    def reads_at(self) -> float | None:
        """When the proposal on the screen will have been read; None if there is nothing to read."""
        proposal = self._proposal
        return None if proposal is None or proposal.is_read else proposal.since + REACTION_SECONDS

    def type(self) -> str:
        """Presses the next key; what it inserts."""
        stroke = self._rest.popleft()
        self.tally.typed += 1
        proposal = self._proposal
        if proposal is not None:
            is_typed_through = proposal.text.startswith(stroke) and len(proposal.text) > len(stroke)
            proposal.text = proposal.text.removeprefix(stroke)
            self._proposal = proposal if is_typed_through else None
        return stroke

    def see(self, text: str, *, now: float) -> None:
        """An answer for the text as it is now. An editor keeps what it shows as long as that still fits."""
        if text and self._proposal is None:
            self._proposal = _Proposal(text=text, since=now)
            self.tally.shown += 1

    def read(self) -> str:
        """Judges the proposal; what is taken of it, or nothing."""
        proposal, rest = self._proposal, "".join(self._rest)
        assert proposal is not None
        proposal.is_read = True
        self.tally.read += 1
        if rest.startswith(proposal.text):
            return self._take(proposal.text, keys=1)
        self.tally.wrong += 1
        lines = _right_lines(proposal.text, rest)
        if not lines:
            return ""
        self.tally.partly_right += 1
        return self._take("\n".join(lines), keys=len(lines))

    def _take(self, text: str, *, keys: int) -> str:
        self._proposal = None
        self.tally.taking += keys
        self.tally.taken_characters += len(text)
        left = len(text)
        while left:
            stroke = self._rest.popleft()
            if len(stroke) > left:  # the line break without the indentation, which takes a key of its own
                self._rest.appendleft(stroke[left:])
            left -= min(left, len(stroke))
        return text


def _right_lines(proposed: str, rest: str) -> list[str]:
    """The first lines of a proposal that are the author's next lines, whole."""
    right = []
    for line, next_line in zip(proposed.split("\n"), rest.split("\n"), strict=False):
        if line != next_line:
            break
        right.append(line)
    return right if any(map(str.strip, right)) else []
