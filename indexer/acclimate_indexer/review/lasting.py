"""Whether what was mined of a replacement still holds: it was mined at a commit, and that was then.

Since then, or in the very change under review, somebody may have given up the new name, too, or taken the old one for
something else. In the history of zulip/python-zulip-api one commit gave `StubBotTestCase` up again, and in that of
mongodb/mongo-python-driver one called another class `Connection`: of the 66 lines with an old name that would have been
commented on from then on and were edited later, none was put right.

And a name that the repository still defines may still be needed, as `require_torch_gpu` is beside
`require_torch_accelerator` in huggingface/diffusers, or an alias for those who used it before.
"""

from pathlib import PurePosixPath

from acclimate_indexer.mining.conventions.named import names_in
from acclimate_indexer.mining.conventions.record import Replacement
from acclimate_indexer.mining.conventions.replacements import is_made
from acclimate_indexer.repository import Repository

from .changed_code import is_defined


def still_holds(repository: Repository, replacement: Replacement, path: str, *, commit: str | None = None) -> bool:
    """Whether files like the one at this path, that one left aside, define the old name no more and mining would find
    the same in them.

    Args:
        commit: Whose files to look at; None for the work tree as it lies there.
    """
    old, new = (_lines(repository, name, path, commit) for name in (replacement.old, replacement.new))
    if is_defined("\n".join(old), replacement.old.rpartition(".")[2]):
        return False
    of_old, of_new = (
        sum(name in names_in(line) for line in lines)
        for name, lines in ((replacement.old, old), (replacement.new, new))
    )
    return is_made(replacement, of_old=of_old, of_new=of_new)


def _lines(repository: Repository, name: str, path: str, commit: str | None) -> list[str]:
    patterns = (f"*{PurePosixPath(path).suffix}",)
    found = repository.lines_with(name.rpartition(".")[2], patterns=patterns, commit=commit)
    return [line for where, line in found if where != path]
