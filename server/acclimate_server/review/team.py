"""The rules files of a work tree. They are somebody else's text: bounded, and never from outside of the tree."""

from collections.abc import Iterable
from pathlib import Path

from acclimate_indexer.review.rules import MAX_FILE_CHARACTERS, TeamRules

MAX_BYTES = 4 * MAX_FILE_CHARACTERS  # of UTF-8 a character has four at most


def team_rules(work_tree: Path, paths: Iterable[str]) -> TeamRules:
    """The rules that stand in those of the files that there are.

    Args:
        paths: Relative to the work tree; what leads out of it, also by a link, is passed over.
    """
    root = work_tree.resolve()
    texts: dict[str, str] = {}
    for path in paths:
        try:
            file = (root / path).resolve()
            if file.is_relative_to(root) and file.is_file():
                with file.open("rb") as opened:
                    texts[path] = opened.read(MAX_BYTES).decode("utf-8", errors="replace")
        except (OSError, ValueError):  # a name that no file can have
            continue
    return TeamRules.read(texts)
