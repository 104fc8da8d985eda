"""The training child: started cleanly, followed to its end, and gone when it should be."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from tests.conftest import MakeRepository

from acclimate_indexer.home import Home
from acclimate_indexer.repository import Repository
from acclimate_server.pipeline_process import PipelineProcess, child_environment, new_run_id, resolved_job
from acclimate_server.settings import Settings
from acclimate_training.core import CORE_VARIABLE, this_core
from acclimate_training.job import Job, Phase, Progress, read_progress

FUNCTION = '''
def total_{n}(prices, rate={n}):
    """Adds up {n} prices."""
    result = sum(price * rate for price in prices)
    if result > {n}:
        result = round(result, 2)
    return result
'''
TRAP = "raise SystemExit('the repository was imported')"


def job_of(repository: Path, home: Home, *phases: Phase) -> Job:
    return resolved_job(
        run=new_run_id(), home=home, repository=repository, settings=Settings(), model="none", phases=phases
    )


def runs_of(repository: Path, home: Home) -> Path:
    return home.for_repository(Repository.open(repository).common_directory).runs


async def followed(process: PipelineProcess) -> list[Progress]:
    return [progress async for progress in process.follow()]


async def test_a_repository_named_like_our_libraries_is_mined_unharmed(
    home: Home, make_repository: MakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "\n".join(FUNCTION.format(n=number) for number in range(20))
    traps = {"dataclasses.py": TRAP, "tokenizers/__init__.py": TRAP, "sitecustomize.py": TRAP, "git.py": TRAP}
    repository = make_repository({"shop.py": code, **traps})
    monkeypatch.chdir(repository)
    monkeypatch.setenv("PYTHONPATH", str(repository))

    process = await PipelineProcess.start(
        job_of(repository, home, "mine"), runs_of(repository, home), python=Path(sys.executable)
    )
    lines = await followed(process)

    assert lines[-1].state == "finished", process.run.log.read_text(encoding="utf-8")
    assert lines[-1].result is not None
    assert lines[-1].result["pairs"]
    assert sorted(path.name for path in repository.iterdir()) == [
        ".git",
        *sorted(["shop.py", *(t.split("/")[0] for t in traps)]),
    ]


async def test_a_failure_is_the_childs_own_sentence(home: Home, make_repository: MakeRepository) -> None:
    repository = make_repository({"notes.txt": "nothing to mine"})

    process = await PipelineProcess.start(
        job_of(repository, home, "train"), runs_of(repository, home), python=Path(sys.executable)
    )
    lines = await followed(process)

    assert lines[-1].state == "failed"
    assert lines[-1].reason


async def test_a_child_that_dies_without_a_word_gets_a_last_line(home: Home, make_repository: MakeRepository) -> None:
    process = await started(home, make_repository, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")

    lines = await followed(process)

    assert (lines[-1].state, read_progress(process.run.progress)[0][-1]) == ("failed", lines[-1])
    assert "signal 9" in str(lines[-1].reason)
    assert str(process.run.log) in str(lines[-1].reason)


async def test_a_child_that_does_not_listen_is_killed_with_what_it_started(
    home: Home, make_repository: MakeRepository
) -> None:
    deaf = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open('pid', 'w').write(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    process = await started(home, make_repository, deaf)
    pid_file = process.run.folder / "pid"
    async with asyncio.timeout(10):
        while not pid_file.exists() or not pid_file.read_text():  # noqa: ASYNC110  # written by a child
            await asyncio.sleep(0.05)

    process.cancel("Enough.")
    lines = await followed(process)

    assert (lines[-1].state, lines[-1].reason) == ("cancelled", "Enough.")
    async with asyncio.timeout(10):
        while is_running(int(pid_file.read_text())):  # noqa: ASYNC110  # a busy kernel kills when it gets round to it
            await asyncio.sleep(0.02)


async def test_ending_leaves_no_process_and_one_last_line(home: Home, make_repository: MakeRepository) -> None:
    process = await started(home, make_repository, "import time; time.sleep(60)")

    await process.end("The editor was closed.")

    lines, _ = read_progress(process.run.progress)
    assert [line.state for line in lines] == ["cancelled"]


def test_a_child_ends_with_whoever_started_it(home: Home, make_repository: MakeRepository, tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-P", "-c", PARENT, str(fake_python(tmp_path, "import time; time.sleep(60)")), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()

    psutil.wait_procs([psutil.Process(child)] if is_running(child) else [], timeout=10)
    assert not is_running(child)


def test_the_environment_of_a_child_is_clean() -> None:
    environment = child_environment({"PYTHONPATH": "x", "PYTHONHOME": "y", "HOME": "/root"})

    assert not {"PYTHONPATH", "PYTHONHOME"} & environment.keys()
    assert environment[CORE_VARIABLE] == this_core()
    assert (environment["PYTHONSAFEPATH"], environment["HF_HUB_OFFLINE"], environment["HOME"]) == ("1", "1", "/root")


PARENT = """
import asyncio, sys, time
from pathlib import Path
from acclimate_indexer.home import Home
from acclimate_server.pipeline_process import PipelineProcess, resolved_job
from acclimate_server.settings import Settings

async def main():
    given = {"repository": Path("/"), "settings": Settings(), "model": "x", "phases": ("mine",)}
    job = resolved_job(run="r", home=Home.default(), **given)
    process = await PipelineProcess.start(job, Path(sys.argv[2]) / "runs", python=Path(sys.argv[1]))
    print(process._process.pid, flush=True)
    time.sleep(60)

asyncio.run(main())
"""


async def started(home: Home, make_repository: MakeRepository, code: str) -> PipelineProcess:
    """A child whose module `acclimate_training` is the given code: what is tested is how it is handled."""
    repository = make_repository({"a.py": "pass\n"})
    python = fake_python(repository.parent, code)
    return await PipelineProcess.start(job_of(repository, home, "mine"), runs_of(repository, home), python=python)


def fake_python(folder: Path, code: str) -> Path:
    """A real interpreter with another `acclimate_training`."""
    (folder / "fake").mkdir()
    (folder / "fake/acclimate_training.py").write_text(code, encoding="utf-8")
    script = folder / "python"
    script.write_text(f'#!/bin/sh\nPYTHONPATH={folder}/fake exec {sys.executable} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return script


def is_running(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
