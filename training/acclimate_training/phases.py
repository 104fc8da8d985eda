"""The phases of one job: mine, train, evaluate.

Nothing is done twice: an unchanged commit is mined already, an unchanged training gives the adapter that there is, and
what was measured on a pair is kept.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from acclimate_indexer.dataset import Dataset, MiningOptions, Stages, latest_dataset, mine
from acclimate_indexer.errors import AdapterError, EngineError, RuntimeMissing
from acclimate_indexer.general.sources import Root
from acclimate_indexer.home import Home, RepositoryHome
from acclimate_indexer.models import LocalModel, local_model
from acclimate_indexer.prompts import Cursor
from acclimate_indexer.repository import Repository

from .advice import advise
from .control import General
from .control_training import control_of
from .devices import GpuShare, installed_gpus, limit_memory, take_share
from .drift_loss import note_drift
from .engine_address import EngineAddress
from .engine_sleep import can_sleep, changed_words, engine_asleep, wake_if_asleep
from .job import Job, Progress
from .judging import Judging
from .learning import Learnt, learn
from .lineage import Setting
from .memory import ModelShape
from .parentage import Parentage
from .promotion import Thresholds
from .recipe_choice import needed_on_gpu
from .refit import has_later_code, is_wanted, judged_for, later_code, refitted
from .registry import Adapter, AdapterRegistry
from .reporting import Run


class Pipeline:
    """One job. `report` hears the progress; `run` gives the result that the last line carries.

    `general_roots` is where code that is not the repository's lies; None looks for it on this machine.
    """

    def __init__(
        self,
        job: Job,
        report: Callable[[Progress], None],
        run_folder: Path,
        *,
        general_roots: Sequence[Root] | None = None,
    ) -> None:
        home = Home(data=job.data, cache=job.cache, config=job.data).create()
        self._job = job
        self._general_roots = general_roots
        self._run = Run(job=job, home=home, folder=run_folder, report=report)
        self._stages: dict[str, float] = {}  # of mining

    def run(self) -> dict[str, Any]:
        """Runs the phases.

        Raises:
            AcclimateError: Something foreseeable stands in the way; the message says what.
        """
        dataset = self._dataset()
        result: dict[str, Any] = {
            "repository": self._repository.name,
            "commit": dataset.manifest.get("commit"),
            "dataset": dataset.hash,
            "pairs": dataset.counts,
            "seconds": self._run.seconds,
            "mining_seconds": self._stages,
            "notes": self._run.notes,
        }
        if "advise" in self._job.phases:
            return result | advise(self._run, self._setting(dataset), self._home, self._repository)
        if not {"train", "evaluate"} & set(self._job.phases):
            return result
        with self._only_training():
            return result | self._adapter_and_figures(dataset)

    @cached_property
    def _repository(self) -> Repository:
        return Repository.open(self._job.repository)

    @cached_property
    def _home(self) -> RepositoryHome:
        return self._run.home.for_repository(self._repository.common_directory)

    def _dataset(self) -> Dataset:
        if "mine" in self._job.phases:
            with self._run.phase("mine") as advance:
                options = MiningOptions.from_settings(self._job.mining)
                stages = Stages(lambda done, of, said: advance(done, of, None, said))
                dataset = mine(self._repository, self._home, options, stages)
                self._stages = {name: round(seconds, 2) for name, seconds in stages.seconds.items()}
                return dataset
        wanted = self._job.dataset
        if wanted is None and "evaluate" in self._job.phases and "train" not in self._job.phases:
            if (later := self._later_code) is not None:
                return later
            wanted = self._data_of(self._adapter_to_measure)
        return latest_dataset(self._home) if wanted is None else Dataset.open(self._home.datasets / wanted)

    def _data_of(self, adapter: Adapter) -> str | None:
        """The data set that an adapter was trained on, where it is here; a stranger's may never have been."""
        wanted = adapter.record["dataset"]["hash"]
        return str(wanted) if wanted and (self._home.datasets / str(wanted)).is_dir() else None

    def _adapter_and_figures(self, dataset: Dataset) -> dict[str, Any]:
        setting = self._setting(dataset)
        general = General.beside(self._repository, dataset, self._run, roots=self._general_roots)
        if {"mine", "train"} <= set(self._job.phases):
            note_drift(self._run, setting, self._home, self._repository)
        learnt = self._learnt(setting, general)
        adapter = learnt.adapter
        figures: dict[str, Any] = {}
        if "evaluate" in self._job.phases:
            adapter, figures = self._judging(setting, general, learnt).judged()
        elif self._job.force:
            adapter = AdapterRegistry(self._home).judge(adapter, _forced(adapter))
        if is_wanted(self._job.refit, setting.device):
            figures["refit"] = refitted(
                self._run, setting, adapter, self._repository, self._home, roots=self._general_roots
            )
        model = setting.model
        return figures | {
            "adapter": adapter.version,
            "reused": not learnt.is_new,
            "steps": adapter.record["steps"],
            "verdict": adapter.record["verdict"],
            "model": {"name": model.name, "variant": model.variant, "precision": model.precision},
        }

    def _setting(self, dataset: Dataset) -> Setting:
        if missing := [name for name in ("torch", "transformers", "peft") if find_spec(name) is None]:
            raise RuntimeMissing(f"Training needs {', '.join(missing)}. Install the runtime: `acclimate doctor --fix`.")
        model = local_model(self._run.home, self._job.model)
        share = self._gpu_share(model)
        with self._run.phase("load"):
            from .hardware import device  # the first import of torch takes seconds

            if share is not None:
                limit_memory(share)
            setting = Setting.of(
                self._job, repository=self._repository.name, dataset=dataset, model=model, device=device()
            )
        engine = EngineAddress.from_environment()
        if share is not None and share.policy == "sleep" and engine is not None:
            if not wake_if_asleep(engine, self._run.home):  # a training that was killed may have left it so
                raise EngineError(changed_words(engine))
            self._run.engine_asleep = partial(self._while_the_engine_sleeps, engine, setting)
        if "evaluate" not in self._job.phases or "train" in self._job.phases:
            return setting
        return setting.as_trained(self._adapter_to_measure)

    def _gpu_share(self, model: LocalModel) -> GpuShare | None:
        """Decided before torch looks for a GPU; None without one. An engine that is not here shares none with us."""
        if not installed_gpus():
            return None
        engine = EngineAddress.from_environment()
        is_beside = engine is not None and engine.is_loopback
        share = take_share(
            self._job.gpu_policy,
            needed_bytes=needed_on_gpu(ModelShape.read(model.folder), self._job.recipe),
            engine_gpu=0 if is_beside else None,
            can_sleep=engine is not None and is_beside and can_sleep(engine),
            several=self._job.recipe.get("method") != "qlora",  # a base in 4 bits is loaded onto one GPU
        )
        self._run.share = share
        self._run.note(share.reason)
        return share

    def _while_the_engine_sleeps(self, engine: EngineAddress, setting: Setting) -> AbstractContextManager[None]:
        canary = Cursor(path="canary.py", language="python", prefix="def add(first, second):\n    return ", suffix="\n")
        prompt = setting.builder.prompt(canary, repository=setting.repository)
        return engine_asleep(engine, prompt, model=setting.model.name, home=self._run.home)

    def _learnt(self, setting: Setting, general: General) -> Learnt:
        if "train" in self._job.phases:
            parentage = Parentage(setting=setting, home=self._home, repository=self._repository)
            return learn(self._run, setting, general, self._home, parentage.origin)
        adapter = self._adapter_to_measure
        return Learnt(adapter=adapter, is_new=False, control=control_of(adapter, self._run))

    def _judging(self, setting: Setting, general: General, learnt: Learnt) -> Judging:
        return Judging(
            run=self._run,
            setting=setting,
            home=self._home,
            repository=self._repository,
            adapter=learnt.adapter,
            control=learnt.control,
            general=general,
            thresholds=Thresholds(**self._job.gate),
        )

    @cached_property
    def _adapter_to_measure(self) -> Adapter:
        """The one that was named, else the newest that there is something to measure of."""
        registry = AdapterRegistry(self._home)
        if self._job.adapter is not None:
            return registry.get_verified(registry.resolve(self._job.adapter))
        if not (versions := registry.versions()):
            raise AdapterError("There is no adapter to evaluate yet. Train one: `acclimate train`.")
        newest = versions[-1]
        judged = judged_for(newest)
        if judged is not None and not has_later_code(newest, self._repository):
            newest = next((each for each in versions if each.version == judged), newest)
        newest.verify()
        return newest

    @cached_property
    def _later_code(self) -> Dataset | None:
        """What a refitted adapter is judged by; None for one with a verdict of its own."""
        adapter = self._adapter_to_measure
        return None if judged_for(adapter) is None else later_code(self._run, adapter, self._repository, self._home)

    @contextmanager
    def _only_training(self) -> Iterator[None]:
        """One training a machine: two would take turns in the same caches and each take more than twice as long."""
        lock = FileLock(self._run.home.training_lock)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waiting = "Another training runs on this machine; waiting for its end."
            self._run.report(Progress(phase="wait", message=waiting))
            lock.acquire()
        try:
            yield
        finally:
            lock.release()


def _forced(adapter: Adapter) -> dict[str, Any]:
    reason = f"Taken into use because it was forced. {adapter.record['verdict'].get('reason', '')}"
    return {"verdict": {"state": "trial", "reason": reason, "candidate": None, "checks": []}, "forced": True}
