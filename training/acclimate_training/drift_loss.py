"""What the adapter in use is worth on code that was committed since its data: its lead over the base, then and now.

New code may be harder for any model, so what is compared is the adapter's loss less the base's on the same pairs:
those that its verdict rests on, and those of later commits. It is a glance beside a training, of few pairs and a tenth
of the evaluation's minutes. A refitted adapter is judged by it, too, since all that was written before it has learnt.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from acclimate_indexer.dataset import Dataset
from acclimate_indexer.errors import AcclimateError, DatasetError
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.mining.split import commits_since
from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.repository import Repository

from .control import Control
from .control_training import control_of
from .drift import MIN_PAIRS, RECORD, LossRise, loss_rise
from .evaluation.contenders import ADAPTER, BASE, CONTROL, Model
from .evaluation.heldout import LOSS_PAIRS
from .evaluation.intervals import Observation
from .evaluation.measured import Measured
from .evaluation.prompted import Prompts
from .evaluation.questions import questions
from .evaluation.requests import Request, Stores, in_order, unmeasured
from .evaluation.results import ResultStore
from .evaluation.table import difference
from .lineage import Setting
from .promotion import Evidence, Thresholds
from .refit import judge_inherited, judged_for, later_code
from .registry import Adapter, AdapterRegistry
from .reporting import Run

PAIRS = 40  # told apart from none in most repositories; on a processor half a minute
MINUTES_SHARE = 0.1  # of the evaluation's


def note_drift(run: Run, setting: Setting, home: RepositoryHome, repository: Repository) -> LossRise | None:
    """Measures the adapter in use on what is newer than its data and writes that into its record.

    None, and nothing written, where there is nothing to measure or too little to tell; what stands in the way is noted,
    and ends no training.
    """
    live = AdapterRegistry(home).live()
    if live is None or live.base_identity != setting.model.identity:
        return None
    try:
        return _Glance(run=run, setting=setting, home=home, repository=repository, adapter=live).noted()
    except AcclimateError as error:
        run.note(f"The loss of {live.version} on newer code was not measured: {error}")
        return None


@dataclass(frozen=True, kw_only=True)
class _Glance:
    """One adapter, looked at once. Not slotted, so that its parts are made once."""

    run: Run
    setting: Setting
    home: RepositoryHome
    repository: Repository
    adapter: Adapter

    def noted(self) -> LossRise | None:
        since = self._since
        if since is None or len(since.questions) < MIN_PAIRS:
            return None
        before = self._before()
        if not self._is_refit and len(before) < MIN_PAIRS:
            return None
        self._measure(since)
        registry = AdapterRegistry(self.home)
        if self._is_refit:
            self._judge(registry, since)
        rise = loss_rise(before=before, since=_leads(since), to=self.setting.dataset.commit)
        if rise is not None:
            registry.update(self.adapter, {RECORD: rise.to_json()})
        return rise

    @property
    def _is_refit(self) -> bool:
        return judged_for(self.adapter) is not None

    @cached_property
    def _control(self) -> Control | None:
        """A refit is compared with it, since that decides whether it stays."""
        return control_of(self.adapter, self.run) if self._is_refit else None

    @cached_property
    def _since(self) -> Measured | None:
        """Pairs of what was committed after the adapter's data; None if nothing was."""
        later = commits_since(
            self.repository, self.setting.dataset.commit, str(self.adapter.record["dataset"]["commit"])
        )
        if not later:
            return None
        dataset: Dataset | None = self.setting.dataset
        if self._is_refit:  # a line that only moved since is one that it has learnt
            dataset = later_code(self.run, self.adapter, self.repository, self.home)
        if dataset is None:
            return None
        commits = {commit.sha for commit in later}
        pairs = (pair for pair in dataset.pairs("test") if pair.commit in commits)
        return self._measured(self.adapter, dataset, pairs, PAIRS)

    def _before(self) -> list[Observation]:
        """The leads that its verdict rests on; a refit's are those of the adapter that was judged for it."""
        registry, judged = AdapterRegistry(self.home), self.adapter
        if (name := judged_for(judged)) is not None:
            judged = registry.get(name)
        try:
            dataset = Dataset.open(self.home.datasets / str(judged.record["dataset"]["hash"]))
        except DatasetError:
            return []
        pairs = list(dataset.pairs("test")) or list(dataset.pairs("validation"))
        return _leads(self._measured(judged, dataset, pairs, LOSS_PAIRS))

    def _measured(self, adapter: Adapter, dataset: Dataset, pairs: Iterable[CompletionPair], most: int) -> Measured:
        setting = self.setting.as_trained(adapter)
        prompts = Prompts.of(dataset, setting.builder, repository=setting.repository)
        versions: dict[Model, str | None] = {"base": None, "adapter": adapter.version}
        if self._control is not None:
            versions["control"] = self._control.version
        return Measured(
            questions=questions(pairs, prompts, seed=setting.seed, at_most=most),
            stores={
                model: ResultStore(self.home.evaluations, model_identity=setting.model.identity, adapter=version)
                for model, version in versions.items()
            },
        )

    def _measure(self, since: Measured) -> None:
        contenders = [each for each in (BASE, CONTROL, ADAPTER) if each.model in since.stores]
        requests = in_order(since.questions, contenders, block=PAIRS)
        if unmeasured(requests, since.stores):
            with self.run.room_for_a_model():
                self._measure_losses(requests, since.stores)

    def _measure_losses(self, requests: list[Request], stores: Stores) -> None:
        from .evaluation.loss import measure_losses

        model = self._loaded_model()
        with self.run.phase("drift") as advance:
            measure_losses(
                model,
                requests,
                stores,
                pad_id=self.setting.builder.end_of_text_id,
                seconds=MINUTES_SHARE * self.run.job.evaluation_minutes * 60,
                report=advance,
            )

    def _loaded_model(self) -> Any:
        from . import trainer

        self.adapter.verify()
        with self.run.phase("load"):
            base = trainer.load_base(self.setting.model, self.setting.device, threads=self.run.job.threads)
            return trainer.with_saved_adapters(
                base, self.adapter.folder, None if self._control is None else self._control.folder
            )

    def _judge(self, registry: AdapterRegistry, since: Measured) -> None:
        found = {
            each.name: difference(since, ADAPTER, each, seed=self.setting.seed)
            for each in (BASE, CONTROL)
            if each.model in since.stores
        }
        evidence = Evidence(differences={ADAPTER.name: found})
        judge_inherited(registry, self.adapter, evidence, Thresholds(**self.run.job.gate), {})


def _leads(measured: Measured) -> list[Observation]:
    """The adapter's loss less the base's, in nats a token, on the pairs where both are known."""
    both = [each for each in measured.questions if all(measured.loss(who, each) for who in (ADAPTER, BASE))]
    pairs = zip(measured.losses(ADAPTER, both), measured.losses(BASE, both), strict=True)
    return [replace(one, value=one.value - other.value) for one, other in pairs]
