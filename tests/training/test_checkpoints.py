"""Which checkpoint a training goes on from, whatever has happened to the newest."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from acclimate_indexer.errors import DiskFull
from acclimate_indexer.home import Home
from acclimate_training.checkpoints import (
    COMPLETE,
    Plan,
    adopt,
    begin,
    full_disk_named,
    mark_complete,
    planned,
    resumable,
)
from acclimate_training.validation import ValidationPlan

PLAN = Plan(steps=50, validation=ValidationPlan(steps=(25, 50), pairs=30))


def written(folder: Path, step: int) -> Path:
    checkpoint = folder / f"checkpoint-{step}"
    checkpoint.mkdir(parents=True)
    (checkpoint / "optimizer.pt").write_bytes(bytes(1000))
    (checkpoint / "trainer_state.json").write_text('{"log_history": [{"step": 1, "loss": 2.0}]}', encoding="utf-8")
    return checkpoint


def complete(folder: Path, step: int) -> Path:
    checkpoint = written(folder, step)
    mark_complete(folder, step)
    return checkpoint


def cut_short(checkpoint: Path) -> None:
    (checkpoint / "optimizer.pt").write_bytes(bytes(10))


def flipped(checkpoint: Path) -> None:
    (checkpoint / "optimizer.pt").write_bytes(b"\1" + bytes(999))


def lost_a_file(checkpoint: Path) -> None:
    (checkpoint / "trainer_state.json").unlink()


def marker_is_empty(checkpoint: Path) -> None:
    (checkpoint / COMPLETE).write_text("", encoding="utf-8")


def test_a_plan_comes_back_for_its_own_training_alone(tmp_path: Path) -> None:
    begin(tmp_path, "mine", PLAN)

    assert planned(tmp_path, "mine") == PLAN
    assert planned(tmp_path, "another") is None
    assert planned(tmp_path / "nothing", "mine") is None


@pytest.mark.parametrize("content", ["", "[]", '{"fingerprint": "mine", "schema": 1, "steps": 5}'])
def test_a_plan_that_cannot_be_read_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "plan.json").write_text(content, encoding="utf-8")

    assert planned(tmp_path, "mine") is None


def test_the_newest_whole_checkpoint_is_gone_on_from(tmp_path: Path) -> None:
    complete(tmp_path, 9)
    newest = complete(tmp_path, 18)

    found = resumable(tmp_path)

    assert found.checkpoint == newest
    assert found.notes == ()
    assert found.log() == [{"step": 1, "loss": 2.0}]


@pytest.mark.parametrize("damage", [cut_short, flipped, lost_a_file, marker_is_empty])
def test_a_damaged_checkpoint_is_said_and_the_one_before_is_used(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    before = complete(tmp_path, 9)
    damage(complete(tmp_path, 18))

    found = resumable(tmp_path)

    assert found.checkpoint == before
    assert found.notes == (
        "The checkpoint of step 18 is damaged and was not used.",
        "The training goes on from step 9.",
    )
    assert not (tmp_path / "checkpoint-18").exists()


def test_when_all_are_damaged_the_training_starts_anew_and_says_so(tmp_path: Path) -> None:
    for step in (9, 18):
        flipped(complete(tmp_path, step))

    found = resumable(tmp_path)

    assert found.checkpoint is None
    assert found.log() == []
    assert found.notes[-1] == "No checkpoint is whole: the training starts anew."


def test_one_that_was_being_written_is_not_worth_a_word(tmp_path: Path) -> None:
    before = complete(tmp_path, 9)
    unfinished = written(tmp_path, 18)

    found = resumable(tmp_path)

    assert found.checkpoint == before
    assert found.notes == ()
    assert not unfinished.exists()  # it would push a whole one out when the next is written


def test_a_run_takes_over_what_its_own_training_left_and_nothing_else(tmp_path: Path) -> None:
    home = Home(data=tmp_path, cache=tmp_path, config=tmp_path).for_repository(tmp_path / ".git")
    for run, fingerprint in (("1", "mine"), ("2", "another")):
        begin(home.runs / run / "checkpoints", fingerprint, PLAN)
        complete(home.runs / run / "checkpoints", 9)
    own = home.runs / "3" / "checkpoints"
    own.parent.mkdir()
    adopt(own, home, "mine")

    assert planned(own, "mine") == PLAN
    assert not (home.runs / "1" / "checkpoints").exists()
    assert (home.runs / "2" / "checkpoints" / "checkpoint-9").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a system without /dev/full")
def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    full = tmp_path / "trainer_state.json"
    full.symlink_to("/dev/full")

    with pytest.raises(DiskFull, match="disk is full"), full_disk_named(tmp_path):
        full.write_text("x" * 100_000, encoding="utf-8")


def test_another_error_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="something else"), full_disk_named(tmp_path):
        raise ValueError("something else")


def test_an_empty_folder_is_a_beginning(tmp_path: Path) -> None:
    shutil.rmtree(tmp_path)

    assert resumable(tmp_path).checkpoint is None
