"""Whether what was mined of a replacement still holds: it was mined at a commit, and that was then.

Since then, or in the very change under review, somebody may have given up the new name, too, or taken the old one for
something else. In the history of zulip/python-zulip-api one commit gave `StubBotTestCase` up again, and in that of
mongodb/mongo-python-driver one called another class `Connection`: of 66 lines with an old name that these two brought
and that were edited later, none was put right.
"""

from pathlib import PurePosixPath

from acclimate_indexer.mining.conventions.named import names_in
from acclimate_indexer.mining.conventions.record import Replacement
from acclimate_indexer.mining.conventions.replacements import is_made
from acclimate_indexer.repository import Repository


def still_holds(repository: Repository, replacement: Replacement, path: str, *, commit: str | None = None) -> bool:
    """Whether mining would find the same in files like the one at this path, that one left aside.

    Args:
        commit: Whose files to look at; None for the work tree as it lies there.
    """
    patterns = (f"*{PurePosixPath(path).suffix}",)

    def uses(name: str) -> int:
        lines = repository.lines_with(name.rpartition(".")[2], patterns=patterns, commit=commit)
        return sum(name in names_in(line) for where, line in lines if where != path)

    return is_made(replacement, of_old=uses(replacement.old), of_new=uses(replacement.new))
