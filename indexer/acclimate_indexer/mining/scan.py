"""Which files of a commit are mined, and why the others are not."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from acclimate_indexer.filters.attributes import Attributes
from acclimate_indexer.filters.generated import unwanted_path
from acclimate_indexer.filters.licences import MAX_LICENCE_BYTES, is_licence_file
from acclimate_indexer.languages.language import Language
from acclimate_indexer.languages.registry import languages_for
from acclimate_indexer.repository import BlobEntry, Repository

from .analyses import MinedFile
from .options import MiningOptions

OTHER_LANGUAGE = "other_language"
MAX_ATTRIBUTES_BYTES = 256 * 1024  # a `.gitattributes` of more lines than anybody writes
PROSE_EXTENSIONS = (".md", ".rst", ".adoc", ".txt")
MAX_PROSE_FILES = 2_000  # of a documentation that is larger, the rest is hardly about the code


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """The files of a commit.

    Attributes:
        mined: What may be mined, in the order of their paths; of files with the same content the first.
        prose: Readable files about the code: README, documentation, decision records.
        licence_files: Those that hold a licence.
        left_out: Why the other files of a known language are left out, by path.
        unwanted: Why a path, of this commit or a later one, is not mined; empty for one that is.
        language_of: The language of a path.
    """

    mined: tuple[MinedFile, ...]
    prose: tuple[BlobEntry, ...]
    licence_files: tuple[BlobEntry, ...]
    left_out: dict[str, str]
    unwanted: Callable[[str], str]
    language_of: Callable[[str], Language | None]


def scanned(repository: Repository, commit: str, options: MiningOptions) -> Scan:
    """Looks at the paths, sizes and attributes of a commit's files; of contents only at the attributes."""
    entries = sorted(repository.files(commit), key=lambda entry: entry.path)
    language_of = languages_for(entry.path for entry in entries)
    attributes = _attributes(repository, entries)

    def unwanted(path: str) -> str:
        if language_of(path) is None:
            return OTHER_LANGUAGE
        if is_excluded(path, options):
            return "excluded"
        return unwanted_path(path) or attributes.unwanted(path)

    mined: list[MinedFile] = []
    left_out: dict[str, str] = {}
    blobs: set[str] = set()
    for entry in entries:
        reason = unwanted(entry.path) or _unwanted_entry(entry, blobs, options)
        if reason == OTHER_LANGUAGE:
            continue
        if reason:
            left_out[entry.path] = reason
            continue
        blobs.add(entry.blob)
        language = language_of(entry.path)
        assert language is not None
        mined.append(MinedFile(path=entry.path, blob=entry.blob, size_bytes=entry.size_bytes, language=language))
    prose = [entry for entry in entries if is_prose(entry.path, options) and entry.size_bytes <= options.max_file_bytes]
    return Scan(
        mined=tuple(mined),
        prose=tuple(prose[:MAX_PROSE_FILES]),
        licence_files=tuple(entry for entry in entries if _is_licence(entry)),
        left_out=left_out,
        unwanted=unwanted,
        language_of=language_of,
    )


def _unwanted_entry(entry: BlobEntry, blobs: set[str], options: MiningOptions) -> str:
    if entry.size_bytes > options.max_file_bytes:
        return "too_large"
    return "duplicate" if entry.blob in blobs else ""


def is_prose(path: str, options: MiningOptions) -> bool:
    """Whether a file is documentation of this repository's own."""
    is_readable = path.lower().endswith(PROSE_EXTENSIONS) and not unwanted_path(path)
    return is_readable and not is_excluded(path, options)


def is_excluded(path: str, options: MiningOptions) -> bool:
    """Whether the settings leave a path out."""
    return any(fnmatchcase(path, glob) for glob in options.exclude)


def _is_licence(entry: BlobEntry) -> bool:
    return is_licence_file(entry.path) and entry.size_bytes <= MAX_LICENCE_BYTES


def _attributes(repository: Repository, entries: Iterable[BlobEntry]) -> Attributes:
    """What the commit's own `.gitattributes` say."""
    named = [entry for entry in entries if entry.path.rpartition("/")[2] == ".gitattributes"]
    readable = [entry for entry in named if entry.size_bytes <= MAX_ATTRIBUTES_BYTES]
    return Attributes((entry.path, repository.text(entry.blob) or "") for entry in readable)
