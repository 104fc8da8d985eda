"""The job that goes into a training child and the progress that comes out."""

import json
from pathlib import Path

import pytest

from acclimate_indexer.errors import UsageError
from acclimate_training.job import Job, Progress, ProgressLog, read_progress


def job(folder: Path) -> Job:
    return Job(id="1", repository=folder, data=folder, cache=folder, phases=("mine", "train"), model="tiny", force=True)


def test_a_job_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    job(tmp_path).write(path)

    assert Job.read(path) == job(tmp_path)


def test_a_reader_ignores_keys_it_does_not_know(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    job(tmp_path).write(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"later": 1}), encoding="utf-8")

    assert Job.read(path) == job(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", '{"schema": 99}', '{"schema": 1}'])
def test_a_file_that_is_no_job_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "job.json"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(UsageError, match=r"job\.json"):
        Job.read(path)


def test_progress_is_read_as_it_grows_and_a_half_line_waits(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    log = ProgressLog(path)
    log.report(Progress(phase="mine", step=3, of=3))
    first, offset = read_progress(path)
    with path.open("a", encoding="utf-8") as file:
        file.write('{"phase": "tr')

    assert [progress.step for progress in first] == [3]
    assert read_progress(path, offset) == ([], offset)


def test_steps_in_quick_succession_are_thinned_but_the_end_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    log = ProgressLog(path)
    for step in range(1, 101):
        log.report(Progress(phase="mine", step=step, of=100))
    log.report(Progress(state="finished", result={}))

    lines, _ = read_progress(path)

    assert len(lines) < 100
    assert [line.step for line in lines if line.step == 100] == [100]
    assert lines[-1].state == "finished"


def test_no_progress_file_yet_is_no_progress(tmp_path: Path) -> None:
    assert read_progress(tmp_path / "none.jsonl") == ([], 0)


def test_a_torn_line_spoils_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    ProgressLog(path).report(Progress(phase="mine"))
    with path.open("a", encoding="utf-8") as file:
        file.write('{"phase": "tr')  # killed, or out of room
    ProgressLog(path).report(Progress(state="failed", reason="The disk is full."))

    assert [(line.phase, line.state) for line in read_progress(path)[0]] == [("mine", None), ("", "failed")]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a system without /dev/full")
def test_a_line_that_finds_no_room_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "progress.jsonl").symlink_to("/dev/full")  # every write to it fails for want of space

    ProgressLog(tmp_path / "progress.jsonl").report(Progress(phase="mine"))
