"""What goes wrong around a run: it says so in a sentence, loses nothing, and the next run goes on."""

import asyncio
import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support.fake_engine import BASE, fake_engine
from tests.support.run_child import (
    STEPS,
    Accident,
    RunChild,
    a_job,
    only,
    repository_home,
    results,
    shop,
    started,
)
from tests.support.tiny_model import tiny_model

from acclimate_indexer.home import Home, RepositoryHome
from acclimate_training.adapter_files import WEIGHTS
from acclimate_training.control import Control
from acclimate_training.engine_address import ENGINE_URL
from acclimate_training.job import Job, Phase
from acclimate_training.judging import NO_CONTROL
from acclimate_training.registry import Adapter, AdapterRegistry

pytestmark = pytest.mark.tensor
pytest.importorskip("torch", reason="the runtime is not installed")
pytest.importorskip("peft", reason="the runtime is not installed")

OTHER = "other"  # a base model
FULL = Path("/dev/full")  # every write to it fails for want of space
has_full_disks = pytest.mark.skipif(not FULL.exists(), reason="a system without /dev/full")
MEASURE: tuple[Phase, ...] = ("evaluate",)
TRAIN: tuple[Phase, ...] = ("mine", "train")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A home and a repository of their own for one test."""

    home: Home
    repository: Path

    def job(self, name: str, **changes: Any) -> Job:
        return a_job(self.home, self.repository, BASE, name, **changes)

    def another_job(self, name: str, *, minutes: float = 0.9) -> Job:
        """A training that is not done yet; its control is."""
        return self.job(name, phases=TRAIN, minutes=minutes)

    @property
    def kept(self) -> RepositoryHome:
        return repository_home(self.job("any"))

    @property
    def adapters(self) -> list[Adapter]:
        return AdapterRegistry(self.kept).versions()

    @property
    def generations(self) -> list[tuple[str, str, str]]:
        """All answers, those to general questions included."""
        found = [*results(self.kept.evaluations), *results(self.home.general_results)]
        return [each for each in found if each[1] == "generation"]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop(tmp_path_factory.mktemp("repository") / "shop")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with two base models."""
    folder = tmp_path_factory.mktemp("models")
    for name in (BASE, OTHER):
        tiny_model(Home(data=folder, cache=folder, config=folder), name)
    return folder


@pytest.fixture
def untrained(tmp_path: Path, repository: Path, models: Path) -> Place:
    return place(tmp_path, repository, models)


@pytest.fixture(scope="module")
def once_trained(tmp_path_factory: pytest.TempPathFactory, repository: Path, models: Path) -> Place:
    """Trained, with a control, and nothing measured."""
    found = place(tmp_path_factory.mktemp("trained"), repository, models)
    child = started(found.job("first", phases=TRAIN))
    assert child.ended() == 0, child.log()
    return found


@pytest.fixture
def trained(tmp_path: Path, once_trained: Place) -> Place:
    """A copy that may be spoilt."""
    shutil.copytree(once_trained.home.data.parent, tmp_path, dirs_exist_ok=True)
    return replace(once_trained, home=a_home(tmp_path))


def place(top: Path, repository: Path, models: Path) -> Place:
    shutil.copytree(models, top / "cache")
    return Place(home=a_home(top), repository=repository)


def a_home(top: Path) -> Home:
    return Home(data=top / "data", cache=top / "cache", config=top / "data").create()


def control_folder(place: Place, adapter: Adapter) -> Path:
    return place.home.controls / str(adapter.record["control"]).removeprefix("control-")


def result_of(child: RunChild) -> dict[str, Any]:
    assert child.ended() == 0, child.log()
    assert child.last.result is not None
    return child.last.result


def why(child: RunChild) -> str:
    """The last line of a run that failed as it should: with a sentence, and without a trace in its log."""
    assert child.ended() == 1, child.log()
    assert child.last.state == "failed"
    assert "Traceback" not in child.log()
    return child.last.reason or ""


def flip_a_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


# A disk that is full.


def no_room_for_an_adapter(_: str) -> None:
    """When the last checkpoint of a training gets its mark: what comes next is the adapter, of 140 kB."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))  # writes beyond that fail


def test_a_disk_that_is_full_when_the_adapter_is_written_costs_no_step(trained: Place) -> None:
    (earlier,) = trained.adapters
    full = Accident(event="os.rename", ending=f"checkpoint-{STEPS}/complete.json", then=no_room_for_an_adapter)
    said = why(started(trained.another_job("second"), full))
    left = list(trained.kept.adapters.iterdir())
    result_of(started(trained.another_job("third")))

    assert "the disk seems to be full. Free some space and train again" in said
    assert str(trained.kept.adapters) in said
    assert left == [earlier.folder]
    _, adapter = trained.adapters
    assert (adapter.record["resumed_at"], adapter.record["stopped_at"]) == (STEPS, STEPS)


def no_room_for_a_result(file: str) -> None:
    if Path(file).exists():
        Path(file).rename(f"{file}.kept")
    Path(file).symlink_to(FULL)


@has_full_disks
def test_a_disk_that_is_full_when_a_result_is_kept_costs_that_result(trained: Place) -> None:
    full = Accident(event="open", where="/evaluations/", count=24, then=no_room_for_a_result)
    said = why(started(trained.job("second", phases=MEASURE), full))
    (spoilt,) = (file for file in trained.kept.evaluations.iterdir() if file.is_symlink())
    spoilt.unlink()
    if (kept := spoilt.with_name(f"{spoilt.name}.kept")).exists():
        kept.rename(spoilt)
    before = results(trained.kept.evaluations)
    after = result_of(started(trained.job("third", phases=MEASURE)))

    assert said == f"The disk is full: {str(spoilt)!r} could not be written. Free some space, then run it again."
    assert before
    assert len(set(results(trained.kept.evaluations))) == len(results(trained.kept.evaluations)) > len(before)
    assert set(before) < set(results(trained.kept.evaluations))
    assert after["contenders"]["adapter"]["loss_n"] > 0


# Files that are no longer what was written.


def test_a_corrupt_adapter_is_not_measured_but_named(trained: Place) -> None:
    (adapter,) = trained.adapters
    flip_a_byte(adapter.folder / WEIGHTS)
    child = started(trained.job("second", phases=MEASURE))

    assert why(child) == (
        f"The adapter {adapter.version!r} is corrupt: 'adapter_model.safetensors' is not what was written. "
        f"Delete it (`acclimate adapters delete {adapter.version}`) and train again."
    )


def test_a_corrupt_adapter_is_trained_again_when_that_is_asked_for(trained: Place) -> None:
    (corrupt,) = trained.adapters
    flip_a_byte(corrupt.folder / WEIGHTS)
    result = result_of(started(trained.job("second", phases=TRAIN)))

    assert not result["reused"]
    assert result["adapter"] != corrupt.version
    assert any(corrupt.version in note and "is corrupt" in note for note in result["notes"])
    AdapterRegistry(trained.kept).get_verified(result["adapter"])


def test_a_corrupt_control_is_left_out_and_trained_again_by_the_next_training(trained: Place) -> None:
    (adapter,) = trained.adapters
    corrupt = control_folder(trained, adapter)
    flip_a_byte(corrupt / WEIGHTS)
    measured = result_of(started(trained.job("second", phases=MEASURE)))
    retrained = result_of(started(trained.job("third")))

    said = f"The control {corrupt.name!r} is corrupt ('adapter_model.safetensors' is not what was written)"
    assert {NO_CONTROL, f"{said} and was not used."} <= set(measured["notes"])
    assert "control" not in measured["contenders"]
    assert any(note.startswith(said) for note in retrained["notes"])
    assert retrained["reused"]
    (adapter,) = trained.adapters
    assert control_folder(trained, adapter) != corrupt
    assert not corrupt.exists()
    assert retrained["contenders"]["control"]["loss_n"] == retrained["contenders"]["adapter"]["loss_n"] > 0


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"files": 1}', b"\xff"])
def test_a_control_without_a_legible_manifest_is_left_out(trained: Place, content: bytes) -> None:
    (adapter,) = trained.adapters
    folder = control_folder(trained, adapter)
    (folder / "control.json").write_bytes(content)
    notes: list[str] = []

    assert Control.whole(folder, notes.append) is None
    (said,) = notes
    assert said == f"The control {folder.name!r} is corrupt ('control.json' is not what was written) and was not used."


def test_an_adapter_of_another_base_model_is_not_measured(trained: Place) -> None:
    (adapter,) = trained.adapters
    said = why(started(replace(trained.job("second", phases=MEASURE), model=OTHER)))

    assert f"The adapter {adapter.version!r} was trained for '{BASE}@" in said
    assert f"but the model is '{OTHER}@" in said
    assert said.endswith("Choose its model, or train again.")


# An engine that dies.


async def test_what_a_dying_engine_answered_is_kept_and_only_the_rest_asked(trained: Place) -> None:
    async with fake_engine() as engine:
        engine.dies_after = 40
        job = trained.job("second", phases=MEASURE)
        first = await asyncio.to_thread(result_of, started(job, environment={ENGINE_URL: engine.url}))
        address = engine.url
        await engine.left_alone()
    answered = set(trained.generations)
    async with fake_engine() as engine:
        job = trained.job("third", phases=MEASURE)
        second = await asyncio.to_thread(result_of, started(job, environment={ENGINE_URL: engine.url}))
        completions = sum("stream" in body for body in engine.asked)
        await engine.left_alone()

    generations = trained.generations
    assert any(note.startswith("Answers were not all generated: ") and address in note for note in first["notes"])
    assert 0 < len(answered) <= 40
    assert answered < set(generations)
    assert len(generations) == len(set(generations)) == len(answered) + completions
    assert first["not_measured"]
    assert second["not_measured"] == []
    assert not any("not all generated" in note for note in second["notes"])


# Two at once.


@contextmanager
def held_up(child: RunChild) -> Iterator[None]:
    """A process that does not move, with all that it holds."""
    assert child.wait_for(lambda: "load" in child.phases), child.log()  # its turn has begun
    child.send(signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # killed meanwhile
            child.send(signal.SIGCONT)


def waits(child: RunChild) -> bool:
    return child.wait_for(lambda: "wait" in child.phases)


def test_a_second_training_waits_for_the_first_and_can_be_cancelled_meanwhile(trained: Place) -> None:
    first = started(trained.another_job("second"))
    with held_up(first):
        second = started(trained.another_job("third", minutes=0.8))
        third = started(trained.another_job("fourth", minutes=0.7))
        assert waits(second) and waits(third)
        third.send(signal.SIGTERM)
        cancelled = third.ended()
        before_its_turn = second.last

    assert (cancelled, third.last.state) == (130, "cancelled")
    assert (before_its_turn.phase, before_its_turn.message) == (
        "wait",
        "Another training runs on this machine; waiting for its end.",
    )
    adapters = [result_of(each)["adapter"] for each in (first, second)]
    assert {adapter.version for adapter in trained.adapters} > set(adapters)
    assert len(set(adapters)) == 2
    assert not list(trained.kept.runs.glob("*/checkpoints"))


def test_a_training_that_is_killed_lets_the_next_one_go_on(trained: Place) -> None:
    first = started(trained.another_job("second"))
    with held_up(first):
        second = started(trained.another_job("third"))
        assert waits(second)
        first.send(signal.SIGKILL)
        first.ended()

    assert first.process.exitcode == -signal.SIGKILL
    assert result_of(second)["steps"] == STEPS


# Being asked to stop.


def is_in(child: RunChild, phase: str) -> bool:
    """Also a part of the way, where steps are told."""
    steps = phase in ("primer", "train", "control", "loss")
    return any(line.phase == phase and (line.step > 0 or not steps) for line in child.lines)


def test_a_run_can_be_cancelled_in_every_phase_and_is_gone_on_with(untrained: Place) -> None:
    ends = []
    for phase in ("mine", "primer", "train", "control", "loss"):
        child = started(untrained.job(f"until {phase}"))
        reached = child.wait_for(partial(is_in, child, phase))
        child.send(signal.SIGTERM)
        ends.append((reached, child.ended(), child.last.state, child.last.reason))
    result = result_of(started(untrained.job("whole")))

    assert ends == [(True, 130, "cancelled", "The run was asked to stop.")] * 5
    (adapter,) = untrained.adapters
    assert (result["adapter"], result["reused"], result["steps"]) == (adapter.version, True, STEPS)
    assert {adapter.record["control"], adapter.record["primer"]} == {
        f"control-{folder.name}" for folder in untrained.home.controls.iterdir()
    }
    assert not list(untrained.kept.runs.glob("*/checkpoints"))
    assert only(untrained.kept.adapters) == adapter.folder
