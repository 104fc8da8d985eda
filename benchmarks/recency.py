"""How much more a file should count in retrieval because it was worked on a moment ago.

Commits are typed again, oldest first, file by file in an order by chance, into an index of the work tree as it stood
then. At places in the added lines retrieval is asked with the files that the same author worked on last, once for each
factor. The figure is the share of the names in the next lines, out of sight of the cursor, that retrieval shows; a
factor is compared with none on the very same places, with an interval by commit. `ACCLIMATE_RECENCY_STRAY` files that
are open for no reason count as well.
"""

import os
import random
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.context import CHARACTERS_PER_TOKEN, recalled

from acclimate_indexer.blob_store import BlobStore
from acclimate_indexer.changes import FileChange
from acclimate_indexer.context import index
from acclimate_indexer.context.facts import facts_of, prose_facts
from acclimate_indexer.context.index import ContextIndex
from acclimate_indexer.filters.generated import unwanted_text
from acclimate_indexer.home import Home
from acclimate_indexer.mining.options import MiningOptions
from acclimate_indexer.mining.scan import is_prose
from acclimate_indexer.mining.source import Source
from acclimate_indexer.mining.state import CommitState
from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.prompts import Cursor
from acclimate_indexer.repository import Repository
from acclimate_training.evaluation.intervals import Observation, estimate

COMMITS = 150  # the newest; of older ones the code has little in common with today's
FACTORS = (1.0, 1.2, 1.5, 2.0, 3.0)
RECENT = (8, 16)  # files that count as worked on last
BUDGETS = (512, 1_024)  # tokens of context
NEXT_LINES = 5  # that the author is about to write
PLACES_A_FILE, PLACES_A_COMMIT = 3, 12  # no commit shall decide everything


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What share of the needed names was shown at a place of a commit."""

    commit: str
    share: float


Case = tuple[int, int, float]  # tokens, files that count, factor


def main(repositories: Sequence[Path] = ()) -> dict[str, Any]:
    """Figures by repository."""
    return {path.resolve().name: _figures(Repository.open(path)) for path in repositories}


def _figures(repository: Repository) -> dict[str, Any]:
    found: dict[Case, list[Shown]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="acclimate-bench-") as temporary:
        home = Home.default({"ACCLIMATE_HOME": temporary}).create().for_repository(repository.common_directory)
        with closing(BlobStore.open(home.blobs)) as store:
            for case, place in _Replay(repository, store).run():
                found[case].append(place)
    figures: dict[str, Any] = {"commit": repository.head()}
    for (tokens, recent, factor), shown in sorted(found.items()):
        plain = found[tokens, recent, 1.0]
        name = f"recall_{tokens}_{recent}"
        if factor == 1.0:
            figures[name] = sum(each.share for each in shown) / len(shown)
            figures["places"] = len(shown)
            continue
        rows = zip(shown, plain, strict=True)
        gain = estimate([Observation(cluster=one.commit, value=one.share - other.share) for one, other in rows])
        assert gain is not None
        figures[f"{name}_gain_{factor}"] = [round(each, 4) for each in (gain.mean, gain.low, gain.high)]
    return figures


class _Replay:
    """The work tree and its index while the commits are typed again."""

    def __init__(self, repository: Repository, store: BlobStore) -> None:
        self._repository = repository
        self._history = list(reversed(list(repository.history(repository.head(), count=COMMITS))))
        first = self._history[0][0]
        self._state = CommitState.at(
            repository,
            first.parents[0] if first.parents else first.sha,
            store=store,
            options=MiningOptions(),
            held_out_share=0.0,
            report=lambda _done, _of: None,
        )
        read = self._state.text_of_path()
        paths = [*(file.path for file in self._state.files), *(entry.path for entry in self._state.scan.prose)]
        self._texts = {path: read(path) or "" for path in paths}
        self._index = ContextIndex(self._state.facts(self._state.files), self._texts.get)
        self._worked_on: dict[str, dict[str, None]] = defaultdict(dict)  # by author, the newest last
        self._stray = int(os.environ.get("ACCLIMATE_RECENCY_STRAY", "0"))

    def run(self) -> Iterator[tuple[Case, Shown]]:
        for commit, changes in self._history:
            chance = random.Random(commit.sha)  # noqa: S311  # a choice, not a key
            worked_on = self._worked_on[commit.author]
            room = PLACES_A_COMMIT
            for change in chance.sample(changes, len(changes)):
                text = None if not change.new_blob else self._repository.text(change.new_blob)
                if text is not None:
                    places = _places(change, text, self._language(change.path), chance)[:room]
                    room -= len(places)
                    for place in places:
                        yield from self._asked(place, commit.sha, list(worked_on), chance)
                self._edit(change, text)
                worked_on.pop(change.path, None)
                worked_on[change.path] = None

    def _asked(
        self, place: CompletionPair, commit: str, worked_on: list[str], chance: random.Random
    ) -> Iterator[tuple[Case, Shown]]:
        cursor = Cursor(path=place.path, language=place.language, prefix=place.prefix, suffix=place.suffix)
        strays = chance.sample(sorted(self._texts), self._stray)
        for tokens in BUDGETS:
            for count in RECENT:
                recent = {*[path for path in worked_on if path != place.path][-count:], *strays}
                for factor in FACTORS:
                    index.RECENT_FACTOR = factor
                    snippets = self._index.snippets(
                        cursor, max_characters=int(tokens * CHARACTERS_PER_TOKEN), recent=recent
                    )
                    if (share := recalled(place, snippets, tokens)) is not None:
                        yield (tokens, count, factor), Shown(commit=commit, share=share)

    def _language(self, path: str) -> str:
        language = None if self._state.scan.unwanted(path) else self._state.scan.language_of(path)
        return "" if language is None else language.name

    def _edit(self, change: FileChange, text: str | None) -> None:
        """The file is as the commit has it."""
        if change.old_path is not None and change.old_path != change.path:
            self._index.remove(change.old_path)
            self._texts.pop(change.old_path, None)
        path, is_document = change.path, is_prose(change.path, MiningOptions())
        language = None if self._state.scan.unwanted(path) else self._state.scan.language_of(path)
        if text is None or not (is_document or (language is not None and not unwanted_text(text))):
            self._index.remove(path)
            self._texts.pop(path, None)
            return
        self._texts[path] = text
        if language is None or is_document:
            self._index.replace(path, prose_facts(text))
        else:
            source = Source.of(path=path, blob="", commit="", language=language, text=text)
            self._index.replace(path, facts_of(source))


def _places(change: FileChange, text: str, language: str, chance: random.Random) -> list[CompletionPair]:
    """Places in added lines of a file, at the beginning of a line; what the hunk has below is not written yet."""
    hunks = [hunk for hunk in change.hunks if any(line.strip() for line in hunk.added)]
    if not language or unwanted_text(text):
        return []
    lines = text.split("\n")
    found = []
    for hunk in chance.sample(hunks, min(PLACES_A_FILE, len(hunks))):
        end = hunk.new_start + len(hunk.added)
        first = chance.randrange(hunk.new_start, end)
        last = min(first + NEXT_LINES, end)
        found.append(
            CompletionPair(
                kind="completion",
                language=language,
                path=change.path,
                commit="",
                prefix="".join(f"{line}\n" for line in lines[:first]),
                middle="\n".join(lines[first:last]),
                suffix="\n" + "\n".join(lines[end:]),
                place="line",
            )
        )
    return found
