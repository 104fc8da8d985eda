"""After a promotion the recipe is fitted again on everything, and is judged by what is committed later."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.support.git_folder import GitFolder, module
from tests.support.quick_training import (
    FUNCTIONS,
    STEPS,
    a_job,
    copied,
    home_at,
    in_process,
    own,
    registry_of,
    shop_of,
    turned_round,
)
from tests.support.tiny_model import TINY, tiny_model

from acclimate_indexer.dataset import Dataset, MiningOptions, latest_dataset
from acclimate_indexer.home import Home
from acclimate_indexer.mining.split import commits_since
from acclimate_indexer.models import local_model
from acclimate_training.evaluation.unfinished import has_more_to_measure
from acclimate_training.job import Progress
from acclimate_training.lineage import Setting
from acclimate_training.parentage import Parentage
from acclimate_training.refit import is_wanted, judged_for, refit_of
from acclimate_training.registry import Adapter

pytestmark = pytest.mark.tensor
pytest.importorskip("torch", reason="the runtime is not installed")
pytest.importorskip("peft", reason="the runtime is not installed")

BY_HAND = "Somebody has looked at it."
CALIBRATION = {"completion": {"adapter": {"steps": [{"confidence": 0.0, "answers": 60, "right": 30, "files": 9}]}}}
LATER = ("later", "newer", "coming", "beyond", "sooner", "after", "ahead", "next")  # files of a commit to come

Killed = type("Killed", (BaseException,), {})


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> GitFolder:
    return shop_of(tmp_path_factory.mktemp("refit") / "shop")


@pytest.fixture(scope="module")
def promoted(shop: GitFolder, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with a promoted adapter in use."""
    home = home_at(tmp_path_factory.mktemp("home")).create()
    tiny_model(home)
    version = in_process(a_job(home, shop, "first"))["adapter"]
    registry_of(home, shop).promote(version, BY_HAND)
    return home


@pytest.fixture(scope="module")
def refitted(promoted: Home, shop: GitFolder, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home where its recipe was fitted again."""
    home = copied(promoted, tmp_path_factory.mktemp("refitted") / "home")
    (judged,) = registry_of(home, shop).versions()
    registry_of(home, shop).update(judged, {"calibration": CALIBRATION})
    in_process(a_job(home, shop, "again", refit="always"))
    return home


@pytest.fixture
def home(refitted: Home, tmp_path: Path) -> Home:
    """A copy of it."""
    return copied(refitted, tmp_path / "home")


@pytest.fixture
def later(home: Home, shop: GitFolder, tmp_path: Path) -> GitFolder:
    """The repository with more code in it; the home knows it as it knows the other one."""
    shutil.copytree(shop.path, tmp_path / "shop")
    folder = GitFolder(tmp_path / "shop")
    shutil.copytree(own(home, shop).root, own(home, folder).root)
    folder.commit({f"{name}.py": module(name, functions=FUNCTIONS) for name in LATER}, day=1)
    return folder


def both(home: Home, shop: GitFolder) -> tuple[Adapter, Adapter]:
    """The adapter that was judged, and its refit."""
    judged, again = registry_of(home, shop).versions()
    return judged, again


def test_a_promoted_recipe_is_fitted_again_on_everything(refitted: Home, shop: GitFolder) -> None:
    judged, again = both(refitted, shop)
    live = registry_of(refitted, shop).live()
    data = Dataset.open(own(refitted, shop).datasets / again.record["dataset"]["hash"])

    assert live is not None and live.version == again.version
    assert judged_for(again) == again.record["verdict"]["inherited_from"] == judged.version
    assert (again.state, again.reason.partition(",")[0]) == ("promoted", f"Inherited from {judged.version}")
    assert "metrics" not in again.record
    assert again.record["calibration"] == judged.record["calibration"] == CALIBRATION
    assert (again.record["recipe"], again.record["steps"]) == (judged.record["recipe"], STEPS)
    assert data.manifest["split"] == "none"
    assert {(counts["validation"], counts["test"]) for counts in data.counts.values()} == {(0, 0)}
    assert data.counts["completion"]["train"] > latest_dataset(own(refitted, shop)).counts["completion"]["train"]


def test_it_is_done_once(home: Home, shop: GitFolder) -> None:
    result = in_process(a_job(home, shop, "third", refit="always"))

    assert result["reused"] and result["refit"] is None
    assert len(registry_of(home, shop).versions()) == 2


def test_a_refit_that_is_killed_is_gone_on_with(promoted: Home, shop: GitFolder, tmp_path: Path) -> None:
    home = copied(promoted, tmp_path / "home")
    steps: list[int] = []

    def killed(progress: Progress) -> None:
        if progress.phase == "refit" and progress.step == 12:
            raise Killed

    with pytest.raises(Killed):
        in_process(a_job(home, shop, "killed", refit="always"), killed)
    alone = registry_of(home, shop).live()
    in_process(
        a_job(home, shop, "again", refit="always"),
        lambda progress: steps.append(progress.step) if progress.phase == "refit" and progress.step else None,
    )

    judged, again = both(home, shop)
    assert alone is not None and alone.version == judged.version
    assert 1 < steps[0] <= 12 and steps[-1] == STEPS
    assert again.record["resumed_at"] == steps[0] - 1


@pytest.mark.parametrize(
    ("policy", "device", "wanted"),
    [("auto", "cpu", False), ("auto", "cuda", True), ("always", "cpu", True), ("never", "cuda", False)],
)
def test_by_itself_it_is_done_on_a_gpu_alone(policy: Any, device: Any, wanted: bool) -> None:
    assert is_wanted(policy, device) is wanted


def test_no_training_begins_from_a_refit(home: Home, shop: GitFolder) -> None:
    judged, _ = both(home, shop)
    job = a_job(home, shop, "asked")
    data = latest_dataset(own(home, shop))
    setting = Setting.of(job, repository="shop", dataset=data, model=local_model(home, TINY), device="cpu")
    origin = Parentage(setting=setting, home=own(home, shop), repository=shop.open()).origin()

    assert data.manifest["split"] == "file"
    assert origin is not None and origin.version == judged.version


def test_it_falls_with_the_verdict_that_it_inherited(home: Home, shop: GitFolder) -> None:
    judged, again = both(home, shop)
    in_process(a_job(home, shop, "judged again", phases=("evaluate",), adapter=judged.version))

    registry = registry_of(home, shop)
    live = registry.live()
    assert registry.get(judged.version).state == "trial"  # it was promoted by hand, and there is no control here
    assert registry.get(again.version).is_withdrawn
    assert "whose verdict it had inherited, is now trial" in registry.get(again.version).reason
    assert live is not None and live.version == judged.version


def test_without_later_code_the_one_that_was_judged_is_evaluated(home: Home, shop: GitFolder) -> None:
    judged, _ = both(home, shop)
    result = in_process(a_job(home, shop, "evaluated", phases=("evaluate",)))

    assert result["adapter"] == judged.version


def test_it_is_judged_by_code_that_was_committed_after_its_data(home: Home, later: GitFolder) -> None:
    judged, again = both(home, later)
    result = in_process(a_job(home, later, "evaluated", phases=("evaluate",)))

    adapter = registry_of(home, later).get(again.version)
    asked = Dataset.open(own(home, later).datasets / result["dataset"])
    new = commits_since(later.open(), later.open().head(), again.record["dataset"]["commit"])
    assert result["adapter"] == again.version
    assert new is not None and {pair.commit for pair in asked.pairs("test")} == {commit.sha for commit in new}
    assert {pair.path for pair in asked.pairs("test")} <= {f"{name}.py" for name in LATER}
    assert result["contenders"]["adapter"]["loss_n"] >= 20
    assert (adapter.state, adapter.is_withdrawn) == ("promoted", False)
    assert adapter.record["verdict"]["inherited_from"] == judged.version
    assert f"n {result['differences']['adapter']['base']['loss_n']})" in adapter.reason
    (check,) = adapter.record["verdict"]["checks"]
    assert (check["name"], check["passed"]) == ("later_code", True)
    head = later.git("rev-parse", "HEAD")
    assert adapter.record["metrics"]["judged_to"] == head
    assert has_more_to_measure(again.record, head) and not has_more_to_measure(again.record)
    assert has_more_to_measure(adapter.record, "a later one")


@pytest.mark.parametrize("changes", [{"phases": ("evaluate",)}, {"phases": ("mine", "train")}], ids=["asked", "beside"])
def test_one_that_loses_on_later_code_is_withdrawn_by_itself(
    home: Home, later: GitFolder, changes: dict[str, Any]
) -> None:
    judged, again = both(home, later)
    registry = registry_of(home, later)
    spoilt = turned_round(registry, again)
    registry.set_live(judged.version)
    registry.delete(again.version)
    registry.set_live(spoilt.version)
    in_process(a_job(home, later, "noticed", **changes))

    noticed, live = registry.get(spoilt.version), registry.live()
    assert noticed.is_withdrawn
    assert "On code written since its loss differs from the base's by +" in noticed.reason
    assert live is not None and live.version == judged.version
    assert refit_of(registry, judged) is not None  # and is not made again


@pytest.mark.parametrize(
    "options", [MiningOptions(), MiningOptions(exclude=("a",))], ids=["defaults", "something excluded"]
)
def test_usual_data_sets_keep_their_names(options: MiningOptions) -> None:
    assert not {"since", "hold_out"} & options.to_json().keys()
    assert MiningOptions(since="a" * 40, hold_out=False).to_json()["since"] == "a" * 40
