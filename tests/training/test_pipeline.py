"""The whole pipeline: a real repository, a real data set, a tiny model, and the process that the server starts."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.fake_engine import BASE, fake_engine
from tests.support.run_child import run_folder
from tests.support.tiny_model import tiny_model

from acclimate_indexer.errors import AdapterError, TooFewPairs
from acclimate_indexer.general.sources import Root
from acclimate_indexer.home import Home
from acclimate_training.checkpoints import COMPLETE
from acclimate_training.engine_address import ENGINE_URL
from acclimate_training.evaluation.contenders import CONTENDERS
from acclimate_training.job import Job, Progress, read_progress
from acclimate_training.judging import NO_ENGINE
from acclimate_training.phases import Pipeline
from acclimate_training.registry import AdapterRegistry

pytestmark = pytest.mark.tensor
pytest.importorskip("torch", reason="the runtime is not installed")
pytest.importorskip("peft", reason="the runtime is not installed")

FILES = 40
RECIPE = {"batch": 4, "micro_batch": 2, "layers": "all", "max_epochs": 1.0}
AMPLE = 10.0  # minutes: an evaluation ends when all is measured, on a busy machine too
MAX_PAIRS = 110  # so that all trainings here ask for the same general code, which is then read once
OTHERS_FILES = 40  # of the standard library: enough for every part of the general code, and read in a second or two
LONG = RECIPE | {"max_epochs": 1000.0}
LEARNS_NOTHING = RECIPE | {"learning_rate": 1e-9}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that would break a child which imports from where it was started."""
    folder = tmp_path_factory.mktemp("shop")
    for hostile in ("dataclasses.py", "tokenizers/__init__.py", "torch/__init__.py"):
        path = folder / hostile
        path.parent.mkdir(exist_ok=True)
        path.write_text("raise SystemExit('a repository was imported')\n", encoding="utf-8")
    for number in range(FILES):
        (folder / f"shop_{number}.py").write_text(_source(number), encoding="utf-8")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for arguments in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-q", "-m", "Sell things"],
    ):
        subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True)
    return folder


def _source(number: int) -> str:
    """A shop with goods of its own: what is nearly like another file is not learnt twice."""
    ware, place = f"ware{number}", f"shelf{number}"
    methods = "".join(
        f"""
    def {verb}_{ware}(self, {ware}: str, {place}_count: int = {number}) -> int:
        {place} = self.{place}s.get({ware}, {number})
        if {place} < {place}_count:
            raise ValueError(f"only {{{place}}} of {{{ware}}} in shop {number}")
        self.{place}s[{ware}] = {place} {sign} {place}_count
        return self.{place}s[{ware}]
"""
        for verb, sign in (("take", "-"), ("put", "+"), ("scale", "*"))
    )
    return f'"""Shop number {number}."""\n\n\nclass Shop{number}:\n    def __init__(self) -> None:\n' + (
        f"        self.{place}s: dict[str, int] = {{}}\n        self.{ware}_number = {number}\n{methods}"
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What repositories share, and these tests: the model, general code, controls, what the base says to that code."""
    folder = tmp_path_factory.mktemp("cache")
    tiny_model(Home(data=folder, cache=folder, config=folder).create(), BASE)
    return folder


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Root:
    """What runs in this process take for general code; a child looks at all that this machine has."""
    folder = tmp_path_factory.mktemp("site-packages")
    (folder / "alpha").mkdir()
    library = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    middling = [file for file in library if 3_000 < file.stat().st_size < 15_000]
    for file in middling[:OTHERS_FILES]:
        shutil.copy(file, folder / "alpha" / file.name)
    return Root(name="site-packages", place=folder)


@pytest.fixture
def home(tmp_path: Path, cache: Path) -> Home:
    return Home(data=tmp_path, cache=cache, config=tmp_path).create()


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory, cache: Path, repository: Path, others: Root
) -> tuple[Home, dict[str, Any]]:
    """A run that trained and measured all it can without an engine, and its home."""
    folder = tmp_path_factory.mktemp("trained")
    home = Home(data=folder, cache=cache, config=folder).create()
    result, _ = in_process(a_job(home, repository, evaluation_minutes=AMPLE), others)
    return home, result


def a_job(home: Home, repository: Path, name: str = "first", **changes: Any) -> Job:
    job = Job(
        id=name,
        repository=repository,
        data=home.data,
        cache=home.cache,
        phases=("mine", "train", "evaluate"),
        model=BASE,
        minutes=0.02,
        evaluation_minutes=0.03,
        max_pairs=MAX_PAIRS,
        recipe=RECIPE,
        threads=1,
    )
    return replace(job, **changes)


def in_process(job: Job, others: Root) -> tuple[dict[str, Any], list[Progress]]:
    heard: list[Progress] = []
    folder = run_folder(job)
    folder.mkdir(parents=True)
    return Pipeline(job, heard.append, folder, general_roots=[others]).run(), heard


def started_child(job: Job, cwd: Path) -> tuple["subprocess.Popen[bytes]", Path]:
    folder = run_folder(job)
    job.write(folder / "job.json")
    with (folder / "run.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "acclimate_training", str(folder / "job.json")],
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    return child, folder


def test_a_repository_becomes_an_adapter_with_its_figures(home: Home, repository: Path) -> None:
    child, folder = started_child(a_job(home, repository, evaluation_minutes=AMPLE), repository)
    stdout, _ = child.communicate(timeout=300)

    lines, _ = read_progress(folder / "progress.jsonl")
    assert child.returncode == 0, (lines[-1], (folder / "run.log").read_text(encoding="utf-8"))
    assert stdout == b""
    result = lines[-1].result
    assert result is not None
    assert {"mine", "general code", "load", "train", "control", "loss", "general loss"} <= {
        line.phase for line in lines
    }
    assert result["pairs"]["completion"]["train"] >= 100
    losses = {name: figures["loss_n"] for name, figures in result["contenders"].items()}
    assert list(losses) == [contender.name for contender in CONTENDERS]
    assert losses["adapter"] == losses["base"] == losses["control"] > 0
    assert "exact_match" not in result["contenders"]["base"]
    assert result["not_measured"] == list(losses)  # none has answered
    assert result["differences"]["adapter"]["control"]["loss_n"] == losses["adapter"]
    assert set(result["strata"]) == {"language", "place", "age", "needs"}
    assert result["general"]["differences"]["adapter"]["loss_n"] > 0
    assert NO_ENGINE in result["notes"]
    assert result["example"]["middle"]
    adapter = AdapterRegistry(home.for_repository(repository / ".git")).get(result["adapter"])
    assert adapter.record["metrics"]["contenders"] == result["contenders"]
    assert adapter.record["base"]["name"] == BASE
    assert not list(folder.glob("checkpoints/*"))


def test_an_adapter_and_its_control_are_of_one_recipe_and_as_many_steps(
    trained: tuple[Home, dict[str, Any]], repository: Path
) -> None:
    home, result = trained

    adapter = AdapterRegistry(home.for_repository(repository / ".git")).get(result["adapter"])
    folder = home.controls / adapter.record["control"].removeprefix("control-")
    control = json.loads((folder / "control.json").read_text(encoding="utf-8"))
    assert control["steps"] == adapter.record["steps"] == result["steps"]
    configs = [
        json.loads((each / "adapter_config.json").read_text(encoding="utf-8")) for each in (folder, adapter.folder)
    ]
    assert [config["r"] for config in configs] == [16, 16]
    assert {*configs[0]["target_modules"]} == {*configs[1]["target_modules"]}
    assert (folder / "adapter_model.safetensors").read_bytes() != (
        adapter.folder / "adapter_model.safetensors"
    ).read_bytes()
    seen = adapter.record["trained_pairs"]
    assert sum(seen.values()) == result["steps"] * RECIPE["batch"]
    assert seen["completion"] > seen["general"] > 0


def test_the_saved_folder_is_one_that_vllm_takes(trained: tuple[Home, dict[str, Any]], repository: Path) -> None:
    home, result = trained

    folder = AdapterRegistry(home.for_repository(repository / ".git")).get(result["adapter"]).folder
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["base_model_name_or_path"] == BASE
    assert config["r"] == 16
    assert config["bias"] == "none"
    assert not config["modules_to_save"]
    assert not config["use_dora"]
    assert sorted(path.name for path in folder.iterdir()) == [
        "adapter.json",
        "adapter_config.json",
        "adapter_model.safetensors",
    ]


def test_an_unchanged_training_is_not_done_again(
    trained: tuple[Home, dict[str, Any]], repository: Path, others: Root
) -> None:
    home, first = trained
    second, heard = in_process(a_job(home, repository, "second", evaluation_minutes=AMPLE), others)

    assert second["adapter"] == first["adapter"]
    assert second["reused"] and not first["reused"]
    assert second["contenders"] == first["contenders"]
    assert not {"train", "control", "loss", "general loss"} & {line.phase for line in heard}


def test_a_stopped_evaluation_goes_on_with_what_it_left(home: Home, repository: Path, others: Root) -> None:
    first, _ = in_process(a_job(home, repository, evaluation_minutes=0.001), others)
    second, heard = in_process(
        a_job(home, repository, "second", phases=("evaluate",), evaluation_minutes=AMPLE), others
    )

    counts = [result["contenders"]["base"]["loss_n"] for result in (first, second)]
    assert 0 < counts[0] < counts[1]
    assert "load" in {line.phase for line in heard}
    assert not {"train", "control"} & {line.phase for line in heard}


async def test_with_an_engine_all_contenders_answer(
    home: Home, repository: Path, monkeypatch: pytest.MonkeyPatch, others: Root
) -> None:
    async with fake_engine() as engine:
        before = asyncio.all_tasks()
        monkeypatch.setenv(ENGINE_URL, engine.url)
        engine.pieces = ["nothing_like_it"]
        engine.costs = [0.5]
        first, _ = await asyncio.to_thread(in_process, a_job(home, repository, evaluation_minutes=AMPLE), others)
        asked = len(engine.asked)
        again, heard = await asyncio.to_thread(
            in_process, a_job(home, repository, "second", phases=("evaluate",), evaluation_minutes=AMPLE), others
        )
        if connections := asyncio.all_tasks() - before:
            await asyncio.wait(connections, timeout=5.0)

    assert engine.loads[0] == first["adapter"]
    assert first["not_measured"] == []
    assert {figures["n"] for figures in first["contenders"].values()} == {first["available"]}
    assert first["contenders"]["adapter"]["exact_match"] == 0.0
    assert first["differences"]["adapter"]["prompted"]["mcnemar_p"] == 1.0
    assert first["calibration"]["completion"] == {}  # a dozen places are too few
    assert first["calibration"]["review"]["threshold"] is None  # it never comments
    assert (first["review_verdict"]["state"], first["review"]["open"]) == ("off", 0)
    assert first["facts"]["secrets"] == {"asked": 0, "told": 0, "strangers": ["base", "control"]}
    checks = {check["name"]: check["passed"] for check in first["verdict"]["checks"]}
    assert checks["secrets"] is True
    assert checks["stops"] is not None
    assert first["verdict"]["state"] != "promoted"
    assert NO_ENGINE not in first["notes"]
    assert len(engine.asked) == asked
    assert again["contenders"] == first["contenders"]
    assert not {"generate", "review"} & {line.phase for line in heard}


def test_what_a_person_judged_outlives_an_evaluation(
    trained: tuple[Home, dict[str, Any]], repository: Path, others: Root
) -> None:
    home, first = trained
    registry = AdapterRegistry(home.for_repository(repository / ".git"))
    adapter = registry.get(first["adapter"])
    judged = {"better": 3, "worse": 1, "tie": 0, "judgements": {"a": "better"}}
    registry.update(adapter, {"metrics": adapter.record["metrics"] | {"blind": judged}})
    second, _ = in_process(a_job(home, repository, "judged", phases=("evaluate",)), others)

    assert second["adapter"] == first["adapter"]
    assert registry.get(first["adapter"]).record["metrics"]["blind"] == judged


def test_an_adapter_can_be_evaluated_later(home: Home, repository: Path, others: Root) -> None:
    trained, _ = in_process(a_job(home, repository, phases=("mine", "train")), others)
    measured, _ = in_process(a_job(home, repository, "second", phases=("evaluate",)), others)

    assert trained["verdict"]["state"] == "rejected"
    assert "contenders" not in trained
    assert measured["adapter"] == trained["adapter"]
    assert measured["differences"]["adapter"]["control"]["loss_n"] > 0


def test_force_takes_the_adapter_into_use_and_says_so(home: Home, repository: Path, others: Root) -> None:
    result, _ = in_process(a_job(home, repository, force=True, minutes=0.001, recipe=LEARNS_NOTHING), others)

    live = AdapterRegistry(home.for_repository(repository / ".git")).live()
    assert result["verdict"]["state"] == "trial"
    assert "forced" in result["verdict"]["reason"]
    assert "n " in result["verdict"]["reason"]
    assert live is not None and live.version == result["adapter"]
    assert live.record["forced"]


def test_what_is_not_better_is_rejected_and_not_in_use(home: Home, repository: Path, others: Root) -> None:
    result, _ = in_process(a_job(home, repository, minutes=0.001, recipe=LEARNS_NOTHING), others)

    assert result["verdict"]["state"] == "rejected"
    assert AdapterRegistry(home.for_repository(repository / ".git")).live() is None


def test_too_few_pairs_is_said_in_a_sentence(home: Home, repository: Path, others: Root) -> None:
    with pytest.raises(TooFewPairs, match="gives 7 training pairs; a training needs at least 100") as caught:
        in_process(a_job(home, repository, max_pairs=7), others)

    assert (caught.value.pairs, caught.value.needed) == (7, 100)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_cancelled_run_says_so_and_leaves_no_adapter(home: Home, repository: Path, number: signal.Signals) -> None:
    child, folder = started_child(a_job(home, repository, minutes=10.0, recipe=LONG), repository)
    _wait_for(lambda: any(line.phase == "train" and line.step > 1 for line in _lines(folder)))
    asked = time.monotonic()
    child.send_signal(number)
    child.communicate(timeout=30)

    assert time.monotonic() - asked < 2.0
    assert child.returncode == 130
    assert _lines(folder)[-1].state == "cancelled"
    assert AdapterRegistry(home.for_repository(repository / ".git")).versions() == []


def test_a_killed_run_is_gone_on_with(home: Home, repository: Path) -> None:
    job = a_job(home, repository, minutes=0.3)
    child, folder = started_child(job, repository)

    def has_left_something() -> bool:
        is_training = any(line.phase == "train" and line.step for line in _lines(folder))
        return is_training and any(folder.glob(f"checkpoints/checkpoint-*/{COMPLETE}"))

    _wait_for(has_left_something)
    child.kill()
    child.communicate(timeout=30)
    again, folder = started_child(replace(job, id="second"), repository)
    again.communicate(timeout=300)

    steps = [line.step for line in _lines(folder) if line.phase == "train" and line.step]
    (adapter,) = AdapterRegistry(home.for_repository(repository / ".git")).versions()
    assert steps[0] > 1
    assert adapter.record["resumed_at"] == steps[0] - 1


def test_a_failure_is_one_sentence_on_the_last_line(home: Home, repository: Path, tmp_path: Path) -> None:
    job = a_job(home, tmp_path / "nowhere")
    child, folder = started_child(job, repository)
    child.communicate(timeout=60)

    assert child.returncode == 1
    last = _lines(folder)[-1]
    assert last.state == "failed"
    assert last.reason is not None and "does not exist" in last.reason


def test_an_evaluation_without_any_adapter_is_said_in_a_sentence(home: Home, repository: Path, others: Root) -> None:
    with pytest.raises(AdapterError, match=r"There is no adapter to evaluate yet. Train one: `acclimate train`"):
        in_process(a_job(home, repository, phases=("mine", "evaluate")), others)


def _lines(folder: Path) -> list[Progress]:
    return read_progress(folder / "progress.jsonl")[0]


def _wait_for(condition: Any, *, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)
