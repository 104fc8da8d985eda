"""The reviews of an evaluation: asked of the engine that there is, and judged by themselves."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.evaluated import BUDGET, evaluated_shop
from tests.support.fake_engine import FakeEngine, fake_engine
from tests.support.tiny_model import TINY, TOKENS

from acclimate_indexer.dataset import Dataset
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel, local_model
from acclimate_indexer.prompts import PromptBuilder
from acclimate_indexer.repository import Repository
from acclimate_training.adapter import Adapter
from acclimate_training.engine_address import ENGINE_URL
from acclimate_training.evaluation.contenders import Model
from acclimate_training.evaluation.results import ResultStore
from acclimate_training.job import Job, Progress
from acclimate_training.reporting import Run
from acclimate_training.review_judging import ReviewJudging


@dataclass(frozen=True, kw_only=True)
class Setting:
    repository: str
    dataset: Dataset
    model: LocalModel
    builder: PromptBuilder
    seed: int = 3


class Shop:
    """A repository with an adapter, whose reviews are judged anew each time."""

    def __init__(self, home: Home, folder: Path) -> None:
        path, self.adapter = evaluated_shop(home, folder, {})
        self.kept = home.for_repository(Repository.open(path).common_directory)
        self.heard: list[Progress] = []
        job = Job(id="one", repository=path, data=home.data, cache=home.cache, phases=("evaluate",), model=TINY)
        self.run = Run(job=job, home=home, folder=folder, report=self.heard.append)
        model = local_model(home, TINY)
        self.setting = Setting(
            repository=self.adapter.repository,
            dataset=Dataset.open(self.kept.datasets / str(self.adapter.record["dataset"]["hash"])),
            model=model,
            builder=PromptBuilder.load(model.folder, TOKENS, BUDGET),
        )

    def judging(self) -> ReviewJudging:
        identity = self.setting.model.identity
        stores: dict[Model, ResultStore] = {
            "base": ResultStore(self.kept.evaluations, model_identity=identity),
            "adapter": ResultStore(self.kept.evaluations, model_identity=identity, adapter=self.adapter.version),
        }
        return ReviewJudging(run=self.run, setting=self.setting, adapter=self.adapter, stores=stores)


@pytest.fixture
def shop(home: Home, tmp_path: Path) -> Shop:
    return Shop(home, tmp_path)


def knows_base(engine: FakeEngine) -> None:
    """The fake's base model has another name than the tiny one."""
    engine.adapters[TINY] = "the base"


async def test_what_is_asked_is_kept_and_judged(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_engine() as engine:
        knows_base(engine)
        monkeypatch.setenv(ENGINE_URL, engine.url)
        await asyncio.to_thread(shop.judging().ask, 60.0)
        asked = len(engine.asked)
        await asyncio.to_thread(shop.judging().ask, 60.0)
        await engine.left_alone()

    found = shop.judging().found()
    assert engine.loads == [shop.adapter.version]
    assert len(engine.asked) == asked == 2 * len(list(shop.setting.dataset.reviews("test")))
    assert found.table["open"] == 0
    assert found.table["reviewers"]["adapter"]["n"] == asked // 2
    assert found.verdict["state"] == "off"
    assert "review" in {line.phase for line in shop.heard}


async def test_an_engine_that_dies_is_noted_and_stops_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_engine() as engine:
        knows_base(engine)
        engine.dies_after = 3
        monkeypatch.setenv(ENGINE_URL, engine.url)
        await asyncio.to_thread(shop.judging().ask, 60.0)
        await engine.left_alone()

    (note,) = shop.run.notes
    assert note.startswith("Reviews were not all measured: ")
    assert shop.judging().is_open
    assert shop.judging().found().verdict["state"] == "off"


def test_without_an_engine_nothing_is_measured_and_said(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENGINE_URL, raising=False)

    shop.judging().ask(60.0)

    assert shop.run.notes == []
    assert shop.judging().found().verdict["reason"].startswith("Its reviews were not measured")


def test_an_adapter_of_an_earlier_version_is_not_measured_yet(shop: Shop) -> None:
    adapter: Adapter = shop.adapter

    assert adapter.record["review_verdict"]["state"] == "off"
    assert "not measured on held-out code yet" in adapter.record["review_verdict"]["reason"]
