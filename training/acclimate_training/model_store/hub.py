"""The model hub: whole snapshots of safetensors, or one GGUF file. Never a pickle.

`HF_ENDPOINT` and `HF_HUB_OFFLINE` are respected as they are at the time of the call.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from acclimate_indexer.errors import DiskFull, ModelCorrupt
from acclimate_indexer.models import Source

from .checksum import combined_sha256, file_sha256, require_checksum
from .origin import Origin, SourceUnavailable
from .space import FreeBytes, Report, reported_growth, require_room

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoSibling

DEFAULT_ENDPOINT = "https://huggingface.co"
REACH_SECONDS = 3.0  # a hub that does not answer by then is too slow to fetch gigabytes from
HTTP_LIBRARIES = ("httpx", "httpx2", "requests", "urllib3")  # what huggingface_hub has used so far
TRUE_WORDS = ("1", "true", "yes", "on")
# Weights, and what makes a tokenizer and an architecture. Python files of a repository are never fetched.
WANTED = ("*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json", "tokenizer.json",
          "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt", "chat_template.jinja",
          "LICENSE*")  # fmt: skip


def hub_endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or DEFAULT_ENDPOINT


def hub_is_reachable() -> bool:
    """One quick look; False when the user said `HF_HUB_OFFLINE`."""
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in TRUE_WORDS:
        return False
    try:
        httpx.head(hub_endpoint(), timeout=REACH_SECONDS, follow_redirects=False)
    except httpx.HTTPError:
        return False
    return True


def fetch_snapshot(source: Source, folder: Path, *, name: str, report: Report, free: FreeBytes) -> Origin:
    """Downloads a hub repository's safetensors, configuration and tokenizer into `folder`; resumes by file.

    Raises:
        SourceUnavailable: The hub or the repository cannot be had.
        ModelCorrupt: A file is not what the hub or the catalogue says; it was removed.
        DiskFull: There is no room.
    """
    api = _api()
    with _hub_errors(source, folder):
        found = api.model_info(source.location, revision=source.revision, files_metadata=True, timeout=10)
        files = {file.rfilename: file for file in found.siblings or () if _is_wanted(file.rfilename)}
        if not any(file.endswith(".safetensors") for file in files):
            raise SourceUnavailable(f"{source.location!r} publishes no safetensors; other formats are not loaded.")
        total = sum(file.size or 0 for file in files.values())
        require_room(folder, total, name=name, free=free)
        with reported_growth(folder, f"download {name}", total, report):
            api.snapshot_download(
                source.location, revision=found.sha, local_dir=folder, allow_patterns=list(files), max_workers=2
            )
    checksums = {file: _checked(folder / file, published, report) for file, published in files.items()}
    combined = combined_sha256(checksums)
    if source.sha256 is not None and combined != source.sha256:
        raise ModelCorrupt(
            f"{source.location!r} is not what the catalogue says: the checksum of its files is {combined}, expected "
            f"{source.sha256}."
        )
    return Origin(
        path=folder,
        location=source.location,
        revision=found.sha,
        sha256=combined,
        verified=source.sha256 is not None,
    )


def fetch_file(source: Source, folder: Path, *, name: str, report: Report) -> Origin:
    """Downloads one file of a hub repository into `folder`; resumes.

    Raises:
        SourceUnavailable: The hub or the file cannot be had.
        ModelCorrupt: It is not what the catalogue says; it was removed.
        DiskFull: There is no room.
    """
    assert source.file is not None
    with _hub_errors(source, folder), reported_growth(folder, f"download {name}", source.size_bytes or 0, report):
        _api().hf_hub_download(source.location, source.file, revision=source.revision, local_dir=folder)
    path = folder / source.file
    report(f"verify {source.file}", 0, 1)
    found = file_sha256(path)
    report(f"verify {source.file}", 1, 1)
    if source.sha256 is not None:
        require_checksum(path, found, source.sha256)
    return Origin(
        path=path,
        location=source.location,
        revision=source.revision,
        sha256=found,
        verified=source.sha256 is not None,
    )


def _api() -> "HfApi":
    from huggingface_hub import HfApi  # half a second: only when something is fetched
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()  # we show our own
    return HfApi(endpoint=hub_endpoint())


def _is_wanted(file: str) -> bool:
    path = Path(file)
    return len(path.parts) == 1 and any(path.match(pattern) for pattern in WANTED)


def _checked(path: Path, published: "RepoSibling", report: Report) -> str:
    """The file's checksum; compared where the hub states one, which it does for all large files."""
    report(f"verify {path.name}", 0, 1)
    found = file_sha256(path)
    if published.lfs is not None:
        require_checksum(path, found, published.lfs.sha256)
    report(f"verify {path.name}", 1, 1)
    return found


@contextmanager
def _hub_errors(source: Source, folder: Path) -> Iterator[None]:
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        yield
    except (HfHubHTTPError, LocalEntryNotFoundError, HFValidationError, OfflineModeIsEnabled) as error:
        raise _unavailable(source, error) from error
    except OSError as error:
        if "No space left" in str(error):
            raise DiskFull(f"The disk is full: {str(folder)!r} could not be written. Free some space.") from error
        raise _unavailable(source, error) from error
    except Exception as error:  # the client lets errors of its HTTP library through, and that changes by version
        if type(error).__module__.partition(".")[0] not in HTTP_LIBRARIES:
            raise
        raise _unavailable(source, error) from error


def _unavailable(source: Source, error: Exception) -> SourceUnavailable:
    said = str(error).strip().partition("\n")[0] or type(error).__name__
    return SourceUnavailable(f"The hub does not give {source.location!r}: {said}")
