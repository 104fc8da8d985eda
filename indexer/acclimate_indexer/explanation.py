"""What was taken of one file, what was dropped, and why."""

from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

from .blob_store import BlobStore
from .dataset import Dataset
from .errors import RepositoryError
from .mining.analysis import FileAnalysis
from .mining.completion import Candidate, Candidates, pair_of
from .mining.options import MiningOptions
from .mining.source import Source
from .mining.state import CommitState
from .pairs import SPLITS, CompletionKind, CompletionPair
from .repository import Repository

TOO_MANY_FILES = "too_many_files"  # more than `mining.max_files`, and others changed later
NOT_CHOSEN = "not chosen: enough was taken, or it is nearly like another"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedHole:
    """A hole of the file. `line` counts from 1; `outcome` is the part of the data set it is in, or why in none."""

    line: int
    kind: CompletionKind
    place: str
    outcome: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What became of a file.

    Attributes:
        reason: Why nothing is taken of it; empty if something may be.
        secrets: The lines, from 1, that hold secrets or personal data; what stands there is not told.
        reviews: How many review pairs of the file the data set has.
    """

    path: str
    language: str
    reason: str = ""
    holes: tuple[ExplainedHole, ...] = ()
    dropped: tuple[tuple[int, str, str], ...] = ()
    secrets: tuple[int, ...] = ()
    reviews: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {
            "dropped": [{"line": line, "place": place, "reason": reason} for line, place, reason in self.dropped]
        }


def explained(
    repository: Repository, path: str, options: MiningOptions, dataset: Dataset, store: BlobStore
) -> Explanation:
    """What `dataset` took of `path`, a file of the commit that it was learnt from.

    Raises:
        RepositoryError: The commit has no such file.
    """
    commit = str(dataset.manifest["split_commit"])
    if not any(entry.path == path for entry in repository.files(commit)):
        raise RepositoryError(
            f"{path!r} is no file of commit {commit[:12]}, from which the data set learns. Name it from the "
            "repository's root, with `/`."
        )
    state = CommitState.at(
        repository, commit, store=store, options=options, held_out_share=0.0, report=lambda _done, _of: None
    )
    file = next((file for file in state.files if file.path == path), None)
    if file is None:
        language = state.scan.language_of(path)
        reason = state.left_out.get(path) or state.unwanted(path) or TOO_MANY_FILES
        return Explanation(path=path, language=language.name if language else "", reason=reason)
    return _of_source(state.source(file), state.analyses[path], dataset)


def _of_source(source: Source, analysis: FileAnalysis, dataset: Dataset) -> Explanation:
    parts = _parts(dataset, source.path)
    drops = chain(analysis.completions.drops, analysis.documentation.drops)
    kinds: tuple[tuple[CompletionKind, Candidates], ...] = (
        ("completion", analysis.completions),
        ("documentation", analysis.documentation),
    )
    return Explanation(
        path=source.path,
        language=source.language.name,
        holes=tuple(
            _hole(source, candidate, kind, parts)
            for kind, candidates in kinds
            for candidate in sorted(candidates.found, key=lambda each: each.span)
        ),
        dropped=tuple(sorted((drop.line + 1, drop.place, drop.reason) for drop in drops)),
        secrets=tuple(line + 1 for line in analysis.secrets),
        reviews=sum(pair.path == source.path for split in SPLITS for pair in dataset.reviews(split)),
    )


def _hole(
    source: Source, candidate: Candidate, kind: CompletionKind, parts: dict[tuple[str, str, str], str]
) -> ExplainedHole:
    pair = pair_of(source, candidate, kind)
    return ExplainedHole(
        line=source.line_of(candidate.span.start) + 1,
        kind=kind,
        place=candidate.place,
        outcome=parts.get(_mark(pair), NOT_CHOSEN),
        text=pair.middle,
    )


def _parts(dataset: Dataset, path: str) -> dict[tuple[str, str, str], str]:
    """In which part of the data set each pair of a file is."""
    kinds: tuple[CompletionKind, ...] = ("completion", "documentation")
    return {
        _mark(pair): split
        for split in SPLITS
        for kind in kinds
        for pair in dataset.pairs(split, kind)
        if pair.path == path
    }


def _mark(pair: CompletionPair) -> tuple[str, str, str]:
    return pair.kind, pair.prefix, pair.middle
