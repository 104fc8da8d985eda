"""A copy of a repository to work in, at any of its commits, so that nothing there is newer than what is being typed."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.random_adapter import write_random_adapter

from acclimate_indexer.home import Home
from acclimate_indexer.languages.registry import extensions_in
from acclimate_indexer.models import LocalModel
from acclimate_indexer.repository import Repository
from acclimate_training.adapter import Adapter
from acclimate_training.recipe import Recipe
from acclimate_training.refit import judged_for
from acclimate_training.registry import AdapterRegistry

RANDOM = "random"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The copy, under the name of its origin, which prompts begin with."""

    origin: Repository
    folder: Path

    @classmethod
    def copied(cls, origin: Repository, parent: Path) -> "Workspace":
        """A clone that shares the origin's objects."""
        folder = parent / origin.name
        parent.mkdir(parents=True, exist_ok=True)
        _git(parent, "clone", "--quiet", "--shared", "--no-checkout", str(origin.common_directory), str(folder))
        workspace = cls(origin=origin, folder=folder)
        workspace._bring_sources_only()
        workspace.check_out(origin.head())
        return workspace

    def _bring_sources_only(self) -> None:
        """Leaves out what no completion is asked for: a stored copy of a repository may lack its largest files."""
        patterns = [f"*{extension}" for extension in extensions_in(())]
        _git(self.folder, "sparse-checkout", "set", "--no-cone", *patterns)

    def check_out(self, commit: str) -> None:
        """Brings the sources of a commit."""
        _git(self.folder, "checkout", "--quiet", "--force", "--detach", commit)

    def adapters(self, home: Home) -> AdapterRegistry:
        """The copy's own adapters: at first there are none."""
        return AdapterRegistry(home.for_repository(Repository.open(self.folder).common_directory))


def adapter_of(origin: Repository, model: LocalModel) -> Adapter | None:
    """The adapter in use in the origin, if it is for this model; of one that was fitted again, what it was judged by.

    The one that was fitted again has seen every commit, so that none is left to measure it on.
    """
    registry = AdapterRegistry(Home.default().for_repository(origin.common_directory))
    adapter = registry.live()
    if adapter is not None and (judged := judged_for(adapter)) is not None:
        adapter = registry.get(judged)
    return adapter if adapter is not None and adapter.base_identity == model.identity else None


def bring(adapter: Adapter, registry: AdapterRegistry) -> None:
    """Makes an adapter of somewhere else one of these."""
    partial = registry.partial(adapter.version)
    shutil.copytree(adapter.folder, partial, dirs_exist_ok=True)
    registry.publish(partial, adapter.record)


def bring_random(model: LocalModel, repository: str, registry: AdapterRegistry, folder: Path) -> None:
    """Makes an adapter that no training made one of these, under the name `random`."""
    partial = registry.partial(RANDOM)
    shutil.copytree(write_random_adapter(model.folder, folder, seed=0), partial, dirs_exist_ok=True)
    record = {
        "version": RANDOM,
        "base": {"name": model.name, "identity": model.identity},
        "verdict": {"state": "trial", "reason": ""},
        "prompt_budget": Recipe.for_device("cpu").budget.to_json(),
        "repository": repository,
    }
    registry.publish(partial, record)


def _git(folder: Path, *arguments: str) -> None:
    """Runs git without hooks and without the machine's configuration."""
    options = ("-c", f"core.hooksPath={os.devnull}", "-c", "advice.detachedHead=false")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", *options, *arguments]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
