"""What every room's tests share: a home of their own, and small real git repositories."""

import os
import subprocess
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from acclimate_indexer.home import Home
from acclimate_server.runtime.hardware import gpu_choice, gpus

pytest_plugins = ["tests.support.engine"]  # the one real engine of the suite

MakeRepository = Callable[..., Path]

GIT_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "A. Author",
    "GIT_AUTHOR_EMAIL": "author@example.org",
    "GIT_COMMITTER_NAME": "A. Author",
    "GIT_COMMITTER_EMAIL": "author@example.org",
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips what this machine cannot run, and says why; `.ci/run` allows no skip except for GPUs."""
    missing = [name for name in ("torch", "transformers", "peft") if find_spec(name) is None]
    if item.get_closest_marker("tensor") is not None and missing:
        pytest.skip(f"needs {', '.join(missing)}: `acclimate doctor --fix` installs the runtime")
    if item.get_closest_marker("gpu") is not None and gpu_choice(gpus()).gpu is None:
        pytest.skip("needs a CUDA device")


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Where `make test` has set everything up, a skip for want of anything but a GPU fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("ACCLIMATE_NO_SKIPS") and reporter is not None:
        reasons = [str(report.longrepr) for report in reporter.stats.get("skipped", ())]
        if unexpected := [reason for reason in reasons if "CUDA" not in reason]:
            reporter.write_line(
                f"{len(unexpected)} tests were skipped, which is no pass here: {unexpected[0]}", red=True
            )
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
    yield


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty home, which child processes find by the environment."""
    monkeypatch.setenv("ACCLIMATE_HOME", str(tmp_path / "home"))
    return Home.default().create()


@pytest.fixture
def make_repository(tmp_path: Path) -> MakeRepository:
    """Makes a git repository: one commit a mapping from paths to contents, dated in order."""

    def make(*commits: dict[str, str | bytes], name: str = "shop", first_day: str = "2026-01-01") -> Path:
        folder = tmp_path / name
        folder.mkdir()
        run_git(folder, "init", "--quiet", "--initial-branch=main")
        for number, files in enumerate(commits):
            for path, content in files.items():
                file = folder / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
            run_git(folder, "add", "--all")
            date = f"{first_day}T00:00:00+00:00" if number == 0 else f"@{1_767_225_600 + number * 86_400} +0000"
            run_git(folder, "commit", "--quiet", "--allow-empty", "--message", f"Commit {number}", date=date)
        return folder

    return make


def run_git(folder: Path, *arguments: str, date: str | None = None) -> str:
    """Runs git without the machine's configuration."""
    environment = os.environ | GIT_ENVIRONMENT
    if date is not None:
        environment |= {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True)
    return done.stdout
