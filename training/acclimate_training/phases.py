"""The phases of one job: mine, train, evaluate, gate, register.

Nothing is done twice: an unchanged commit is mined already, an unchanged training gives the adapter that there is, and
what was measured on a pair is kept.
"""

import gc
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from filelock import FileLock, Timeout

from acclimate_indexer.dataset import Dataset, MiningOptions, Stages, latest_dataset, mine
from acclimate_indexer.errors import AdapterError, DiskFull, RuntimeMissing, TooFewPairs
from acclimate_indexer.home import Home, RepositoryHome
from acclimate_indexer.models import local_model
from acclimate_indexer.repository import Repository

from . import checkpoints
from .encoding import Example, training_examples
from .engine import EngineAddress
from .evaluation.heldout import LOSS_SHARE, HeldOut, held_out
from .gate import NOT_MEASURED, verdict
from .job import ENGINE_KEY, ENGINE_URL, Job, Progress
from .lineage import Setting, lineage
from .recipe import MIN_PAIRS
from .registry import Adapter, AdapterRegistry

if TYPE_CHECKING:
    from .trainer import Step

NO_ENGINE = "No engine was given: only the loss was measured."
NO_TEST_PART = "The repository gave no test part: the figures are from the validation part."
NOTHING_HELD_OUT = "The repository gave no held-out pairs: nothing was measured."

ROOM_BYTES = 500 * 10**6  # three checkpoints of an adapter on a 7B model, each with two moments a weight
ENGINE_SECONDS = 60  # from its start until it is ready, on two cores
PAIRS_PER_SECOND = {"cpu": 4, "cuda": 200}  # above what they train: what is never seen need not be encoded (2 ms each)


class Advance(Protocol):
    """Says how far a phase is; without an estimate of the seconds left one is made."""

    def __call__(self, done: int, of: int, seconds_left: float | None, message: str | None = None) -> None: ...


class Pipeline:
    """One job. `report` hears the progress; `run` gives the result that the last line carries."""

    def __init__(self, job: Job, report: Callable[[Progress], None], run_folder: Path) -> None:
        self._job = job
        self._report = report
        self._run_folder = run_folder
        self._home = Home(data=job.data, cache=job.cache, config=job.data).create()
        self._seconds: dict[str, float] = {}
        self._stages: dict[str, float] = {}  # of mining
        self._notes: list[str] = []
        self._model: Any = None  # base and adapter in one, from the first use to the generation

    def run(self) -> dict[str, Any]:
        """Runs the phases.

        Raises:
            AcclimateError: Something foreseeable stands in the way; the message says what.
        """
        repository = Repository.open(self._job.repository)
        home = self._home.for_repository(repository.common_directory)
        dataset = self._dataset(repository, home)
        result: dict[str, Any] = {
            "repository": repository.name,
            "commit": dataset.manifest.get("commit"),
            "dataset": dataset.hash,
            "pairs": dataset.counts,
            "seconds": self._seconds,
            "mining_seconds": self._stages,
            "notes": self._notes,
        }
        if not {"train", "evaluate"} & set(self._job.phases):
            return result
        with self._only_training():
            return result | self._adapter_and_figures(repository.name, dataset, home)

    def _dataset(self, repository: Repository, home: RepositoryHome) -> Dataset:
        if "mine" in self._job.phases:
            with self._phase("mine") as advance:
                options = MiningOptions.from_settings(self._job.mining)
                stages = Stages(lambda done, of, said: advance(done, of, None, said))
                dataset = mine(repository, home, options, stages)
                self._stages = {name: round(seconds, 2) for name, seconds in stages.seconds.items()}
                return dataset
        wanted = self._job.dataset
        if wanted is None and "train" not in self._job.phases:
            wanted = str(_adapter_to_measure(home, self._job.adapter).record["dataset"]["hash"])
        return latest_dataset(home) if wanted is None else Dataset.open(home.datasets / wanted)

    def _adapter_and_figures(self, repository: str, dataset: Dataset, home: RepositoryHome) -> dict[str, Any]:
        setting = self._setting(repository, dataset, home)
        adapter, reused = self._adapter(setting, home)
        figures: dict[str, Any] = {}
        if "evaluate" in self._job.phases:
            adapter, figures = self._measured(adapter, setting, home)
        elif self._job.force:
            adapter = self._judged(adapter, {}, home)
        model = setting.model
        return figures | {
            "adapter": adapter.version,
            "reused": reused,
            "steps": adapter.record["steps"],
            "verdict": adapter.record["verdict"],
            "model": {"name": model.name, "variant": model.variant, "precision": model.precision},
        }

    def _setting(self, repository: str, dataset: Dataset, home: RepositoryHome) -> Setting:
        if missing := [name for name in ("torch", "transformers", "peft") if find_spec(name) is None]:
            raise RuntimeMissing(f"Training needs {', '.join(missing)}. Install the runtime: `acclimate doctor --fix`.")
        model = local_model(self._home, self._job.model)
        with self._phase("load"):
            from .hardware import device  # the first import of torch takes seconds

            setting = Setting.of(self._job, repository=repository, dataset=dataset, model=model, device=device())
        if "train" in self._job.phases:
            return setting
        return setting.as_trained(_adapter_to_measure(home, self._job.adapter))

    def _adapter(self, setting: Setting, home: RepositoryHome) -> tuple[Adapter, bool]:
        """The adapter to measure, and whether it was there before: no training is done a second time."""
        if "train" not in self._job.phases:
            return _adapter_to_measure(home, self._job.adapter), True
        for adapter in reversed(AdapterRegistry(home).versions()):
            if adapter.record.get("fingerprint") == setting.fingerprint:
                return adapter, True
        return self._newly_trained(setting, home), False

    def _newly_trained(self, setting: Setting, home: RepositoryHome) -> Adapter:
        from . import trainer

        examples = _enough_examples(setting, force=self._job.force)
        _require_room(home.root)
        registry = AdapterRegistry(home)
        created = datetime.now(UTC)
        version = registry.new_version(setting.repository, created)
        with self._phase("load"):
            base = trainer.load_base(setting.model, setting.device, threads=self._job.threads)
            self._model = trainer.with_new_adapter(base, setting.recipe, setting.seed)
        folder = self._run_folder / "checkpoints"
        checkpoints.adopt(folder, home, setting.fingerprint)
        with self._phase("train"):
            trained = trainer.train(
                self._model,
                examples,
                recipe=setting.recipe,
                minutes=setting.minutes,
                seed=setting.seed,
                fingerprint=setting.fingerprint,
                checkpoints=folder,
                pad_id=setting.builder.end_of_text_id,
                report=self._report_step,
            )
        registry.remove_partials()
        partial = registry.partial(version)
        trainer.save_adapter(self._model, partial, setting.model.name)
        record = lineage(setting, trained, version=version, created=created)
        adapter = registry.publish(partial, record | {"verdict": NOT_MEASURED.to_json(), "forced": self._job.force})
        checkpoints.remove_all(home)
        return adapter

    def _measured(self, adapter: Adapter, setting: Setting, home: RepositoryHome) -> tuple[Adapter, dict[str, Any]]:
        """Loss, verdict, then answers: a good adapter is in use before the slowest part begins."""
        questions = held_out(setting, home, version=adapter.version)
        if questions.split != "test":
            self._notes.append(NO_TEST_PART)
        if not questions.questions:
            self._notes.append(NOTHING_HELD_OUT)
        started = time.monotonic()
        self._measure_losses(adapter, setting, questions)
        self._model = None  # its gigabyte is the engine's now
        gc.collect()
        adapter = self._judged(adapter, questions.table().differences, home)
        self._generate(adapter, setting, questions, seconds=self._evaluation_seconds - (time.monotonic() - started))
        table = questions.table()
        figures = {"contenders": table.contenders, "differences": table.differences, "split": questions.split}
        adapter = AdapterRegistry(home).update(adapter, {"metrics": figures | {"notes": self._notes}})
        return adapter, figures | {"example": questions.shown_example()}

    def _measure_losses(self, adapter: Adapter, setting: Setting, questions: HeldOut) -> None:
        if not questions.has_unmeasured_losses:
            return
        from . import trainer
        from .evaluation.loss import measure_losses

        if self._model is None:
            with self._phase("load"):
                base = trainer.load_base(setting.model, setting.device, threads=self._job.threads)
                self._model = trainer.with_saved_adapter(base, adapter.folder)
        examples = [question.example for question in questions.loss_questions]
        with self._phase("loss") as advance:
            measure_losses(
                self._model,
                examples,
                stores=(questions.base, questions.adapter),
                pad_id=setting.builder.end_of_text_id,
                seconds=LOSS_SHARE * self._evaluation_seconds,
                report=lambda done, left: advance(done, len(examples), left),
            )

    def _judged(self, adapter: Adapter, differences: dict[str, Any], home: RepositoryHome) -> Adapter:
        """Writes the verdict and moves the pointer. What was rejected is never in use."""
        registry = AdapterRegistry(home)
        forced = self._job.force or bool(adapter.record.get("forced"))
        found = verdict(differences, force=forced)
        adapter = registry.update(adapter, {"verdict": found.to_json(), "forced": forced})
        live = registry.live()
        if found.may_be_used:
            registry.set_live(adapter.version)
        elif live is not None and live.version == adapter.version:
            registry.set_live(None)
        return adapter

    def _generate(self, adapter: Adapter, setting: Setting, questions: HeldOut, *, seconds: float) -> None:
        if not questions.has_unanswered_questions:
            return
        url = os.environ.get(ENGINE_URL)
        if not url:
            self._notes.append(NO_ENGINE)
            return
        address = EngineAddress(url=url, key=os.environ.get(ENGINE_KEY, ""))
        with self._phase("generate") as advance:
            problem = questions.generate(
                address, setting, adapter, seconds=seconds, report=advance, on_wait=self._report_engine
            )
            if problem:
                self._notes.append(f"Answers were not all generated: {problem}")

    @property
    def _evaluation_seconds(self) -> float:
        return self._job.evaluation_minutes * 60

    def _report_engine(self, waited: float) -> None:
        usual = max(ENGINE_SECONDS, int(waited) + 1)
        self._report(Progress(phase="engine", step=int(waited), of=usual, seconds_left=round(usual - waited, 1)))

    def _report_step(self, step: "Step") -> None:
        self._report(
            Progress(
                phase="train",
                step=step.step,
                of=step.of,
                loss=round(step.loss, 4),
                tokens_per_second=round(step.tokens_per_second, 1),
                seconds_left=round(step.seconds_left, 1),
            )
        )

    @contextmanager
    def _phase(self, name: str) -> Iterator[Advance]:
        """Says that a phase begins, and adds up its seconds."""
        started = time.monotonic()

        def advance(done: int, of: int, seconds_left: float | None, message: str | None = None) -> None:
            elapsed = time.monotonic() - started
            left = elapsed / done * (of - done) if seconds_left is None and done else seconds_left
            rounded = None if left is None else round(left, 1)
            self._report(Progress(phase=name, step=done, of=of, seconds_left=rounded, message=message))

        self._report(Progress(phase=name))
        try:
            yield advance
        finally:
            self._seconds[name] = round(self._seconds.get(name, 0.0) + time.monotonic() - started, 2)

    @contextmanager
    def _only_training(self) -> Iterator[None]:
        """One training a machine: two would take turns in the same caches and each take more than twice as long."""
        lock = FileLock(self._home.training_lock)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self._report(Progress(phase="wait", message="Another training runs on this machine; waiting for its end."))
            lock.acquire()
        try:
            yield
        finally:
            lock.release()


def _adapter_to_measure(home: RepositoryHome, version: str | None) -> Adapter:
    registry = AdapterRegistry(home)
    if version is not None:
        return registry.get(version)
    if not (versions := registry.versions()):
        raise AdapterError("There is no adapter to evaluate yet. Train one: `acclimate train`.")
    return versions[-1]


def _require_room(folder: Path) -> None:
    """Before minutes of work: the libraries that write checkpoints do not say clearly that a disk is full."""
    free = shutil.disk_usage(folder).free
    if free < ROOM_BYTES:
        raise DiskFull(
            f"A training needs {ROOM_BYTES // 10**6} MB for checkpoints, but where {str(folder)!r} is there are "
            f"{free // 10**6} MB. Free some space, then run it again."
        )


def _enough_examples(setting: Setting, *, force: bool) -> list[Example]:
    at_most = setting.max_pairs or max(MIN_PAIRS, int(setting.minutes * 60 * PAIRS_PER_SECOND[setting.device]))
    pairs = islice(setting.dataset.pairs("train"), at_most)  # the most useful first
    examples = training_examples(
        pairs, setting.builder, repository=setting.repository, max_target_tokens=setting.recipe.max_target_tokens
    )
    if not examples or (len(examples) < MIN_PAIRS and not force):
        raise TooFewPairs(
            f"The repository gives {len(examples)} training pairs; a training needs at least {MIN_PAIRS}. "
            "Commit more code, widen `mining.*`, or override with `--force`.",
            pairs=len(examples),
            needed=MIN_PAIRS,
        )
    return examples
