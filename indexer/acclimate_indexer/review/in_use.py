"""Whether a name that would be recommended is still written: conventions were mined at a commit, and that was then.

Somebody may have given up the new name, too, since then or in the very change under review. Of 59 lines in the history
of zulip/python-zulip-api that were to say `StubBotTestCase` 54 came with the commit that gave that up again, or after.
"""

import re
from pathlib import PurePosixPath

from acclimate_indexer.context.work_tree import WorkTree
from acclimate_indexer.mining.conventions.replacements import MIN_NEW_USES
from acclimate_indexer.repository import Repository

from .revisions import MAX_FILE_BYTES


def is_in_use(repository: Repository, name: str, path: str, *, commit: str | None = None) -> bool:
    """Whether enough lines name it, in files of the kind that one at this path is.

    Args:
        name: With dots or without; its last word is looked for.
        commit: Whose files to look at; None for the work tree as it lies there, of what was committed.
    """
    word = name.rpartition(".")[2]
    lines = repository.lines_naming(commit or "HEAD", word, patterns=(f"*{PurePosixPath(path).suffix}",))
    if commit is not None or repository.work_tree is None:
        return sum(lines.values()) >= MIN_NEW_USES
    tree = WorkTree(repository.work_tree, MAX_FILE_BYTES)
    named = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
    left = MIN_NEW_USES
    for each in lines:
        left -= sum(named.search(line) is not None for line in (tree.text(each) or "").split("\n"))
        if left <= 0:
            return True
    return False
