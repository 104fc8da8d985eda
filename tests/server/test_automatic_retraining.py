"""What starts by itself while nobody works, and what keeps it from starting."""

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from lsprotocol import types
from pytest_lsp import make_test_lsp_client
from tests.conftest import MakeRepository, run_git
from tests.server.test_document_sync import initialize_params, receive
from tests.support.lsp import Editor, connected
from tests.support.tiny_model import TINY, write_manifest, write_tokenizer

from acclimate_indexer.home import Home, RepositoryHome
from acclimate_indexer.models import LocalModel
from acclimate_indexer.prompts import PromptBudget
from acclimate_indexer.repository import Repository
from acclimate_server.app import create_server
from acclimate_server.attempts import EVALUATE_PAUSE, RETRAIN_PAUSE, VAIN_PAUSE, Attempts
from acclimate_server.automatic_training import AutomaticTraining
from acclimate_server.completion.base_model import Prompts
from acclimate_server.idle import Activity, why_machine_is_busy
from acclimate_server.keeping_up import Claim
from acclimate_server.retraining import RetrainRequest
from acclimate_server.session import Session
from acclimate_server.status import StatusBoard
from acclimate_training.engine import EngineAddress, EngineClient
from acclimate_training.registry import AdapterRegistry

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CODE = "def total(prices):\n    return sum(prices)\n" * 20
UNFINISHED = {"contenders": {"base": {"n": 40, "loss_n": 80}}, "not_measured": ["control"]}
FINISHED = {"contenders": {"base": {"n": 80, "loss_n": 80}}, "not_measured": []}
ON = {"training": {"automatic": True, "drift_lines": 1}, "evaluation": {"automatic": False}}


class Bench:
    """A session whose user, machine and clock do what a test says. What is started is written down."""

    def __init__(self, home: Home, folder: Path, options: dict[str, Any]) -> None:
        self.folder = folder
        self.away_minutes = 60.0
        self.busy = ""
        self.now = NOW
        self.started: list[RetrainRequest] = []
        self.statuses: list[dict[str, Any]] = []
        self.session = Session(home, StatusBoard(self.statuses.append), options)
        self.session.activity = Activity(lambda: self.away_minutes * 60)
        self.session.activity.touched(folder / "shop.py")
        self.away_minutes = 120.0
        self.state = home.for_repository(Repository.open(folder).common_directory)
        self.watch = self.new_watch()

    def new_watch(self) -> AutomaticTraining:
        return AutomaticTraining(self.session, self._start, why_busy=lambda: self.busy, now=lambda: self.now)

    async def _start(self, request: RetrainRequest) -> None:
        self.started.append(request)

    def commit(self, line: str) -> None:
        (self.folder / "cart.py").write_text(line, encoding="utf-8")
        run_git(self.folder, "add", "--all")
        run_git(self.folder, "commit", "--quiet", "--message", line.strip())

    def publish(self, **record: Any) -> None:
        """An adapter of the first commit, of which only the lineage matters here; in use."""
        registry = AdapterRegistry(self.state)
        partial = registry.partial("shop-1")
        (partial / "adapter_config.json").write_text("{}", encoding="utf-8")
        first = run_git(self.folder, "rev-list", "--max-parents=0", "HEAD").strip()
        known = {
            "version": "shop-1",
            "created": "2026-05-01T00:00:00+00:00",
            "repository": "shop",
            "base": {"name": TINY, "identity": "other"},
            "verdict": {"state": "trial", "reason": "lower"},
            "prompt_budget": PromptBudget().to_json(),
            "dataset": {"hash": "x", "commit": first},
        }
        registry.publish(partial, known | record)
        registry.set_live("shop-1")
        (self.state.datasets / "x").mkdir(parents=True)
        (self.state.datasets / "x/manifest.json").write_text("{}", encoding="utf-8")


@asynccontextmanager
async def bench(home: Home, folder: Path, options: dict[str, Any]) -> AsyncIterator[Bench]:
    made = Bench(home, folder, options)
    made.session.configure({"completion": {"enabled": False}})
    try:
        yield made
    finally:
        await made.session.close()


@pytest.fixture
def repository(make_repository: MakeRepository) -> Path:
    return make_repository({"shop.py": CODE}, {"cart.py": "RATE = 3\n"})


async def test_a_drifted_repository_is_retrained_when_nobody_works(home: Home, repository: Path) -> None:
    async with bench(home, repository, ON) as made:
        made.publish()
        await made.watch.check()

        (request,) = made.started
        assert request.repository == repository
        assert request.phases == ("mine", "train", "evaluate")
        assert request.is_automatic
        drift = made.session.board.now.drift
        assert drift is not None
        assert (drift.repository, drift.lines, drift.commits, drift.exceeds) == (str(repository), 1, 1, True)
        assert drift.commit == run_git(repository, "rev-parse", "HEAD~1").strip()


@pytest.mark.parametrize(
    "options",
    [{"evaluation": {"automatic": False}}, {"training": {"automatic": True, "drift_lines": 2, "drift_share": 0.9}}],
)
async def test_it_is_off_by_default_and_waits_for_the_limit(
    home: Home, repository: Path, options: dict[str, Any]
) -> None:
    async with bench(home, repository, options) as made:
        made.publish()
        await made.watch.check()

        assert made.started == []
        assert made.session.board.now.drift is not None  # shown all the same


async def test_nothing_starts_while_the_user_or_the_machine_is_at_work(home: Home, repository: Path) -> None:
    async with bench(home, repository, ON) as made:
        made.session.activity.touched(repository / "shop.py")
        made.away_minutes += 9
        await made.watch.check()
        made.away_minutes += 1
        made.busy = "The machine is not on mains power."
        await made.watch.check()
        before = list(made.started)
        made.busy = ""
        await made.watch.check()

        assert (len(before), len(made.started)) == (0, 1)


async def test_one_attempt_a_commit_and_half_a_day_also_after_a_restart(home: Home, repository: Path) -> None:
    async with bench(home, repository, ON) as made:
        await made.watch.check()
        made.now += RETRAIN_PAUSE * 3
        await made.new_watch().check()  # the same commit
        made.commit("RATE = 4\n")
        made.now = NOW + RETRAIN_PAUSE - timedelta(minutes=1)
        await made.new_watch().check()  # too soon
        early = len(made.started)
        made.now = NOW + RETRAIN_PAUSE
        await made.new_watch().check()

        assert (early, len(made.started)) == (1, 2)


async def test_another_retraining_of_the_repository_goes_first(home: Home, repository: Path) -> None:
    async with bench(home, repository, ON) as made:
        other = Claim(made.state)
        assert other.take() == ""
        await made.watch.check()
        before = list(made.started)
        other.release()
        await made.watch.check()

        assert (before, len(made.started)) == ([], 1)


async def test_while_it_runs_a_timer_finds_the_claim_taken_and_afterwards_free(home: Home, repository: Path) -> None:
    async with bench(home, repository, ON) as made:
        said: list[str] = []

        async def ask_while_running(_: RetrainRequest) -> None:
            said.append(Claim(made.state).take())

        await AutomaticTraining(made.session, ask_while_running, why_busy=lambda: "").check()
        later = Claim(made.state)

        assert "runs already" in said[0]
        assert later.take() == ""
        later.release()


async def test_an_unfinished_evaluation_goes_on_once_an_hour(home: Home, repository: Path) -> None:
    async with bench(home, repository, {}) as made:
        model = serve_tiny(home, made)
        made.publish(base={"name": TINY, "identity": model.identity}, metrics=UNFINISHED)
        await made.watch.check()
        made.now += EVALUATE_PAUSE / 2
        await made.watch.check()

        (request,) = made.started
        assert (request.phases, request.adapter, request.is_automatic) == (("evaluate",), "shop-1", True)


async def test_an_evaluation_that_brought_nothing_waits_a_day(home: Home, repository: Path) -> None:
    async with bench(home, repository, {}) as made:
        model = serve_tiny(home, made)
        made.publish(base={"name": TINY, "identity": model.identity}, metrics=UNFINISHED)
        await made.watch.check()
        made.now += EVALUATE_PAUSE
        await made.watch.check()
        in_vain = len(made.started)
        registry = AdapterRegistry(made.state)
        registry.update(registry.get("shop-1"), {"metrics": UNFINISHED | {"not_measured": ["prompted"]}})
        await made.watch.check()

        assert (in_vain, len(made.started)) == (1, 2)


@pytest.mark.parametrize(
    ("options", "identity", "metrics"),
    [
        pytest.param({}, None, FINISHED, id="finished"),
        pytest.param({}, "another", UNFINISHED, id="of another model"),
        pytest.param({"evaluation": {"automatic": False}}, None, UNFINISHED, id="switched off"),
    ],
)
async def test_other_evaluations_are_left_alone(
    home: Home, repository: Path, options: dict[str, Any], identity: str | None, metrics: dict[str, Any]
) -> None:
    async with bench(home, repository, options) as made:
        model = serve_tiny(home, made)
        made.publish(base={"name": TINY, "identity": identity or model.identity}, metrics=metrics)
        await made.watch.check()

        assert made.started == []


async def test_where_nothing_is_due_nothing_is_written(home: Home, repository: Path) -> None:
    async with bench(home, repository, {}) as made:
        await made.watch.check()

        assert not made.state.root.exists()


async def test_nothing_starts_in_an_editor_that_is_closed(home: Home, repository: Path) -> None:
    async with bench(home, repository, ON) as made:
        made.session.is_closed = True
        await made.watch.check()

        assert made.started == []


async def test_without_an_engine_no_evaluation_begins(home: Home, repository: Path) -> None:
    async with bench(home, repository, {}) as made:
        made.publish(metrics=UNFINISHED)
        await made.watch.check()

        assert made.started == []


async def test_outside_a_repository_there_is_no_drift(home: Home, repository: Path, tmp_path: Path) -> None:
    async with bench(home, repository, ON) as made:
        await made.watch.check()
        made.session.activity.touched(tmp_path / "notes.py")
        await made.watch.check()

        assert made.session.board.now.drift is None
        assert len(made.started) == 1


def test_attempts_survive_damage_and_a_clock_that_was_wrong(tmp_path: Path) -> None:
    attempts = Attempts(home=RepositoryHome(root=tmp_path))
    for damage in ("{", "[]", '{"retrain": 3}', '{"retrain": {"at": "soon"}}'):
        RepositoryHome(root=tmp_path).attempts.write_text(damage, encoding="utf-8")

        assert attempts.may_retrain("a", NOW)
    attempts.retraining("a", NOW + timedelta(days=400))
    assert attempts.may_retrain("b", NOW)
    attempts.evaluating("shop-1", None, NOW)
    assert not attempts.may_retrain("a", NOW)  # both are kept
    assert attempts.may_evaluate("shop-2", None, NOW + EVALUATE_PAUSE)
    assert not attempts.may_evaluate("shop-1", None, NOW + VAIN_PAUSE - timedelta(seconds=1))
    assert json.loads(RepositoryHome(root=tmp_path).attempts.read_text(encoding="utf-8"))["schema"] == 1


def test_the_machine_is_free_without_load_and_on_mains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    machine(monkeypatch, load=(0.9, 0.5, 9.0), plugged=None)
    free = why_machine_is_busy()
    machine(monkeypatch, load=(0.1, 1.2, 0.0), plugged=True)
    loaded = why_machine_is_busy()
    machine(monkeypatch, load=(0.1, 0.2, 0.0), plugged=False)
    on_battery = why_machine_is_busy()

    assert free == ""
    assert loaded == "The machine is at work: a load of 1.2 on 4 processors."
    assert on_battery == "The machine is not on mains power."


def machine(monkeypatch: pytest.MonkeyPatch, *, load: tuple[float, float, float], plugged: bool | None) -> None:
    """What the operating system says; no battery where `plugged` is None."""
    battery = None if plugged is None else SimpleNamespace(power_plugged=plugged)
    monkeypatch.setattr(os, "getloadavg", lambda: load)
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)


def serve_tiny(home: Home, made: Bench) -> LocalModel:
    """As if an engine served the tiny model; it is never asked."""
    folder = home.model(TINY)
    folder.mkdir(parents=True)
    write_tokenizer(folder)
    model = write_manifest(folder, TINY)
    made.session.connection.prompts = Prompts(model=model)
    made.session.connection.client = EngineClient(EngineAddress(url="http://127.0.0.1:1", key=""))
    return model


async def test_opening_and_changing_a_document_is_work(home: Home, tmp_path: Path) -> None:
    server, clock = create_server(home), iter(range(0, 9_000, 1_000))
    await receive(server, id=1, method="initialize", params=initialize_params(types.PositionEncodingKind.Utf16))
    server.session.activity = Activity(lambda: next(clock))
    document = {"uri": (tmp_path / "shop.py").as_uri(), "version": 1}
    opened = {"textDocument": document | {"languageId": "python", "text": ""}}
    await receive(server, method="textDocument/didOpen", params=opened)
    changed = {"textDocument": document | {"version": 2}, "contentChanges": [{"text": "x"}]}
    await receive(server, method="textDocument/didChange", params=changed)

    assert server.session.activity.idle_seconds == 1_000  # at 3,000, since the change at 2,000
    assert server.session.activity.folder == tmp_path
    assert server.session.activity.news.is_set()


# Through the whole server.

# The operating system's word on load and power differs from machine to machine; the server is the real one.
QUIET_SERVER = (
    "import os, psutil, sys; os.getloadavg = lambda: (0.0, 0.0, 0.0); psutil.sensors_battery = lambda: None\n"
    "from acclimate_server.cli.main import main\n"
    "os._exit(main(['serve']))"
)


@asynccontextmanager
async def on_a_quiet_machine(folder: Path, options: dict[str, Any]) -> AsyncIterator[Editor]:
    client = make_test_lsp_client()
    client.feature("acclimate/status")(lambda _: None)
    await client.start_io(sys.executable, "-P", "-c", QUIET_SERVER, cwd=folder)
    try:
        window = types.WindowClientCapabilities(work_done_progress=True)
        await client.initialize_session(
            types.InitializeParams(
                capabilities=types.ClientCapabilities(window=window, workspace=types.WorkspaceClientCapabilities()),
                root_uri=folder.as_uri(),
                initialization_options=options,
            )
        )
        yield Editor(client)
    finally:
        await client.shutdown_session()
        await client.stop()  # type: ignore[no-untyped-call]  # pytest-lsp left it so


async def test_the_editor_is_shown_the_drift_as_soon_as_a_document_is_open(home: Home, repository: Path) -> None:
    async with connected(repository) as editor:
        editor.open(repository / "shop.py", CODE)
        status = await editor.status_where(lambda status: status["drift"] is not None)

        assert status["drift"]["repository"] == str(repository)
        assert "`acclimate retrain`" in status["drift"]["said"]
        assert status["training"] is None


async def test_it_starts_in_the_editor_and_a_failure_interrupts_nobody(home: Home, repository: Path) -> None:
    options = {"training": {"automatic": True, "idle_minutes": 0.01}}
    async with on_a_quiet_machine(repository, options) as editor:
        editor.open(repository / "shop.py", CODE)
        status = await editor.status_where(lambda status: (status["training"] or {}).get("state") == "failed")

        assert status["training"]["is_automatic"]
        assert "`acclimate " in status["training"]["reason"]  # no model or no runtime, and the command that mends it
        assert editor.client.messages == []
        (reports,) = editor.client.progress_reports.values()
        begin: Any = reports[0]
        assert begin.title == "Acclimatising while you are away"


@pytest.mark.tensor
async def test_what_started_by_itself_is_cancelled_like_any_training(
    home: Home, make_repository: MakeRepository
) -> None:
    write_tokenizer_of_tiny(home)
    repository = make_repository({f"part_{n}.py": CODE.replace("total", f"total_{n}") * 20 for n in range(60)})
    options = {"training": {"automatic": True, "idle_minutes": 0.01}}
    async with on_a_quiet_machine(repository, options) as editor:
        editor.open(repository / "part_1.py", CODE)
        await editor.status_where(lambda status: (status["training"] or {}).get("phase") == "mine")
        cancelled = await editor.command("acclimate.cancel")
        status = await editor.status_where(lambda status: status["training"]["state"] != "running")

        assert cancelled["run"] == status["training"]["run"]
        assert (status["training"]["state"], status["training"]["is_automatic"]) == ("cancelled", True)


def write_tokenizer_of_tiny(home: Home) -> None:
    home.model(TINY).mkdir(parents=True)
    write_tokenizer(home.model(TINY))
    write_manifest(home.model(TINY), TINY)
