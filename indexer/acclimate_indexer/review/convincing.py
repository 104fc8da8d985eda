"""Which conventions that were mined, and which comments, are sure enough to be said to somebody.

Decided by replaying histories (`benchmarks/review_conventions.py`): each exception below had been flagged, and was kept
when somebody edited it. How it does on histories that nobody had looked at: benchmarks/results/review-conventions-*.
"""

import builtins

from acclimate_indexer.mining.conventions.prevalence import ALTERNATIVE_MODULES, style_of
from acclimate_indexer.mining.conventions.record import Replacement
from acclimate_indexer.mining.conventions.replacements import PROVEN_COMMITS
from acclimate_indexer.mining.conventions.track_record import ENOUGH_PLACES, is_followed

from .naming_style import NAMING_STYLE
from .prevailing import Said

SUBSTITUTES = ("http client", "json", "paths")  # purposes for which nobody needs two modules
# Nobody is seen to put these right: modules that are needed together, and a library imported past the own file that
# wraps it, where one of five edited lines went that way, by chance, in forty histories.
HARDLY_PUT_RIGHT = frozenset(ALTERNATIVE_MODULES) - frozenset(SUBSTITUTES) | {"own libraries"}
# Likewise, in any language: in Python a class that is used like a function is given a name of small letters on purpose,
# all of three in fifteen histories; and of six log calls that went elsewhere and were edited, in two, four still do.
SELDOM_PUT_RIGHT = (" classes", " logging")
_BUILT_IN = frozenset(name for name, value in vars(builtins).items() if getattr(value, "__name__", "") == name)


def is_given_up(replacement: Replacement) -> bool:
    """Whether whoever writes the old name now is behind the times.

    Its track record says so: enough places, and nearly all commits that edited such a line, went that way. And it has
    to be a name for a name; a step that is left out (`result.content`, now `result`) was another change of the code at
    hand, which says nothing about the next. What is built into Python stays of use, whatever was made of it elsewhere
    (`KeyError`, then `LookupError`; `ord`, then a helper); a mere alias may be given up (`IOError`). Where the
    commits are two, it also has to be gone everywhere: names that are merely rare change for reasons of their own, as a
    variable does that gives way to a class.
    """
    old, new = replacement.old.split("."), replacement.new.split(".")
    is_shortened = len(new) < len(old) and any(old[at : at + len(new)] == new for at in range(len(old)))
    if is_shortened or replacement.places < ENOUGH_PLACES or _is_built_in(replacement):
        return False
    if not is_followed(replacement.commits, replacement.kept):
        return False
    if replacement.commits >= PROVEN_COMMITS:
        return True
    is_renamed = replacement.kind == "import" or len(old) == len(new)
    is_of_a_kind = {style_of(old[-1]), style_of(new[-1])} != {"snake_case", "PascalCase"}
    return not replacement.remaining_uses and is_renamed and is_of_a_kind


def _is_built_in(replacement: Replacement) -> bool:
    return replacement.old in _BUILT_IN and replacement.position != "later" and ".py" in replacement.extensions


def is_convincing(said: Said) -> bool:
    """Whether this is a slip rather than another need: one that is put right.

    What stands somewhere already is mostly kept. Of 49 other modules for a purpose, which were imported in thirteen
    histories, none was put right. Of functions in another style, where at most one in 200 had it: the eight of
    redis-py, which had none, were put right, and none of six where it stood already (certbot, luigi). So only the first
    of its kind is spoken of.
    """
    convention, finding = said
    if convention.role in HARDLY_PUT_RIGHT or convention.role.endswith(SELDOM_PUT_RIGHT):
        return False
    way = style_of(finding.subject) if finding.code == NAMING_STYLE else finding.subject.removeprefix("@")
    return way not in convention.others
