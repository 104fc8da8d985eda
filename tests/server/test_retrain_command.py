"""`acclimate retrain`, up to where a model would be needed, and the drift in `acclimate status`."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import MakeRepository, run_git

from acclimate_indexer.home import Home, RepositoryHome
from acclimate_indexer.prompts import PromptBudget
from acclimate_indexer.repository import Repository
from acclimate_server.cli.main import main
from acclimate_server.keeping_up import Claim, training_underway
from acclimate_server.pipeline_process import JOB_FILE, resolved_job
from acclimate_server.settings import Settings
from acclimate_training.job import Phase
from acclimate_training.registry import AdapterRegistry

DONE, FORESEEN = 0, 3
CODE = "def total(prices):\n    return sum(prices)\n" * 20
RUN = "20260601T120000-aaaa"


@pytest.fixture
def repository(make_repository: MakeRepository) -> Path:
    return make_repository({"shop.py": CODE}, {"cart.py": "RATE = 3\n"})


@pytest.fixture
def state(home: Home, repository: Path) -> RepositoryHome:
    return home.for_repository(Repository.open(repository).common_directory)


def published(state: RepositoryHome, commit: str) -> None:
    """An adapter of which only the lineage matters here."""
    registry = AdapterRegistry(state)
    partial = registry.partial("shop-1")
    (partial / "adapter_config.json").write_text("{}", encoding="utf-8")
    record = {
        "version": "shop-1",
        "created": "2026-05-01T00:00:00+00:00",
        "repository": "shop",
        "base": {"name": "tiny", "identity": "tiny@0+original"},
        "verdict": {"state": "trial", "reason": "lower"},
        "prompt_budget": PromptBudget().to_json(),
        "dataset": {"hash": "x", "commit": commit},
    }
    registry.publish(partial, record)
    registry.set_live("shop-1")


def result_of(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return record


@contextmanager
def child_of(state: RepositoryHome, repository: Path, home: Home, phases: tuple[Phase, ...]) -> Iterator[None]:
    """A process with the command line of a training child, which waits."""
    job = resolved_job(run=RUN, home=home, repository=repository, settings=Settings(), model="tiny", phases=phases)
    job_file = state.runs / RUN / JOB_FILE
    job_file.parent.mkdir(parents=True)
    job.write(job_file)
    arguments = ["-P", "-c", "print(flush=True); input()", "acclimate_training", str(job_file)]
    child = subprocess.Popen([sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        child.stdout.readline()  # by now it is what its command line says
        yield
    finally:
        child.kill()
        child.communicate()


def test_below_the_limit_nothing_is_done_and_said_so(
    repository: Path, state: RepositoryHome, capsys: pytest.CaptureFixture[str]
) -> None:
    published(state, run_git(repository, "rev-parse", "HEAD~1").strip())

    assert main(["retrain", str(repository), "--if-drifted", "--json"]) == DONE
    result = result_of(capsys)
    assert result["retrained"] is False
    assert (result["drift"]["lines"], result["drift"]["commits"], result["drift"]["exceeds"]) == (1, 1, False)
    assert result["reason"].startswith("1 new line (2.5% of what was mined) in 1 commit")
    assert not state.runs.exists()


@pytest.mark.parametrize(
    "arguments", [["--if-drifted"], ["--if-drifted", "--set", "training.drift_lines=1"], ["--set", "training.seed=1"]]
)
def test_above_it_or_without_the_option_it_goes_on_to_what_a_training_needs(
    repository: Path, state: RepositoryHome, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    if "training.drift_lines=1" in arguments:
        published(state, run_git(repository, "rev-parse", "HEAD~1").strip())

    assert main(["retrain", str(repository), *arguments]) == FORESEEN
    said = capsys.readouterr().err
    assert "No base model is on this machine yet" in said or "acclimate doctor --fix" in said


def test_a_timer_does_not_pile_up_behind_another_retraining(
    repository: Path, state: RepositoryHome, capsys: pytest.CaptureFixture[str]
) -> None:
    claim = Claim(state)
    assert claim.take() == ""

    assert main(["retrain", str(repository), "--if-drifted", "--json"]) == DONE
    result = result_of(capsys)
    assert result["retrained"] is False
    assert "runs already, or waits for its turn" in result["reason"]
    claim.release()
    assert main(["retrain", str(repository), "--if-drifted"]) == FORESEEN  # goes on, and finds no model


def test_a_timer_does_not_pile_up_behind_a_training_that_an_editor_started(
    home: Home, repository: Path, state: RepositoryHome, capsys: pytest.CaptureFixture[str]
) -> None:
    with child_of(state, repository, home, ("mine", "train", "evaluate")):
        assert main(["retrain", str(repository), "--if-drifted", "--json"]) == DONE

    assert RUN in result_of(capsys)["reason"]
    assert training_underway(state) is None


def test_an_evaluation_is_no_training(home: Home, repository: Path, state: RepositoryHome) -> None:
    with child_of(state, repository, home, ("evaluate",)):
        assert training_underway(state) is None


def test_a_claim_ends_with_its_holder(state: RepositoryHome) -> None:
    state.root.mkdir(parents=True)
    program = (
        "import sys; from pathlib import Path; from acclimate_indexer.home import RepositoryHome\n"
        "from acclimate_server.keeping_up import Claim; claim = Claim(RepositoryHome(root=Path(sys.argv[1])))\n"
        "print(repr(claim.take()), flush=True); input()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-P", "-c", program, str(state.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ.copy(),
    )
    assert holder.stdout is not None
    taken, refused = holder.stdout.readline(), Claim(state).take()
    holder.kill()
    holder.communicate()
    claim = Claim(state)

    assert (taken, claim.take()) == (b"''\n", "")
    assert refused.startswith("A training of this repository runs already")
    claim.release()


def test_whoever_is_refused_is_told_which_training_runs(home: Home, repository: Path, state: RepositoryHome) -> None:
    holder = Claim(state)
    holder.take()
    with child_of(state, repository, home, ("mine", "train", "evaluate")):
        refused = Claim(state).take()
    holder.release()

    assert refused == f"A training of this repository runs already ({RUN}), or waits for its turn."


def test_the_status_shows_the_drift(
    repository: Path, state: RepositoryHome, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["status", str(repository), "--json"])
    without = result_of(capsys)["repository"]["drift"]
    published(state, run_git(repository, "rev-parse", "HEAD~1").strip())
    main(["status", str(repository)])
    said = capsys.readouterr().out
    main(["status", str(repository), "--json", "--set", "training.drift_lines=1"])

    assert without is None
    assert "Drift: 1 new line (2.5% of what was mined)" in said
    drift = result_of(capsys)["repository"]["drift"]
    assert drift["exceeds"]
    assert drift["said"].endswith("`acclimate retrain`.")
