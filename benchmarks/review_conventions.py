"""How often a comment on a convention is right: histories replayed, and conventions broken on purpose.

Of the flagged lines that later commits changed, how many went the way the comment says; untouched, deleted and
rewritten ones are counted apart. Lines that are written anew against a convention are rare, so the same is counted of
those that stood there when a period began, each once. How many comments a working day fell on code that nobody
corrected. And of a repository's ten strongest conventions, each broken once in a real file, how many breaks were seen.
The periods of a history are kept under `build/`, and a run that was stopped goes on with the next.
"""

import argparse
import hashlib
import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import compress
from pathlib import Path
from typing import Any

from benchmarks.convention_replay import Period, Replay
from benchmarks.flagged import CHANGED, FATES, Flagged
from benchmarks.material import number_from
from benchmarks.planted_breaks import planted_breaks
from rich.console import Console
from rich.progress import track

import acclimate_indexer.mining.conventions
import acclimate_indexer.review
from acclimate_indexer.home import Home
from acclimate_indexer.repository import Repository
from acclimate_indexer.review.linter import RUFF

KEPT = Path("build") / "review-conventions"
COMMITS_VARIABLE = "ACCLIMATE_BENCH_COMMITS"
COMMITS = 1_300  # of a main line at most: years, of most repositories all there is
CONFIDENCE_Z = 1.96  # of a 95% interval


def main(repositories: Sequence[Path] = ()) -> dict[str, Any]:
    """Figures by repository, and of all together."""
    if not repositories:
        return {"skipped": "a history is needed: name repositories with REPOS='path path'"}
    flagged: list[Flagged] = []
    standing: list[Flagged] = []
    figures: dict[str, Any] = {}
    commits = number_from(COMMITS_VARIABLE, COMMITS)
    for path in repositories:
        repository = Repository.open(path)
        home = Home.default({"ACCLIMATE_HOME": str((KEPT / "home").resolve())}).create()
        replay = Replay(repository, home.for_repository(repository.common_directory), commits=commits)
        periods = list(_periods(replay))
        flagged += [place for period in periods for place in period.flagged]
        standing += _once(place for period in periods for place in period.standing)
        figures[repository.name] = _figures(replay, periods)
    return figures | {"all": _shares(flagged), "all_standing": _shares(standing)}


def _periods(replay: Replay) -> Iterator[Period]:
    """Every period of a history: kept ones as they were, the others now."""
    name, head = replay.repository.name, replay.repository.head()
    file = KEPT / f"{name}-{head[:12]}-{_code_digest()}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    kept: dict[str, Period] = {}
    if file.exists():
        whole = [line for line in file.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")]
        kept = {period.start: period for period in (Period.from_json(json.loads(line)) for line in whole)}
    for start in track(replay.starts, description=f"{name}, by 100 commits", console=Console(stderr=True)):
        if start not in kept:
            kept[start] = replay.period(start)
            with file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(kept[start].to_json()) + "\n")
        yield kept[start]


def _code_digest() -> str:
    """Tells what was measured with other code apart."""
    folders = (acclimate_indexer.review, acclimate_indexer.mining.conventions)
    files = sorted(file for package in folders for folder in package.__path__ for file in Path(folder).glob("*.py"))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _figures(replay: Replay, periods: Sequence[Period]) -> dict[str, Any]:
    flagged = [place for period in periods for place in period.flagged]
    days = sum(period.days for period in periods)
    uncorrected = sum(place.fate != "followed" for place in flagged)
    state, conventions = replay.mined(replay.repository.head())
    breaks = list(planted_breaks(replay.repository, state, conventions))
    outcomes = Counter(each.outcome for each in breaks)
    return {
        "commit": replay.repository.head(),
        "reviewed_commits": sum(period.commits for period in periods),
        "working_days": days,
        "files": sum(period.files for period in periods),
        "lines": sum(period.lines for period in periods),
        **_shares(flagged),
        "standing": _shares(_once(place for period in periods for place in period.standing)),
        "comments_a_working_day_on_uncorrected_code": uncorrected / days if days else 0.0,
        "planted": len(breaks),
        "planted_restored": outcomes["restored"],
        "planted_named": outcomes["named"],
        "planted_other_comments": sum(each.others for each in breaks),
        "breaks": {each.convention: asdict(each) for each in breaks},
    }


def _once(places: Iterable[Flagged]) -> list[Flagged]:
    """Each place as it was first seen; of equal lines of a file each."""
    first: dict[tuple[str, str, str, int], Flagged] = {}
    seen: Counter[tuple[str, str, str, str]] = Counter()
    for place in places:
        what = (place.path, place.text, place.code)
        seen[(place.commit, *what)] += 1
        first.setdefault((*what, seen[(place.commit, *what)]), place)
    return list(first.values())


def _shares(flagged: Iterable[Flagged]) -> dict[str, Any]:
    """What became of flagged lines: together, those that the linter and those that conventions flagged, and by kind."""
    places = list(flagged)
    linted = [place.code.startswith(RUFF) for place in places]
    conventions = [place for place, is_linted in zip(places, linted, strict=True) if not is_linted]
    kinds = sorted({place.code for place in places})
    by_kind = {code: _share([place for place in places if place.code == code]) for code in kinds}
    return {
        "flagged": len(places),
        **_share(places),
        "conventions": _share(conventions),
        "linter": _share(list(compress(places, linted))),
        "by_kind": by_kind,
    }


def _share(places: Sequence[Flagged]) -> dict[str, Any]:
    fates = Counter(place.fate for place in places)
    changed = sum(fates[fate] for fate in CHANGED)
    shares: dict[str, Any] = {fate: fates[fate] for fate in FATES}
    if changed:
        shares |= {"followed_share": fates["followed"] / changed, "n": changed}
        shares["followed_share_interval"] = share_interval(fates["followed"], changed)
    return shares


def share_interval(hits: int, of: int) -> list[float]:
    """Wilson's interval of a share, which also a handful of places has."""
    z, share = CONFIDENCE_Z, hits / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return [max(0.0, middle - half), min(1.0, middle + half)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repositories", nargs="+", type=Path)
    print(json.dumps(main(parser.parse_args(sys.argv[1:]).repositories), indent=1))
