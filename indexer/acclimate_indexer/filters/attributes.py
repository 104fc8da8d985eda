"""What a repository says itself about its files in `.gitattributes`: generated, vendored.

The files of the commit are read, never the work tree. Patterns mean what they mean to git, seen from the folder of the
file that holds them; a deeper file wins, and of a file the last line that matches.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pathspec import GitIgnoreSpec

REASONS = {"linguist-generated": "generated", "linguist-vendored": "vendored"}
MAX_RULES = 2_000  # more lines are not written by people


@dataclass(frozen=True, slots=True)
class _Rule:
    folder: str  # with a slash at its end, or empty
    spec: GitIgnoreSpec
    is_set: dict[str, bool]  # by the name of an attribute


class Attributes:
    """The attributes of a commit's files."""

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        """Takes the path and the text of each `.gitattributes`."""
        ordered = sorted(entries, key=lambda entry: (entry[0].count("/"), entry[0]))
        self._rules = [rule for path, text in ordered for rule in _rules(path, text)][:MAX_RULES]

    def unwanted(self, path: str) -> str:
        """`generated` or `vendored` where the attributes say so; else empty."""
        said: dict[str, bool] = {}
        for rule in self._rules:
            if path.startswith(rule.folder) and rule.spec.match_file(path[len(rule.folder) :]):
                said |= rule.is_set
        return next((reason for name, reason in REASONS.items() if said.get(name)), "")


def _rules(path: str, text: str) -> list[_Rule]:
    folder = path.rpartition("/")[0]
    rules = []
    for line in text.splitlines()[:MAX_RULES]:
        pattern, *attributes = line.split()[:20] if line.strip() and not line.lstrip().startswith("#") else [""]
        is_set = dict(filter(None, map(_attribute, attributes)))
        if not is_set or pattern.startswith("!"):
            continue
        try:
            rules.append(_Rule(f"{folder}/" if folder else "", GitIgnoreSpec.from_lines([pattern]), is_set))
        except (ValueError, re.error):  # what pathspec raises for a pattern that makes no sense
            continue
    return rules


def _attribute(word: str) -> tuple[str, bool] | None:
    name, _, value = word.lstrip("-!").partition("=")
    if name not in REASONS:
        return None
    return name, word[0] not in "-!" and value.lower() not in ("false", "0", "no")
