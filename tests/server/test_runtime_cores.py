"""Two cores of one user share a runtime and an engine, and the children of each import its own code."""

import json
import os
import subprocess
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine.stand_in import write_stand_in
from tests.support.cores import PACKAGES, Core, make_core
from tests.support.engine import engine_processes

from acclimate_indexer.home import Home
from acclimate_server.runtime.find import runtime_version
from acclimate_server.runtime.link import site_packages
from acclimate_server.runtime.requirements import COMPLETE
from acclimate_training.core import CORE_VARIABLE, LINK

# A training, started as the command line and the editor do; what its child said is this program's output.
TRAIN = """
import asyncio, sys
from pathlib import Path
from acclimate_indexer.home import Home
from acclimate_server.pipeline_process import PipelineProcess, resolved_job
from acclimate_server.runtime.find import installed_runtime
from acclimate_server.settings import Settings

async def main():
    home = Home.default()
    given = {"repository": Path("/"), "settings": Settings(), "model": "x", "phases": ("train",)}
    job = resolved_job(run="r", home=home, **given)
    python = installed_runtime(home, "cpu").python
    process = await PipelineProcess.start(job, Path(sys.argv[1]), python=python)
    async for _ in process.follow():
        pass
    print(process.run.log.read_text(), end="")

asyncio.run(main())
"""

LEASE = """
import asyncio, sys
from pathlib import Path
sys.path.append(sys.argv[1])
from acclimate_indexer.home import Home
from acclimate_server.engine.lease import EngineLease
from acclimate_server.engine.options import EngineOptions
from tests.engine.stand_in import stand_in_model

async def main():
    options = EngineOptions(runtime_python=Path(sys.argv[2]), idle_seconds=0.5)
    lease = await EngineLease.acquire(Home.default(), options, stand_in_model(Path(sys.argv[3])))
    await lease.wait_ready(20)
    print(lease.address.url, flush=True)
    sys.stdin.read()
    await lease.release()

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Core:
    return make_core(tmp_path_factory.mktemp("wheel"), version="0.1.0")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Core:
    return make_core(tmp_path_factory.mktemp("checkout"), version="0.2.0", is_editable=True)


@pytest.fixture
def runtime(home: Home) -> Path:
    """A runtime without tensor libraries, as an earlier version has left it: it points at a core of its own."""
    folder = home.runtime(runtime_version())
    venv.create(folder, symlinks=True)
    (folder / COMPLETE).write_text(json.dumps({"schema": 1}), encoding="utf-8")
    link = site_packages(folder) / LINK
    link.write_text("import site; site.addsitedir('/another/core')\n", encoding="utf-8")
    return folder


def test_the_children_of_two_cores_in_turn_import_their_own(
    runtime: Path, wheel: Core, checkout: Core, tmp_path: Path
) -> None:
    written = []
    for number, core in enumerate((wheel, checkout, wheel)):
        runs = runs_with_pipe(tmp_path / str(number))
        training = core.start(TRAIN, str(runs))
        open_pipe(runs)()

        assert said(training) == 2 * seen_by(core)
        written.append((site_packages(runtime) / LINK).stat().st_ino)

    assert len(set(written)) == 1


def test_the_children_of_two_cores_at_once_import_their_own(
    runtime: Path, wheel: Core, checkout: Core, tmp_path: Path
) -> None:
    trainings = []
    for core in (wheel, checkout):
        runs = runs_with_pipe(tmp_path / core.version)
        trainings.append((core, core.start(TRAIN, str(runs)), open_pipe(runs)))

    for _, _, close in trainings:  # both have come as far as the pipe
        close()

    for core, training, _ in trainings:
        assert said(training) == 2 * seen_by(core)


def test_an_engine_is_shared_by_two_cores_and_belongs_to_the_one_that_asked_first(
    home: Home, wheel: Core, checkout: Core, tmp_path: Path
) -> None:
    root, stand_in = Path(__file__).parents[2], write_stand_in(tmp_path)
    holders, urls = [], []
    for core in (wheel, checkout):
        holders.append(core.start(LEASE, str(root), str(stand_in), str(tmp_path / core.version)))
        output = holders[-1].stdout
        assert output is not None
        urls.append(output.readline())

    told = [process.environ().get(CORE_VARIABLE) for process in engine_processes(home)]

    for holder in holders:
        holder.communicate()
    assert urls[0].startswith("http")
    assert urls[0] == urls[1]
    assert told == [None, str(wheel.code), str(wheel.code)]  # the supervisor runs in the core, guard and vLLM are told


def runs_with_pipe(folder: Path) -> Path:
    folder.mkdir()
    os.mkfifo(folder / "pipe")
    return folder


def open_pipe(runs: Path) -> Callable[[], None]:
    """Returns when a child reads the pipe, with what lets it go on."""
    return (runs / "pipe").open("wb").close


def seen_by(core: Core) -> list[str]:
    files = [str(core.code / name / "__init__.py") for name in PACKAGES if name != "acclimate_server"]
    return [*files, f"{core.version} ['acclimate_vllm_plugin:register']"]


def said(training: "subprocess.Popen[str]") -> list[str]:
    output, _ = training.communicate()
    assert training.returncode == 0
    return output.splitlines()
