"""A data set on disk: the pairs of one commit, split, with a manifest that says how they came about.

    datasets/<hash>/train.jsonl, validation.jsonl, test.jsonl, conventions.json, manifest.json (last)

No time, no path of this machine and no duration is written, so that the same commit and settings give the same bytes
everywhere. The hash covers the pairs and conventions, the commit, the settings, the versions of the grammars and the
feedback that was used.
"""

import errno
import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from .blob_store import BlobStore
from .completion_feedback import CompletionFeedback, TakenText, digest_of
from .durable import disk_full_named, write_json
from .errors import DatasetError
from .feedback import FeedbackStore
from .garbage import rare_collections
from .home import RepositoryHome
from .languages.registry import grammar_versions
from .linting import linter_version
from .mining.collection import Collection, collect
from .mining.conventions.record import Conventions
from .mining.options import MiningOptions
from .mining.progress import Stages
from .pairs import SPLITS, CompletionKind, CompletionPair, ReviewPair, Split
from .repository import Repository
from .review.dismissals import dismissed_code

__all__ = ["Dataset", "MiningOptions", "Stages", "datasets", "latest_dataset", "mine", "newest_dataset"]

SCHEMA = 1
MINING_VERSION = 6  # counts up when the same commit and settings would give other pairs
MANIFEST = "manifest.json"
CONVENTIONS = "conventions.json"
HASH_CHARACTERS = 16  # of a SHA-256, in folder names


class Dataset:
    """A data set that is whole on disk."""

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder = folder
        self.manifest = manifest

    @classmethod
    def open(cls, folder: Path) -> "Dataset":
        """Reads a data set's manifest.

        Raises:
            DatasetError: There is no whole data set in the folder, or a newer version wrote it.
        """
        try:
            manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            schema = manifest["schema"]
        except FileNotFoundError as error:
            raise DatasetError(f"There is no data set {folder.name!r}. Make one with `acclimate mine`.") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DatasetError(f"The data set {str(folder)!r} is damaged: {error!r}. Mine again.") from error
        if schema != SCHEMA:
            raise DatasetError(f"The data set {str(folder)!r} has schema {schema!r}; this version reads {SCHEMA}.")
        return cls(folder, manifest)

    @property
    def hash(self) -> str:
        return str(self.manifest["hash"])

    @property
    def commit(self) -> str:
        return str(self.manifest["commit"])

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """How many pairs there are, by kind and split."""
        return dict(self.manifest["counts"]["kind"])

    @property
    def is_usual(self) -> bool:
        """Whether it is both learnt from and asked; the others are mined for refitted adapters alone."""
        return self.manifest.get("split") not in ("since", "none")

    def pairs(self, split: Split, kind: CompletionKind = "completion") -> Iterator[CompletionPair]:
        """The pairs of a split, in the order in which they are to be used: the most useful first.

        Raises:
            DatasetError: The file is missing or damaged.
        """
        return (CompletionPair.from_json(record) for record in self._records(split) if record.get("kind") == kind)

    def reviews(self, split: Split) -> Iterator[ReviewPair]:
        """The review pairs of a split.

        Raises:
            DatasetError: The file is missing or damaged.
        """
        return (ReviewPair.from_json(record) for record in self._records(split) if record.get("kind") == "review")

    def conventions(self) -> Conventions:
        """What this repository's code does throughout, with the evidence.

        Raises:
            DatasetError: The file is missing or damaged.
        """
        path = self.folder / CONVENTIONS
        try:
            return Conventions.from_json(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DatasetError(f"{str(path)!r} cannot be read: {error!r}. Mine again.") from error

    def line_digests(self, split: Split) -> frozenset[bytes]:
        """What tells the pairs of a split from those of another data set, whatever their order and commit.

        Raises:
            DatasetError: The file is missing or damaged.
        """
        records = ({**record, "commit": ""} for record in self._records(split))
        return frozenset(hashlib.sha256(json.dumps(each).encode()).digest() for each in records)

    def text(self, split: Split) -> str:
        """All that a model may read in a split, one pair after the other, to look something up in.

        Raises:
            DatasetError: The file is missing or damaged.
        """
        return "\0".join(text for record in self._records(split) for text in _texts(record))

    def _records(self, split: Split) -> Iterator[dict[str, Any]]:
        path = self.folder / f"{split}.jsonl"
        try:
            with path.open(encoding="utf-8") as lines:
                for line in lines:
                    yield json.loads(line)
        except (OSError, ValueError) as error:
            raise DatasetError(f"{str(path)!r} cannot be read: {error}. Mine again.") from error


def mine(
    repository: Repository,
    home: RepositoryHome,
    options: MiningOptions | None = None,
    stages: Stages | None = None,
) -> Dataset:
    """The data set of the repository's current commit: found if nothing changed since it was made, else mined.

    Args:
        stages: Hears how far it is; afterwards it knows how long each stage took.

    Raises:
        RepositoryError: git cannot read the repository.
        DatasetError: It holds nothing that could be mined.
        DiskFull: There is no room for the data set.
    """
    options, stages = options or MiningOptions(), stages or Stages()
    head = repository.head()
    _name_repository(repository, home)
    feedback = FeedbackStore(home.feedback)
    taken = _taken(home) if options.learn_taken else []
    used = f"{feedback.digest()}+{digest_of(taken)}" if taken else feedback.digest()
    key = _key(head, options, used)
    found = next((dataset for dataset in datasets(home) if dataset.manifest.get("key") == key), None)
    if found is not None:
        (found.folder / MANIFEST).touch()  # it is the newest again
        return found
    with rare_collections(), closing(BlobStore.open(home.blobs)) as store:
        collection = collect(
            repository,
            head,
            options,
            store=store,
            imported=feedback.imported_reviews(),
            dismissed=dismissed_code(feedback),
            taken=taken,
            stages=stages,
        )
    if not any(collection.pairs.values()):
        raise DatasetError(
            f"Not one pair could be made of {repository.name!r}: its files are too short, generated or not UTF-8."
        )
    with stages.stage("write"):
        return _written(collection, repository, home, _covered(collection, options, used), key)


def _taken(home: RepositoryHome) -> list[TakenText]:
    """Completions that were taken and committed as they were."""
    if not home.completions.exists():
        return []
    with closing(CompletionFeedback.open(home.completions)) as store:
        return store.kept_texts()


def latest_dataset(home: RepositoryHome) -> Dataset:
    """The data set that was made or found last, of those to learn from and to be judged by.

    Raises:
        DatasetError: There is none.
    """
    return _newest([dataset for dataset in datasets(home) if dataset.is_usual])


def newest_dataset(home: RepositoryHome) -> Dataset:
    """The one that was made or found last, whatever for: what holds nothing out knows the newest conventions.

    Raises:
        DatasetError: There is none.
    """
    return _newest(datasets(home))


def _newest(found: list[Dataset]) -> Dataset:
    if not found:
        raise DatasetError("There is no data set of this repository yet. Make one with `acclimate mine`.")
    return max(found, key=lambda dataset: ((dataset.folder / MANIFEST).stat().st_mtime_ns, dataset.hash))


def _name_repository(repository: Repository, home: RepositoryHome) -> None:
    """Writes down which folder the state in `home` is about; it stays on this machine."""
    if not home.identity.exists():
        folder = repository.work_tree or repository.common_directory
        record = {"schema": SCHEMA, "name": repository.name, "folder": str(folder)}
        write_json(home.identity, record | {"git": str(repository.common_directory)}, mode=0o600)


def _texts(record: dict[str, Any]) -> Iterator[str]:
    """The texts of a pair; the middle stands where it belongs."""
    if record["kind"] == "review":
        yield record["hunk"]
        if (said := record["comment"]) is not None:
            yield from (said["message"], said["suggestion"])
        return
    yield record["prefix"] + record["middle"] + record["suffix"]
    yield from (snippet["text"] for snippet in record["context"])


def datasets(home: RepositoryHome) -> list[Dataset]:
    """All that can be read; a damaged one is as good as none."""
    found = []
    for manifest in sorted(home.datasets.glob(f"[!.]*/{MANIFEST}")):
        try:
            found.append(Dataset.open(manifest.parent))
        except DatasetError:
            continue
    return found


def _key(head: str, options: MiningOptions, feedback: str) -> str:
    """What decides a data set before it is mined."""
    settings = {"settings": options.to_json(), "grammars": grammar_versions(), "feedback": feedback}
    settings |= {"linter": linter_version()}
    return _digest({"mining": MINING_VERSION, "commit": head} | settings)


def _covered(collection: Collection, options: MiningOptions, feedback: str) -> dict[str, Any]:
    """What a data set's hash covers, beside the bytes of its files."""
    return {
        "commit": collection.commit,
        "split_commit": collection.split_commit,
        "settings": options.to_json(),
        "grammars": grammar_versions(),
        "linter": linter_version(),
        "feedback": feedback,
    }


def _digest(record: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def _written(
    collection: Collection, repository: Repository, home: RepositoryHome, covered: dict[str, Any], key: str
) -> Dataset:
    """Writes the files under a temporary name, the manifest last, then gives the folder its own name."""
    with disk_full_named(home.datasets):
        home.datasets.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=home.datasets, prefix=".partial-"))
        try:
            digests = {f"{split}.jsonl": _write_pairs(partial, split, collection) for split in SPLITS}
            conventions = {"schema": SCHEMA} | collection.conventions.to_json()
            write_json(partial / CONVENTIONS, conventions)
            digests[CONVENTIONS] = _digest(conventions)
            manifest = _manifest(collection, repository, covered | {"sha256": digests}, key)
            write_json(partial / MANIFEST, manifest)
            folder = home.datasets / str(manifest["hash"])
            partial.chmod(0o755)
            _named(partial, folder)
            return Dataset.open(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _named(partial: Path, folder: Path) -> None:
    """Gives the folder its name, unless another process was faster: what has this name has these bytes."""
    try:
        partial.replace(folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        if not (folder / MANIFEST).exists():  # something else than a data set, or half removed
            shutil.rmtree(folder, ignore_errors=True)
            partial.replace(folder)


def _write_pairs(folder: Path, split: Split, collection: Collection) -> str:
    """Writes a split; gives the SHA-256 of its bytes."""
    digest = hashlib.sha256()
    with (folder / f"{split}.jsonl").open("wb") as file:
        for pair in collection.all_pairs(split):
            line = json.dumps(pair.to_json(), ensure_ascii=False).encode("utf-8", errors="replace") + b"\n"
            digest.update(line)
            file.write(line)
    return digest.hexdigest()


def _manifest(collection: Collection, repository: Repository, covered: dict[str, Any], key: str) -> dict[str, Any]:
    every: list[tuple[Split, CompletionPair | ReviewPair]] = [
        (split, pair) for split in SPLITS for pair in collection.all_pairs(split)
    ]
    conventions = collection.conventions.to_json()
    return {
        "schema": SCHEMA,
        "hash": _digest(covered)[:HASH_CHARACTERS],
        "key": key,
        "repository": repository.name,
        "root_commit": repository.root_commit(),
        "split": collection.split,
        **covered,
        "counts": {
            "kind": _table((pair.kind, split) for split, pair in every),
            "language": _table((pair.language, split) for split, pair in every),
            "split": dict(Counter(split for split, _ in every)),
        },
        "places": _table((pair.place, split) for split, pair in every if isinstance(pair, CompletionPair)),
        "sources": _table((_source(pair), split) for split, pair in every if isinstance(pair, ReviewPair)),
        "with_context": sum(isinstance(pair, CompletionPair) and bool(pair.context) for _, pair in every),
        "conventions": {name: len(found) for name, found in conventions.items() if isinstance(found, list | tuple)},
        "strata": dict(sorted(collection.strata.items())),
        "dropped": dict(sorted((+collection.dropped).items())),
        "files": dict(sorted((+collection.files).items())),
        "secrets": list(collection.secrets),
    }


def _source(pair: ReviewPair) -> str:
    return f"{pair.source}, clean" if pair.comment is None else pair.source


def _table(rows: Iterable[tuple[str, Split]]) -> dict[str, dict[str, int]]:
    """Counts by name and split."""
    counts = Counter(rows)
    names = sorted({name for name, _ in counts})
    return {name: {split: counts[name, split] for split in SPLITS} for name in names}
