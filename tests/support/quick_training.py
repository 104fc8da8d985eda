"""Trainings of a tiny model on a small real repository, in this process: seconds each, and the same on any machine.

No general code is looked for, so that there is neither replay nor a control unless a test says where some lies.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from acclimate_indexer.general.sources import Root
from acclimate_indexer.home import Home, RepositoryHome
from acclimate_indexer.mining.split import path_hash
from acclimate_training.job import Job, Progress
from acclimate_training.phases import Pipeline
from acclimate_training.registry import Adapter, AdapterRegistry

from .git_folder import GitFolder, module
from .tiny_model import TINY

# The pairs end before the minutes do: 25 steps, however fast the machine is.
RECIPE = {"batch": 4, "micro_batch": 4, "layers": "all", "max_epochs": 1.0, "learning_rate": 1e-3}
STEPS = 25
NOISE = 3.0  # of a weight; a trained one is a hundredth of it
FUNCTIONS = 8  # of a file: 16 places to complete


def paths() -> list[str]:
    """Three files that validate, one that tests, and more that are learnt from: their hashes decide."""
    named = [f"ware{number}.py" for number in range(200)]
    validating = [path for path in named if path_hash(path) < 0.05][:3]
    testing = [path for path in named if 0.05 <= path_hash(path) < 0.15][:1]
    return [*validating, *testing, *[path for path in named if path_hash(path) >= 0.15][:16]]


def shop_of(folder: Path) -> GitFolder:
    """A repository of one day: what is held out is held out by file."""
    shop = GitFolder.new(folder)
    shop.commit({path: module(path.removesuffix(".py"), functions=FUNCTIONS) for path in paths()})
    return shop


def home_at(folder: Path) -> Home:
    return Home(data=folder, cache=folder / "cache", config=folder)


def copied(home: Home, folder: Path) -> Home:
    shutil.copytree(home.data, folder)
    return home_at(folder)


def a_job(home: Home, shop: GitFolder, name: str, **changes: Any) -> Job:
    job = Job(
        id=name,
        repository=shop.path,
        data=home.data,
        cache=home.cache,
        phases=("mine", "train"),
        model=TINY,
        minutes=2.0,
        evaluation_minutes=2.0,
        max_pairs=100,
        recipe=RECIPE,
        threads=1,
    )
    return replace(job, **changes)


def in_process(
    job: Job, heard: Callable[[Progress], None] = lambda _progress: None, *, roots: Sequence[Root] = ()
) -> dict[str, Any]:
    """The job's result."""
    folder = Home(data=job.data, cache=job.cache, config=job.data).for_repository(job.repository / ".git").runs / job.id
    folder.mkdir(parents=True)
    return Pipeline(job, heard, folder, general_roots=roots).run()


def own(home: Home, shop: GitFolder) -> RepositoryHome:
    return home.for_repository(shop.path / ".git")


def registry_of(home: Home, shop: GitFolder) -> AdapterRegistry:
    return AdapterRegistry(own(home, shop))


def weights(adapter: Adapter) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(adapter.folder / "adapter_model.safetensors"))


def turned_round(registry: AdapterRegistry, adapter: Adapter) -> Adapter:
    """An adapter that does the opposite of what another one does, and a hundred times as much of it."""
    return _changed(registry, adapter, lambda value: value * -100)


def made_noise(registry: AdapterRegistry, adapter: Adapter) -> Adapter:
    """An adapter like another one, but for its weights, which are noise, and much of it: nothing mends it soon."""
    import torch

    noise = torch.Generator().manual_seed(0)
    return _changed(registry, adapter, lambda value: torch.randn(value.shape, generator=noise) * NOISE)


def _changed(registry: AdapterRegistry, adapter: Adapter, change: Callable[[Any], Any]) -> Adapter:
    from safetensors.torch import save_file

    version = f"{adapter.version}-changed"
    partial = registry.partial(version)
    shutil.copyfile(adapter.folder / "adapter_config.json", partial / "adapter_config.json")
    changed = {name: change(value) if "lora_B" in name else value for name, value in weights(adapter).items()}
    save_file(changed, partial / "adapter_model.safetensors")
    return registry.publish(partial, adapter.record | {"version": version, "fingerprint": "another"})
