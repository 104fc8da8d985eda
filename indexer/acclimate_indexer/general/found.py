"""General pairs as they were found, and a cache of them: a line a pair, the summary first."""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from acclimate_indexer.durable import write_text
from acclimate_indexer.errors import DatasetError
from acclimate_indexer.pairs import CompletionPair

KEPT_FILES = 12  # of a cache, the newest: the parts of four repositories, some 10 KB a pair


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralPairs:
    """Pairs of one part, shuffled: any beginning is as mixed as the whole.

    Attributes:
        languages: How many pairs each language gave.
        missing: How many pairs languages lack that were wanted; others stand in for them.
        packages: Whose code it is.
        dropped: What was not used, and why: files of the repository's own (`own_package`, `own_file`), generated ones,
            holes with secrets in or near them, and so on.
        was_stopped: Time or reading was up before there were enough: on another machine there may be more.
    """

    pairs: tuple[CompletionPair, ...]
    languages: dict[str, int]
    missing: dict[str, int]
    packages: tuple[str, ...]
    dropped: dict[str, int]
    was_stopped: bool = False

    def notes(self) -> list[str]:
        """What a report should say."""
        said = []
        if self.missing:
            lacking = ", ".join(f"{name} ({count} pairs)" for name, count in sorted(self.missing.items()))
            reached = ", ".join(f"{name} {count}" for name, count in sorted(self.languages.items())) or "nothing"
            said.append(f"Too little general code on this machine in {lacking}; used instead: {reached}.")
        if self.was_stopped:
            said.append(f"The search for general code was stopped early, with {len(self.pairs)} pairs.")
        return said


def keep(found: GeneralPairs, place: Path) -> None:
    """Writes pairs into a cache, and removes what is oldest there.

    Raises:
        DiskFull: There is no room.
    """
    summary = {
        "languages": found.languages,
        "missing": found.missing,
        "packages": found.packages,
        "dropped": found.dropped,
        "pairs": len(found.pairs),
    }
    write_text(place, "".join(json.dumps(each) + "\n" for each in (summary, *(pair.to_json() for pair in found.pairs))))
    with suppress(OSError):  # another process may be clearing up, too
        ordered = sorted(place.parent.glob("*.jsonl"), key=lambda file: (file == place, file.stat().st_mtime))
        for file in ordered[:-KEPT_FILES]:
            file.unlink()


def kept(place: Path) -> GeneralPairs | None:
    """What `keep` wrote; None where nothing whole is."""
    try:
        with place.open(encoding="utf-8") as lines:
            summary = json.loads(next(lines))
            pairs = tuple(CompletionPair.from_json(json.loads(line)) for line in lines)
        found = GeneralPairs(
            pairs=pairs,
            languages=summary["languages"],
            missing=summary["missing"],
            packages=tuple(summary["packages"]),
            dropped=summary["dropped"],
        )
    except (OSError, StopIteration, ValueError, KeyError, TypeError, DatasetError):
        return None
    return found if len(pairs) == summary["pairs"] else None
