"""`Free the GPU now`: the note that keeps everybody from starting an engine that a person has just ended.

The note is there before the engine is killed, so that an editor that is about to start one sees it, too. Whoever is
asked for an engine by a person (a completion on request, the focus, a verb of the command line) removes it.
"""

import json
from datetime import UTC, datetime

from acclimate_indexer.durable import write_json
from acclimate_indexer.home import Home

SCHEMA = 1


def note_freed(home: Home, by: str, now: datetime | None = None) -> None:
    """Nobody starts an engine unasked from now on; `by` names who wanted its memory back."""
    record = {"schema": SCHEMA, "by": by, "at": (now or datetime.now(UTC)).isoformat(timespec="seconds")}
    write_json(home.engine_freed, record, mode=0o600)


def forget_freed(home: Home) -> None:
    """Somebody wants an engine again."""
    home.engine_freed.unlink(missing_ok=True)


def why_freed(home: Home) -> str:
    """A sentence about who has freed the engine, and how it comes back; empty where nobody has."""
    try:
        by = json.loads(home.engine_freed.read_text(encoding="utf-8"))["by"]
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError):
        by = "somebody"  # the note is there, whatever has become of its words
    return (
        f"The engine was freed by {by}. Asking for a completion starts it again, and so does `acclimate engine start`."
    )
