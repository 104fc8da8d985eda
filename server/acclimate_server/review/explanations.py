"""What a person reads about a kind of finding: a page with the proof, in the data directory of the repository.

An editor that works offline has no address to link to; a file of ours it can always open.
"""

import hashlib
import re
from pathlib import Path

from acclimate_indexer.durable import write_text
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.review.finding import Evidence, Finding
from acclimate_indexer.review.linter import RUFF

NAME_CHARACTERS = 40  # of a code in a file's name; the digest makes it unique
SHORT_SHA_CHARACTERS = 7

_SAID_BY = {
    "conventions": "The history of this repository says so; nothing was asked of a model.",
    "linter": "This repository's own linter says so, as it is set here.",
    "model": "The adapter that was trained on this repository says so. It may be wrong.",
}
_ACTED_UPON = "A linter says so, whose findings of this kind this repository acts on."
_MARKDOWN = re.compile(r"([\\`*_\[\]<>~])")  # within a line; some read the page as it stands
_LINKS = re.compile(r"([\[\]<>!])")


def explanation(found: Finding) -> str:
    """The page about a finding. It holds no code but the names that the finding speaks of."""
    evidence = [f"- {_escaped(evidence_words(each))}" for each in found.evidence]
    proof = ["## Commits that show it", "", *evidence, ""] if evidence else []
    return "\n".join(
        [
            f"# {_escaped(found.code)}: {_escaped(found.subject)}" if found.subject else f"# {_escaped(found.code)}",
            "",
            _LINKS.sub(r"\\\1", _lines_joined(found.message)),
            "",
            _ACTED_UPON if found.code.startswith(RUFF) else _SAID_BY[found.reviewer],
            "",
            *proof,
            "## If it is wrong",
            "",
            'Choose "Dismiss here" or "Never say this again in this repository" among the code actions.',
            f"In the code, a comment `acclimate: ignore[{found.code}]` on the line or above it does the same.",
            "",
        ]
    )


def written_explanation(home: RepositoryHome, found: Finding) -> Path:
    """Where the page about a finding lies; it is written if it is new or reads otherwise by now.

    Raises:
        DiskFull: There is no room.
    """
    code = re.sub(r"[^A-Za-z0-9]+", "-", found.code).strip("-")[:NAME_CHARACTERS]
    digest = hashlib.sha256(f"{found.code}\0{found.subject}\0{found.message}".encode()).hexdigest()[:12]
    page, text = home.explanation(f"{code}-{digest}"), explanation(found)
    if not page.is_file() or page.read_text(encoding="utf-8") != text:
        write_text(page, text, mode=0o600)
    return page


def evidence_words(evidence: Evidence) -> str:
    """A commit as one names it."""
    when = f" {evidence.date}" if evidence.date else ""
    what = f": {_lines_joined(evidence.subject)}" if evidence.subject else ""
    return f"{evidence.commit[:SHORT_SHA_CHARACTERS]}{when}{what}"


def _escaped(text: str) -> str:
    """As plain words: a commit's subject is anybody's text, and may hold links."""
    return _MARKDOWN.sub(r"\\\1", _lines_joined(text))


def _lines_joined(text: str) -> str:
    return " ".join(text.split())
