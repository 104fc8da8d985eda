"""A whole run that is killed again and again is the run that nobody disturbed: from mining to the verdict."""

import os
import random
import signal
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.run_child import (
    STEPS,
    Accident,
    a_job,
    be_killed,
    only,
    repository_home,
    results,
    shop,
    started,
    weights,
)
from tests.support.tiny_model import TINY, tiny_model

from acclimate_indexer.home import Home, RepositoryHome
from acclimate_training.job import Job
from acclimate_training.registry import Adapter, AdapterRegistry

pytestmark = pytest.mark.tensor
pytest.importorskip("torch", reason="the runtime is not installed")
pytest.importorskip("peft", reason="the runtime is not installed")

KILLS = int(os.environ.get("ACCLIMATE_KILLS", "10"))
PHASES = ("mine", "load", "general code", "primer", "train", "control", "loss", "general loss")  # as they first come
MINUTES = 5.0  # for the evaluation: all is measured, however slow the machine is


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What must be the same, whatever happened on the way."""

    steps: int
    weights: bytes
    controls: tuple[bytes, bytes]
    contenders: dict[str, Any]
    verdict: dict[str, Any]
    live: str | None

    @classmethod
    def of(cls, home: Home, job: Job, result: dict[str, Any]) -> "Outcome":
        adapter = the_one_adapter(repository_home(job))
        live = AdapterRegistry(repository_home(job)).live()
        return cls(
            steps=adapter.record["steps"],
            weights=weights(adapter.folder),
            controls=both_controls(home, adapter),
            contenders=result["contenders"],
            verdict=result["verdict"],
            live=None if live is None else live.state,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Undisturbed:
    """A run that nobody disturbed, and how many seconds each of its phases took."""

    repository: Path
    outcome: Outcome
    seconds: dict[str, float]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    top = tmp_path_factory.mktemp("undisturbed")
    repository = shop(top / "shop")
    home = a_home(top)
    job = a_job(home, repository, TINY, "only", evaluation_minutes=MINUTES)
    child = started(job)
    assert child.ended() == 0, child.log()
    result = child.last.result
    assert result is not None
    return Undisturbed(repository=repository, outcome=Outcome.of(home, job, result), seconds=result["seconds"])


def a_home(top: Path) -> Home:
    home = Home(data=top / "data", cache=top / "cache", config=top / "data").create()
    tiny_model(home)
    return home


def the_one_adapter(home: RepositoryHome) -> Adapter:
    """All that a registry may hold after one training; nothing half-done lies about."""
    (adapter,) = AdapterRegistry(home).versions()
    adapter.verify()
    assert only(home.adapters) == adapter.folder
    assert not list(home.runs.glob("*/checkpoints"))
    return adapter


def both_controls(home: Home, adapter: Adapter) -> tuple[bytes, bytes]:
    """The primer's weights and the control's, which are all that is there."""
    names = [str(adapter.record[name]).removeprefix("control-") for name in ("primer", "control")]
    assert {folder.name for folder in home.controls.iterdir()} == set(names)
    primer, control = (weights(home.controls / name) for name in names)
    return primer, control


def assert_registry_is_whole(home: RepositoryHome) -> None:
    with closing(sqlite3.connect(home.registry)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    registry = AdapterRegistry(home)
    history, live = registry.history(), registry.live()
    assert not list(home.root.glob("*damaged*"))
    assert (history[-1].live if history else None) == (None if live is None else live.version)


def killed_at(job: Job, moment: float, seconds: dict[str, float]) -> int | None:
    """Kills a run at a share of its phases, each of which counts as one; gives its exit code."""
    at = moment * len(PHASES)
    phase, share = PHASES[int(at)], at % 1
    child = started(job)
    child.wait_for(lambda: not child.phases.isdisjoint(PHASES[int(at) :]))
    child.process.join(share * seconds[phase])
    child.process.kill()
    return child.ended()


def test_kills_at_random_moments_change_nothing(undisturbed: Undisturbed, tmp_path: Path) -> None:
    home, rng = a_home(tmp_path), random.Random(11)

    def job(number: int) -> Job:
        return a_job(home, undisturbed.repository, TINY, f"run-{number:02}", evaluation_minutes=MINUTES)

    exits = []
    for number in range(KILLS):
        exits.append(killed_at(job(number), (number + rng.random()) / KILLS, undisturbed.seconds))
        if repository_home(job(number)).registry.exists():
            assert_registry_is_whole(repository_home(job(number)))
    last = started(job(KILLS))
    ended = last.ended()

    assert ended == 0, last.log()
    assert exits.count(-signal.SIGKILL) > KILLS / 2, exits  # one that comes too late finds nobody
    assert last.last.result is not None
    assert_same_outcome(home, job(KILLS), last.last.result, undisturbed)


def assert_same_outcome(home: Home, job: Job, result: dict[str, Any], undisturbed: Undisturbed) -> None:
    found = Outcome.of(home, job, result)
    measured = results(repository_home(job).evaluations)
    assert found == undisturbed.outcome
    assert found.steps == STEPS
    assert len(measured) == len(set(measured))  # nothing was measured twice
    assert_registry_is_whole(repository_home(job))


def test_kills_at_the_narrowest_moments_change_nothing(undisturbed: Undisturbed, tmp_path: Path) -> None:
    home = a_home(tmp_path)
    moments = [
        dying("os.rename", where="datasets/"),  # mined, and without its name
        dying("os.rename", ending="complete.json", count=2),  # a checkpoint of the primer without its mark
        dying("os.rename", where="controls/.partial-"),  # a primer without its name
        dying("shutil.rmtree", ending="checkpoints"),
        dying("os.rename", ending="complete.json", count=2),  # a checkpoint without its mark
        dying("os.rename", where="adapters/.partial-"),  # an adapter without its name
        dying("shutil.rmtree", ending="checkpoints"),  # an adapter beside the checkpoints that it came from
        dying("os.rename", where="controls/.partial-"),
        dying("shutil.rmtree", ending="checkpoints"),
        dying("os.rename", ending="live.json"),  # a verdict that nobody has followed yet
    ]
    jobs = [
        a_job(home, undisturbed.repository, TINY, f"run-{number}", evaluation_minutes=MINUTES)
        for number in range(len(moments) + 1)
    ]
    exits = [started(job, moment).ended() for job, moment in zip(jobs, moments, strict=False)]
    last = started(jobs[-1])
    ended = last.ended()

    assert exits == [-signal.SIGKILL] * len(moments)
    assert ended == 0, last.log()
    assert last.last.result is not None
    assert_same_outcome(home, jobs[-1], last.last.result, undisturbed)
    assert the_one_adapter(repository_home(jobs[-1])).record["resumed_at"] == STEPS  # it was only to be written


def dying(event: str, **where: Any) -> Accident:
    return Accident(event=event, then=be_killed, **where)
