"""What a team says to its reviewers, in Markdown that people read.

`.acclimate/review.md` is prose, and the prose is put before the model. A list item of one of these forms is an
instruction to the conventions besides:

    - on: python functions
    - off: python logging
    - off: replaced-name `from_client`
    - word: replaced-name `from_client`: Proxies are made with `as_proxy`, see docs/proxies.md.
    - use `as_proxy` instead of `from_client` — because the client may be shared.

What is named after `off` and `word` is a code, a code and what it is about, or what a convention is of, all as in the
comment. `on` names what a convention is of that would be silent otherwise, since commits are hardly seen to follow it.
Every other line is prose, and so is all of AGENTS.md and CLAUDE.md. The texts are untrusted: they are bounded, and
whatever they say, only comments of our own are changed by them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from acclimate_indexer.mining.conventions.record import Conventions, Prevalence

from .finding import Finding
from .prevailing import Said
from .replaced_names import REPLACED_NAME, PinnedReplacement

RULES_FILE = ".acclimate/review.md"
PROSE_FILES = ("AGENTS.md", "CLAUDE.md")
MAX_FILE_CHARACTERS = 64 * 1024  # of a file; nobody reads rules of more
MAX_PROSE_CHARACTERS = 6_000  # of all files together: about 1,500 tokens of the model's prompt
MAX_INSTRUCTION_CHARACTERS = 500
MAX_INSTRUCTIONS = 200  # of a file; all the others are prose

_ITEM = re.compile(r"\s{0,3}[-*+]\s+(\S.*)")
_ON = re.compile(r"on:\s*(\S.*)", re.IGNORECASE)
_OFF = re.compile(r"off:\s*(\S.*)", re.IGNORECASE)
_WORD = re.compile(r"word:\s*(\S.*?):\s+(\S.*)", re.IGNORECASE)  # a code may hold a colon, but no blank after it
_USE = re.compile(r"use\s+`([^`]+)`\s+instead\s+of\s+`([^`]+)`\s*(?:[-–—:,.;]+\s*)?(?:because\s+)?(.*)", re.IGNORECASE)
_FENCE = re.compile(r"\s{0,3}(?:```|~~~)")


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRules:
    """The rules of a repository.

    Attributes:
        prose: For the model's prompt.
        pinned: Replacements that need no history.
        on: What conventions are of that speak although commits are hardly seen to follow them.
        off: What is not to be said: codes, codes with what they are about, and what conventions are of.
        words: What is to be said instead, by the same names.
    """

    prose: str = ""
    pinned: tuple[PinnedReplacement, ...] = ()
    on: frozenset[str] = frozenset()
    off: frozenset[str] = frozenset()
    words: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, texts: Mapping[str, str]) -> Self:
        """Reads a repository's rules files, given by their paths; what comes first has the room first."""
        readings = [_Reading(path, text[:MAX_FILE_CHARACTERS]) for path, text in texts.items()]
        return cls(
            prose=_bounded("\n\n".join(filter(None, (reading.prose for reading in readings)))),
            pinned=tuple(each for reading in readings for each in reading.pinned),
            on=frozenset(name for reading in readings for name in reading.on),
            off=frozenset(name for reading in readings for name in reading.off),
            words={name: sentence for reading in readings for name, sentence in reading.words.items()},
        )

    def apply(self, conventions: Conventions) -> Conventions:
        """The conventions without those that are switched off."""
        pinned = {each.old for each in self.pinned}
        return replace(
            conventions,
            replacements=tuple(
                each
                for each in conventions.replacements
                if each.old not in pinned and not self.silences(REPLACED_NAME, each.old)
            ),
            prevalence=tuple(each for each in conventions.prevalence if each.role.casefold() not in self.off),
        )

    def asks_for(self, convention: Prevalence) -> bool:
        """Whether a convention is to speak whatever its record."""
        return convention.role.casefold() in self.on

    def silences(self, code: str, subject: str) -> bool:
        """Whether a comment of this kind, about this, is switched off; of any reviewer."""
        return not self.off.isdisjoint(_names(code, subject))

    def worded(self, said: Iterable[Said | Finding]) -> Iterator[Finding]:
        """The comments that are not switched off, in the team's words where it has any."""
        for each in said:
            finding = each.finding if isinstance(each, Said) else each
            names = _names(finding.code, finding.subject)
            if isinstance(each, Said):
                names = (*names, each.convention.role.casefold())
            if self.off.isdisjoint(names):
                own = next((self.words[name] for name in names if name in self.words), None)
                yield finding if own is None else replace(finding, message=own)


class _Reading:
    """One file, taken apart."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self.pinned: list[PinnedReplacement] = []
        self.on: list[str] = []
        self.off: list[str] = []
        self.words: dict[str, str] = {}
        self.prose = self._prose(text) if path == RULES_FILE else text.strip()

    def _prose(self, text: str) -> str:
        """What is left for the model: all but what only our own comments understand."""
        kept = []
        is_fenced = False
        for number, line in enumerate(text.splitlines(), start=1):
            is_fenced ^= _FENCE.match(line) is not None
            if is_fenced or not self._is_instruction(line, number):
                kept.append(line)
        return "\n".join(kept).strip()

    @property
    def _instructions(self) -> int:
        return len(self.pinned) + len(self.on) + len(self.off) + len(self.words)

    def _is_instruction(self, line: str, number: int) -> bool:
        """Takes an instruction; what says what to use is worth reading for a model, too."""
        item = _ITEM.match(line) if len(line) <= MAX_INSTRUCTION_CHARACTERS else None
        if item is None or self._instructions >= MAX_INSTRUCTIONS:
            return False
        said = item[1].strip()
        if on := _ON.fullmatch(said):
            self.on.append(_plain(on[1]))
        elif off := _OFF.fullmatch(said):
            self.off.append(_plain(off[1]))
        elif word := _WORD.fullmatch(said):
            self.words[_plain(word[1])] = word[2]
        elif use := _USE.fullmatch(said):
            self._pin(use[1], use[2], use[3], number)
            return False
        else:
            return False
        return True

    def _pin(self, new: str, old: str, why: str, number: int) -> None:
        if old and new and old != new:
            self.pinned.append(PinnedReplacement(old=old, new=new, why=why.rstrip("."), path=self._path, line=number))


def _plain(name: str) -> str:
    """A name as it is compared: without marks, white space and capitals that say nothing."""
    return " ".join(name.replace("`", "").split()).casefold()


def _bounded(prose: str) -> str:
    """As many whole lines as the model has room for."""
    if len(prose) <= MAX_PROSE_CHARACTERS:
        return prose
    return prose[: MAX_PROSE_CHARACTERS + 1].rpartition("\n")[0].rstrip() or prose[:MAX_PROSE_CHARACTERS]


def _names(code: str, subject: str) -> tuple[str, ...]:
    """What a comment is called in a rules file, the most exact first."""
    return f"{code} {subject}".casefold(), code.casefold()
