"""`acclimate review --dismissed` and `--undo`: what people did not want to hear, and how they hear it again."""

from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from acclimate_indexer.feedback import FeedbackStore
from acclimate_indexer.file_text import uniform
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.repository import Repository
from acclimate_indexer.review.dismissal_log import Dismissal, distinct_dismissals, take_back
from acclimate_indexer.review.dismissals import line_now
from acclimate_indexer.review.finding import Evidence
from acclimate_training.report.markup import visible

from ..review.explanations import evidence_words
from .terminal import Terminal

NONE = "Nothing is dismissed in this repository."
SCOPES = {"here": "at this place", "never": "in the whole repository"}
SHOWN = ("number", "scope", "code", "subject", "message", "reviewer", "path", "commit")  # of each, with `--json`


def list_dismissed(repository: Repository, home: RepositoryHome, terminal: Terminal) -> None:
    """Shows all that holds, with the numbers that `--undo` takes."""
    found = distinct_dismissals(FeedbackStore(home.feedback))
    dates = {commit: _date(commit, repository) for commit in {each.commit for each in found}}
    records = [_known(each) | {"line": _line(each, repository), "commit_date": dates[each.commit]} for each in found]
    terminal.show(_table(records) if records else NONE)
    terminal.finish({"dismissed": records})


def undo(number: int, home: RepositoryHome, terminal: Terminal) -> None:
    """Takes one back: it is said again, and the next training does not learn from it.

    Raises:
        UsageError: There is none of this number.
        DiskFull: There is no room.
    """
    found = take_back(FeedbackStore(home.feedback), number)
    terminal.show(
        visible(f"Said again from now on: {found.code} {found.subject}".strip()) + f" ({_scope_words(found)})."
    )
    terminal.finish({"undone": _known(found)})


def _known(found: Dismissal) -> dict[str, Any]:
    return {name: value for name, value in asdict(found).items() if name in SHOWN}


def _date(commit: str, repository: Repository) -> str | None:
    """When what was checked out then was committed; None where it is not there (any more)."""
    details = repository.details([commit]).get(commit) if commit else None
    return None if details is None else details.time.date().isoformat()


def _line(found: Dismissal, repository: Repository) -> int | None:
    """Where it stands by now, counted from 1."""
    if found.scope == "never" or repository.work_tree is None:
        return None
    file = repository.work_tree / found.path
    try:
        text = uniform(file.read_bytes().decode("utf-8")) if file.is_file() else ""  # a pipe would never end
    except (OSError, ValueError):  # nothing that can be read, or no text any more
        return None
    number = line_now(found, text.split("\n"))
    return None if number is None else number + 1


def _scope_words(found: Dismissal) -> str:
    return SCOPES["never"] if found.scope == "never" else f"in {visible(found.path)}"


def _table(records: list[dict[str, Any]]) -> Table:
    table = Table(title="Dismissed review comments", title_justify="left")
    table.add_column("number", justify="right")
    for column in ("what", "where", "checked out then", "not said"):
        table.add_column(column, overflow="fold")
    for each in records:
        line = "" if each["line"] is None else f":{each['line']}"
        cells = (
            f"{each['code']}: {each['message'] or each['subject']}",
            f"{each['path']}{line}",
            evidence_words(Evidence(commit=each["commit"], date=each["commit_date"] or "")),
            SCOPES[each["scope"]],
        )
        table.add_row(str(each["number"]), *(Text(visible(cell)) for cell in cells))
    return table
