"""A commit as it is mined: its files, their analyses, and which of them are held out."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from acclimate_indexer.blob_store import BlobStore
from acclimate_indexer.context.facts import FileFacts, prose_facts
from acclimate_indexer.filters.licences import Licences
from acclimate_indexer.repository import BlobEntry, Repository

from .analyses import MinedFile, file_analyses
from .analysis import FileAnalysis
from .options import MiningOptions
from .progress import Advance, told
from .scan import Scan, scanned
from .source import Source
from .split import held_out, path_hash

RECENT_COMMITS = 2_000  # whose files come first in training; of older ones the order hardly matters
LICENCE_FOREIGN = "licence_foreign"
NEVER = 2**62  # more changes ago than any
MAX_CACHED_CHARACTERS = 100 * 10**6  # of texts that are read more than once; a repository of three million lines


class Texts:
    """The texts of blobs; those read last are kept."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._kept: OrderedDict[str, str | None] = OrderedDict()
        self._room = MAX_CACHED_CHARACTERS

    def of(self, blob: str) -> str | None:
        """The text; None of what is binary, not UTF-8, or not there."""
        if blob in self._kept:
            self._kept.move_to_end(blob)
            return self._kept[blob]
        text = self._repository.text(blob)
        self._kept[blob] = text
        self._room -= len(text or "")
        while self._room < 0:
            self._room += len(self._kept.popitem(last=False)[1] or "")
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitState:
    """What a commit holds.

    Attributes:
        files: Those that are mined, those that changed last first.
        analyses: Of these files, by path.
        held_out: The paths that training never sees.
        left_out: Why other files of a known language are left out, by path.
    """

    commit: str
    scan: Scan
    files: tuple[MinedFile, ...]
    analyses: dict[str, FileAnalysis]
    held_out: frozenset[str]
    left_out: dict[str, str]
    texts: Texts

    @classmethod
    def at(
        cls,
        repository: Repository,
        commit: str,
        *,
        store: BlobStore,
        options: MiningOptions,
        held_out_share: float,
        report: Callable[[int, int], None],
    ) -> "CommitState":
        """Reads and analyses the files of a commit."""
        scan = scanned(repository, commit, options)
        files = _newest_first(repository, commit, scan.mined)[: options.max_files]
        done = 0

        def progress(more: int) -> None:
            nonlocal done
            done += more
            report(done, len(files))

        analyses = file_analyses(repository, files, store, options, progress)
        texts = Texts(repository)
        licences = Licences(
            ((entry.path, texts.of(entry.blob) or "") for entry in scan.licence_files),
            [analysis.licences for analysis in analyses.values() if not analysis.reason],
        )
        left_out = dict(scan.left_out)
        for file in files:
            if reason := _flaw(analyses.get(file.path), file.path, licences):
                left_out[file.path] = reason
        usable = tuple(file for file in files if file.path not in left_out)
        return cls(
            commit=commit,
            scan=scan,
            files=usable,
            analyses=analyses,
            held_out=held_out((file.path for file in usable), held_out_share),
            left_out=left_out,
            texts=texts,
        )

    def unwanted(self, path: str) -> str:
        """Why a path, of this commit or a later one, gives nothing; empty for one that may."""
        is_foreign = self.left_out.get(path) == LICENCE_FOREIGN
        return LICENCE_FOREIGN if is_foreign else self.scan.unwanted(path)

    def learnt_files(self) -> list[MinedFile]:
        return [file for file in self.files if file.path not in self.held_out]

    def held_out_files(self) -> list[MinedFile]:
        return [file for file in self.files if file.path in self.held_out]

    def source(self, file: MinedFile) -> Source:
        """A file's text, to make pairs of."""
        text = self.texts.of(file.blob)
        assert text is not None, "its analysis was made of it"
        return Source.of(path=file.path, blob=file.blob, commit=self.commit, language=file.language, text=text)

    def facts(
        self, files: Sequence[MinedFile], advance: Advance = lambda _done, _of: None
    ) -> Iterator[tuple[str, FileFacts]]:
        """What retrieval knows about these files, and about the prose of the repository."""
        total = len(files) + len(self.scan.prose)
        for file in told(files, advance, total):
            yield file.path, self.analyses[file.path].facts()
        for entry in self.scan.prose:
            yield entry.path, prose_facts(self.texts.of(entry.blob) or "")

    def text_of_path(self) -> Callable[[str], str | None]:
        """What gives the text of a path of this commit."""
        entries: list[MinedFile | BlobEntry] = [*self.files, *self.scan.prose]
        blobs = {entry.path: entry.blob for entry in entries}
        return lambda path: self.texts.of(blobs[path]) if path in blobs else None


def _flaw(analysis: FileAnalysis | None, path: str, licences: Licences) -> str:
    """Why nothing of a file is used; empty for one that is."""
    if analysis is None:
        return "not_text"
    return analysis.reason or (LICENCE_FOREIGN if licences.is_foreign(path, analysis.licences) else "")


def _newest_first(repository: Repository, commit: str, files: Iterable[MinedFile]) -> list[MinedFile]:
    recency: dict[str, int] = {}
    for number, path in enumerate(repository.touched(repository.main_line(commit, count=RECENT_COMMITS))):
        recency.setdefault(path, number)
    return sorted(files, key=lambda file: (recency.get(file.path, NEVER), path_hash(file.path)))
