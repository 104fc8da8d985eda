"""Which conventions that were mined, and which comments, are sure enough to be said to somebody.

Decided by replaying histories (`benchmarks/review_conventions.py`): each exception below had been flagged, and was kept
when somebody edited it. How it does on histories that nobody had looked at: benchmarks/results/review-conventions-*.
"""

from acclimate_indexer.mining.conventions.prevalence import ALTERNATIVE_MODULES, style_of
from acclimate_indexer.mining.conventions.record import Replacement
from acclimate_indexer.mining.conventions.replacements import PROVEN_COMMITS
from acclimate_indexer.mining.conventions.track_record import is_followed

from .naming_style import NAMING_STYLE
from .prevailing import Said

SUBSTITUTES = ("http client", "json", "paths")  # purposes for which nobody needs two modules
NEEDED_TOGETHER = frozenset(ALTERNATIVE_MODULES) - frozenset(SUBSTITUTES)  # nobody is seen to put these right
# In Python a class that is used like a function is given a name of small letters on purpose: all of three that were
# seen in fifteen histories.
STYLED_ON_PURPOSE = " classes"
# Of functions. A style that more have speaks a foreign interface (Twisted's, unittest's), and is kept: of 186 commits
# to ten histories that edited the line of a definition in another style 10 wrote the same words in Python's. Where
# fewer have it such names are rarely written: of 23 histories drawn by lot ten were and were edited, of which the eight
# of redis-py were put right, and those of two others kept.
LIVED_WITH = 0.005


def is_given_up(replacement: Replacement) -> bool:
    """Whether whoever writes the old name now is behind the times.

    Its track record says so: nearly all commits that edited such a line went that way. Where those are two, it also has
    to be gone everywhere: names that are merely rare change for reasons of their own. And it has to be a name for a
    name; a step that is left out (`result.content`, now `result`), or a variable that gave way to a class, was another
    change of the code at hand, which says nothing about the next.
    """
    if not is_followed(replacement.commits, replacement.kept):
        return False
    if replacement.commits >= PROVEN_COMMITS:
        return True
    old, new = replacement.old.split("."), replacement.new.split(".")
    is_renamed = replacement.kind == "import" or len(old) == len(new)
    is_shortened = len(new) < len(old) and any(old[at : at + len(new)] == new for at in range(len(old)))
    is_of_a_kind = {style_of(old[-1]), style_of(new[-1])} != {"snake_case", "PascalCase"}
    return not replacement.remaining_uses and is_renamed and not is_shortened and is_of_a_kind


def is_convincing(said: Said) -> bool:
    """Whether this is a slip rather than another need: one that is put right.

    What stands somewhere already is mostly kept. Of 49 other modules for a purpose, and 42 libraries that an own file
    wraps, which were imported in thirteen histories, one was put right, by chance. Of a fourteenth, both log calls that
    went elsewhere and were edited still do. So only the first of its kind is spoken of, but for functions.
    """
    convention, finding = said
    if convention.role in NEEDED_TOGETHER or convention.role.endswith(STYLED_ON_PURPOSE):
        return False
    if finding.code == NAMING_STYLE:
        return convention.others.get(style_of(finding.subject), 0) <= LIVED_WITH * convention.of
    return not convention.others.get(finding.subject.removeprefix("@"))
