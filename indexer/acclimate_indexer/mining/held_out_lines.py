"""Whether a held-out line stands in something that is learnt from."""

from collections import defaultdict
from collections.abc import Iterable

from acclimate_indexer.errors import DatasetError
from acclimate_indexer.pairs import CompletionPair, ReviewPair
from acclimate_indexer.prompts import WINDOW_PREFIX_CHARACTERS, WINDOW_SUFFIX_CHARACTERS


def touched_lines(pair: CompletionPair) -> list[str]:
    """The whole lines that a hole touches, stripped. A hole that starts with a line break does not touch its head."""
    head = "" if pair.middle.startswith("\n") else pair.prefix[pair.prefix.rfind("\n") + 1 :]
    return stripped_lines(head + pair.middle + pair.suffix.partition("\n")[0])


class HeldOutLines:
    """The lines of held-out holes, each hole's one after the other."""

    def __init__(self, pairs: Iterable[CompletionPair]) -> None:
        self._by_first: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        for pair in pairs:
            if lines := touched_lines(pair):
                self._by_first[lines[0]].add(tuple(lines))

    def found_in(self, text: str) -> str | None:
        """The first line of a hole whose lines all stand in `text`; None if there is none."""
        lines = stripped_lines(text)
        for at, line in enumerate(lines):
            for wanted in self._by_first.get(line, ()):
                if tuple(lines[at : at + len(wanted)]) == wanted:
                    return line
        return None


def require_no_leak(
    held_out: Iterable[CompletionPair], learnt: Iterable[CompletionPair | ReviewPair], held_out_paths: frozenset[str]
) -> None:
    """Compares what is learnt with what is held out. All was seen to before; this looks at nothing but the result.

    Raises:
        DatasetError: Something leaks, and the data set must not be written.
    """
    lines = HeldOutLines(held_out)
    for pair in learnt:
        if pair.path in held_out_paths:
            raise DatasetError(leak_words(pair, "the file is held out"))
        found = next(filter(None, map(lines.found_in, texts(pair))), None)
        if found is not None:
            raise DatasetError(leak_words(pair, f"the held-out line {found[:80]!r} stands in it"))


def texts(pair: CompletionPair | ReviewPair) -> list[str]:
    """All text of a pair that a model learns from. What the window cut off a line is no line."""
    if isinstance(pair, ReviewPair):
        return [pair.hunk, *([] if pair.comment is None else [pair.comment.suggestion])]
    text = pair.prefix + pair.middle + pair.suffix
    if len(pair.prefix) >= WINDOW_PREFIX_CHARACTERS:
        text = text[text.find("\n") + 1 :]
    if len(pair.suffix) >= WINDOW_SUFFIX_CHARACTERS:
        text = text[: text.rfind("\n")]
    return [text, *(snippet.text for snippet in pair.context)]


def leak_words(pair: CompletionPair | ReviewPair, why: str) -> str:
    """What is said when a data set is not written."""
    return (
        f"A training pair of {pair.path!r} would leak held-out code ({why}), so no data set was written. "
        "This is a defect of acclimate: report it with the commit."
    )


def stripped_lines(text: str) -> list[str]:
    """The lines that are not blank, without the white space around them."""
    return [line for line in map(str.strip, text.split("\n")) if line]
