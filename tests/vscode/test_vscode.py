"""The extension in a real VS Code workbench and a real browser."""

import importlib.metadata
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from tests.conftest import MakeRepository, run_git
from tests.engine.stand_in import write_weights
from tests.support.engine import MODEL, START_SECONDS, engine_processes, until
from tests.support.fake_engine import FakeEngine, fake_engine
from tests.support.migrated import OLD, home_of, migrated
from tests.support.report_sample import VERSION, record, verdict
from tests.support.stand_in_runtime import write_core, write_runtime
from tests.support.tiny_model import TINY, write_manifest, write_tokenizer
from tests.support.workbench import EXTENSION, Profile, Tools, played, ready_tools

import acclimate_indexer
from acclimate_indexer.feedback import FeedbackStore
from acclimate_indexer.home import Home, RepositoryHome
from acclimate_indexer.prompts import PromptBudget
from acclimate_indexer.repository import Repository
from acclimate_server.engine.options import EngineOptions
from acclimate_server.overview import known_uses
from acclimate_training.registry import AdapterRegistry

NEW = "shop-20260501T101500-aaaa"
PAIRS = 120
# Half a minute of training, one of comparison, and what is made once: general code, a primer, a control. The two cores
# may be busy, and without bfloat16.
TRAINING_SECONDS = 2400.0
MAX_START_BYTES = 64 * 1024  # ours take 37; the language client alone takes 400
CODE = 'def greet(name):\n    return f"hello {name}"\n\n\n'


@pytest.fixture(scope="session")
def tools() -> Tools:
    return ready_tools()


@pytest.fixture
def model(home: Home) -> str:
    """A model without weights: the server needs its tokenizer only."""
    folder = home.model(TINY)
    folder.mkdir(parents=True)
    write_tokenizer(folder)
    return write_manifest(folder, TINY).identity


def settings(engine: FakeEngine, **more: Any) -> dict[str, Any]:
    """Of a window whose server runs here and asks this engine."""
    return {
        "acclimate.python": sys.executable,
        "acclimate.engine.url": engine.url,
        "acclimate.completion.automatic": "always",
        "acclimate.completion.precision": 0,
        "acclimate.completion.candidates": 1,
        **more,
    }


def notebook(*cells: str) -> str:
    """The file of a notebook with these cells of code."""
    found = [{"cell_type": "code", "source": [cell], "metadata": {}, "outputs": []} for cell in cells]
    return json.dumps({"cells": found, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def adapters(state: RepositoryHome, commit: str, identity: str) -> AdapterRegistry:
    """Two measured adapters, the newer one in use; of their weights only the name is there."""
    registry = AdapterRegistry(state)
    for version in (VERSION, NEW):
        partial = registry.partial(version)
        (partial / "adapter_config.json").write_text("{}", encoding="utf-8")
        changes: dict[str, Any] = {
            "version": version,
            "base": {"name": TINY, "identity": identity},
            "prompt_budget": PromptBudget().to_json(),
            "dataset": {"hash": "x", "commit": commit},
            "verdict": verdict() | {"state": "trial"},
        }
        registry.publish(partial, record() | changes)
        registry.set_live(version)
    return registry


def trained(state: RepositoryHome) -> None:
    """A training that has ended, with its losses."""
    run = state.runs / "20260501T101500-aaaa"
    run.mkdir(parents=True)
    losses = (0.8 + 1.2 / (1 + step / 12) + 0.05 * (step % 3) for step in range(120))
    lines = [{"phase": "train", "step": step, "of": 120, "loss": loss} for step, loss in enumerate(losses, 1)]
    lines.append({"state": "finished", "result": {"verdict": {"state": "trial", "reason": "It may be better."}}})
    (run / "progress.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def test_what_a_window_reads_at_the_start_is_small(tools: Tools) -> None:
    bundles = {name: (EXTENSION / f"dist/{name}.js").stat().st_size for name in ("extension", "client")}

    assert bundles["extension"] < MAX_START_BYTES < bundles["client"]  # the language client waits for a server


async def test_completions_are_shown_taken_paused_and_outlive_the_server(
    home: Home,
    model: str,
    tools: Tools,
    make_repository: MakeRepository,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    repository = make_repository({"app.py": CODE, "cells.ipynb": notebook(CODE, "# A second cell")})
    async with fake_engine() as engine:
        engine.pieces = ['et("world")', "\n"]
        engine.sampled = [['et("moon")', "\n"]]
        wanted = settings(engine) | {"acclimate.completion.candidates": 2}
        profile = Profile(tools=tools, folder=tmp_path / "profile", settings=wanted)
        profile.install()
        said = await played("complete", profile, repository)
        await engine.left_alone()
    activation = re.search(r"^activation: \d+ms$", said, re.MULTILINE)
    assert activation is not None
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    with capsys.disabled():
        print(f"\n{activation[0]} ({load})")  # noqa: T201  # what a window pays: a figure, and no assertion

    state = home.for_repository(Repository.open(repository).common_directory)
    (use,) = known_uses(state)
    assert use.accepted >= 2  # by Tab; of what was taken by the word at least that much is known


async def test_what_breaks_a_convention_is_commented_on_when_saved_and_put_right_dismissed_or_switched_off(
    home: Home, model: str, tools: Tools, tmp_path: Path
) -> None:
    shop = migrated(tmp_path / "shop", home)
    shop.commit({"src/stale.py": f"def recall(order):\n    {OLD}(order)\n"}, day=9)
    async with fake_engine() as engine:
        engine.pieces = ['    """Reminds somebody of an order."""']
        wanted = settings(engine) | {"acclimate.completion.automatic": "never"}
        profile = Profile(tools=tools, folder=tmp_path / "profile", settings=wanted)
        profile.install()
        await played("review", profile, shop.path)
        await engine.left_alone()

    entries = FeedbackStore(home_of(shop, home).feedback).entries("dismissed")
    assert [(each["subject"], each["scope"]) for each in entries] == [(OLD, "here"), (OLD, "never")]


async def test_comments_are_silenced_and_put_right_on_saving_a_retraining_put_off_and_an_old_core_noticed(
    home: Home, model: str, tools: Tools, tmp_path: Path
) -> None:
    shop = migrated(tmp_path / "shop", home)
    calls = (f"    {OLD}(order{more})\n" for more in ("", ", 2", ", 3"))
    shop.commit({"src/stale.py": f"def recall(order):\n{''.join(calls)}"}, day=9)
    async with fake_engine() as engine:
        wanted = settings(engine) | {
            "acclimate.python": str(write_core(tmp_path / "core", version="0.0.1")),
            "acclimate.completion.automatic": "never",
            "editor.codeActionsOnSave": {"source.fixAll.acclimate": "explicit"},
        }
        profile = Profile(tools=tools, folder=tmp_path / "profile", settings=wanted)
        profile.install()
        await played("mend", profile, shop.path)
        await engine.left_alone()


async def test_two_windows_share_an_engine_and_train_a_repository_once(
    home: Home, model: str, tools: Tools, make_repository: MakeRepository, tmp_path: Path
) -> None:
    repository = make_repository({"app.py": CODE}, {"till.py": CODE * 10})
    state = home.for_repository(Repository.open(repository).common_directory)
    adapters(state, run_git(repository, "rev-parse", "HEAD~1").strip(), model)
    write_weights(home.model(TINY))
    core = write_core(tmp_path / "core")
    wanted = {
        "acclimate.python": str(core),
        "acclimate.runtime.python": str(write_runtime(tmp_path / "runtime", core, ['et("world")', "\n"])),
        "acclimate.model.name": TINY,
        "acclimate.engine.idle_seconds": 0.5,
        "acclimate.completion.automatic": "always",
        "acclimate.completion.precision": 0,
        "acclimate.completion.candidates": 1,
    }
    profile = Profile(tools=tools, folder=tmp_path / "profile", settings=wanted)
    profile.install()
    with FileLock(home.training_lock):  # a training elsewhere on this machine: those of the windows wait for its end
        await played("windows", profile, repository)

    assert "2 held" in home.engine_log.read_text(encoding="utf-8")
    await until(lambda: not engine_processes(home))


async def test_versions_are_compared_chosen_and_rolled_back_in_the_colours_of_the_editor(
    home: Home, model: str, tools: Tools, make_repository: MakeRepository, tmp_path: Path
) -> None:
    repository = make_repository({"app.py": CODE})
    opened = Repository.open(repository)
    state = home.for_repository(opened.common_directory)
    registry = adapters(state, opened.head(), model)
    trained(state)
    async with fake_engine() as engine:
        wanted = settings(engine) | {"workbench.colorTheme": "Default High Contrast"}
        profile = Profile(tools=tools, folder=tmp_path / "profile", settings=wanted)
        profile.install()
        await played("judge", profile, repository)
        await engine.left_alone()

    assert registry.live() is None
    assert [event.action for event in registry.history()][-4:] == ["use", "promote", "rollback", "use"]
    assert registry.get(NEW).is_withdrawn


@pytest.mark.engine
@pytest.mark.timeout(TRAINING_SECONDS + START_SECONDS)
async def test_a_training_is_followed_to_its_verdict_and_its_report(
    engine_home: Home,
    engine_options: EngineOptions,
    tools: Tools,
    make_repository: MakeRepository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ACCLIMATE_HOME", str(engine_home.data))
    package = Path(str(acclimate_indexer.__file__)).parent
    sources = {path.relative_to(package.parent).as_posix(): path.read_bytes() for path in sorted(package.rglob("*.py"))}
    sums = {"sums.py": "def add(first, second):\n    "}
    repository = make_repository({name: text for name, text in sources.items() if text}, sums, name="sources")
    wanted = {
        "acclimate.python": sys.executable,
        "acclimate.runtime.python": str(engine_options.runtime_python),
        "acclimate.model.name": MODEL,
        "acclimate.training.minutes": 0.5,
        "acclimate.training.max_pairs": PAIRS,
        "acclimate.training.batch": 2,
        "acclimate.training.context_length": 512,
        "acclimate.evaluation.minutes": 1.0,
    }
    profile = Profile(tools=tools, folder=tmp_path / "profile", settings=wanted)
    profile.install()

    await played("train", profile, repository, seconds=TRAINING_SECONDS)

    assert {path.name for path in repository.iterdir()} == {".git", "acclimate_indexer", "sums.py"}


async def test_nothing_starts_untrusted_and_the_core_is_installed_when_the_user_says_so(
    home: Home, tools: Tools, make_repository: MakeRepository, tmp_path: Path
) -> None:
    profile = Profile(tools=tools, folder=tmp_path / "profile", is_trusting=False)
    profile.install()

    await played("setup", profile, make_repository({"app.py": CODE}), seconds=TRAINING_SECONDS)

    (core,) = profile.folder.glob("data/User/globalStorage/acclimate.acclimate/core/*")
    assert core.name == importlib.metadata.version("acclimate")


async def test_without_any_python_there_is_a_way_out(
    home: Home, tools: Tools, make_repository: MakeRepository, tmp_path: Path
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("git", "sh"):
        (programs / name).symlink_to(str(shutil.which(name)))
    profile = Profile(tools=tools, folder=tmp_path / "profile", environment={"PATH": str(programs)})
    profile.install()

    await played("nopython", profile, make_repository({"app.py": CODE}))
