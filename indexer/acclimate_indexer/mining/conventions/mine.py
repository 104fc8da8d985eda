"""The conventions of a repository, from its history and its files."""

from collections.abc import Iterable

from acclimate_indexer.changes import History

from .facts import ConventionFacts
from .prevalence import prevalence
from .record import Conventions
from .replacements import replacements


def mine_conventions(history: History, facts: Iterable[tuple[str, ConventionFacts]]) -> Conventions:
    """What was given up, and what is done throughout.

    Args:
        facts: Of each path at the state that `history` leads to.
    """
    by_path = dict(facts)
    return Conventions(replacements=replacements(history, by_path), prevalence=prevalence(by_path))
