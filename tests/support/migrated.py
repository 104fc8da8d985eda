"""A real repository whose history holds a real migration, mined by the real miner."""

from pathlib import Path

from lsprotocol import types
from tests.support.git_folder import GitFolder, module

from acclimate_indexer.dataset import mine
from acclimate_indexer.home import Home, RepositoryHome

OLD, NEW = "send_note", "deliver_note"
NAMES = ("order", "invoice", "stock", "till", "voucher", "basket", "refund", "parcel")
LAST_DAY = 4


def migrated(path: Path, home: Home) -> GitFolder:
    """In every module, `send_note` became `deliver_note` over four commits; nobody calls the old name any more."""
    folder = GitFolder.new(path)
    files = {f"src/{name}.py": module(name, 3).replace(f"notify_{name}(", f"{OLD}(") for name in NAMES}
    folder.commit(files)
    names = list(files)
    for day in range(1, LAST_DAY + 1):
        for each in names[(day - 1) * 2 : day * 2]:
            files[each] = files[each].replace(f"{OLD}(", f"{NEW}(")
        folder.commit(files, day=day)
    mine(folder.open(), home_of(folder, home))
    return folder


def home_of(folder: GitFolder, home: Home) -> RepositoryHome:
    return home.for_repository(folder.path / ".git")


def edited(text: str, action: types.CodeAction) -> str:
    """The text of a document after a client has made the edits of an action; its positions count UTF-16."""
    assert action.edit is not None
    assert action.edit.document_changes is not None
    (change,) = action.edit.document_changes
    assert isinstance(change, types.TextDocumentEdit)
    data, starts = text.encode("utf-16-le"), [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode("utf-16-le")))
    for edit in sorted(change.edits, key=lambda edit: _byte(starts, edit.range.start), reverse=True):
        assert isinstance(edit, types.TextEdit)
        start, end = _byte(starts, edit.range.start), _byte(starts, edit.range.end)
        data = data[:start] + edit.new_text.encode("utf-16-le") + data[end:]
    return data.decode("utf-16-le")


def _byte(starts: list[int], place: types.Position) -> int:
    return starts[place.line] + 2 * place.character
