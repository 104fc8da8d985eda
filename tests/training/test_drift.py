"""When an adapter has fallen behind its repository."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from tests.support.git_folder import GitFolder, module

from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.prompts import PromptBudget
from acclimate_training.drift import RECORD, Drift, DriftLimits, loss_rise, measured_drift
from acclimate_training.evaluation.intervals import Observation
from acclimate_training.registry import AdapterRegistry

LINES = len(module("cart").splitlines())
LIMITS = DriftLimits(lines=20, share=0.5)


@pytest.fixture
def shop(tmp_path: Path) -> GitFolder:
    return GitFolder.new(tmp_path / "shop")


@pytest.fixture
def home(tmp_path: Path) -> RepositoryHome:
    return RepositoryHome(root=tmp_path / "state")


def published(home: RepositoryHome, version: str, **record: Any) -> None:
    """An adapter of which only the record matters here."""
    registry = AdapterRegistry(home)
    partial = registry.partial(version)
    (partial / "adapter_config.json").write_text("{}", encoding="utf-8")
    registry.publish(
        partial,
        {
            "version": version,
            "created": f"2026-05-0{version[-1]}T00:00:00+00:00",
            "repository": "shop",
            "base": {"name": "tiny", "identity": "tiny@0+original"},
            "verdict": {"state": "trial", "reason": "lower"},
            "prompt_budget": PromptBudget().to_json(),
        }
        | record,
    )


def drift(shop: GitFolder, home: RepositoryHome, limits: DriftLimits = LIMITS) -> Drift:
    return measured_drift(shop.open(), home, limits)


def test_a_few_new_lines_are_below_the_limit(shop: GitFolder, home: RepositoryHome) -> None:
    since = shop.commit({"cart.py": module("cart"), "prices.py": module("prices")}, day=0)
    until = shop.commit({"rate.py": "RATE = 3\n"}, day=2)
    published(home, "shop-1", dataset={"commit": since})

    found = drift(shop, home)
    assert (found.commit, found.to, found.lines, found.commits, found.days) == (since, until, 1, 1, 2.0)
    assert not found.exceeds
    assert found.said == (
        f"1 new line ({1 / (2 * LINES):.1%} of what was mined) in 1 commit over 2 days since the data of shop-1. "
        "Below the limit of 20 lines or 50%."
    )


@pytest.mark.parametrize("limits", [DriftLimits(lines=LINES, share=9.0), DriftLimits(lines=9_999, share=1.0)])
def test_either_limit_is_enough(shop: GitFolder, home: RepositoryHome, limits: DriftLimits) -> None:
    since = shop.commit({"cart.py": module("cart")}, day=0)
    shop.commit({"prices.py": module("prices")}, day=1)
    published(home, "shop-1", dataset={"commit": since})

    found = drift(shop, home, limits)
    assert found.exceeds
    assert found.said.endswith("Bring the adapter up to date: `acclimate retrain`.")


def test_no_adapter_at_all_is_drift(shop: GitFolder, home: RepositoryHome) -> None:
    until = shop.commit({"cart.py": module("cart")})

    found = drift(shop, home)
    assert (found.commit, found.to, found.exceeds) == (None, until, True)
    assert "no adapter" in found.said


@pytest.mark.parametrize("record", [{}, {"dataset": {"hash": "x"}}, {"dataset": {"commit": "f" * 40}}])
def test_an_adapter_of_an_unknown_commit_is_drift(
    shop: GitFolder, home: RepositoryHome, record: dict[str, Any]
) -> None:
    shop.commit({"cart.py": module("cart")})
    published(home, "shop-1", **record)

    found = drift(shop, home)
    assert found.exceeds
    assert f"all {LINES} lines count as new" in found.said


def test_what_is_in_use_is_what_drifts(shop: GitFolder, home: RepositoryHome) -> None:
    first = shop.commit({"cart.py": module("cart")}, day=0)
    shop.commit({"prices.py": module("prices")}, day=1)
    published(home, "shop-1", dataset={"commit": first})
    AdapterRegistry(home).set_live("shop-1")

    assert drift(shop, home).lines == LINES


def test_what_was_tried_in_vain_is_tried_again_only_when_as_much_again_is_new(
    shop: GitFolder, home: RepositoryHome
) -> None:
    first = shop.commit({"cart.py": module("cart")}, day=0)
    second = shop.commit({"prices.py": module("prices")}, day=1)
    published(home, "shop-1", dataset={"commit": first})
    published(home, "shop-2", dataset={"commit": second}, verdict={"state": "rejected", "reason": "no better"})
    AdapterRegistry(home).set_live("shop-1")
    soon = drift(shop, home)
    shop.commit({"orders.py": module("orders")}, day=2)
    later = drift(shop, home)

    assert (soon.lines, soon.exceeds) == (LINES, False)
    assert soon.said.endswith("shop-2 was trained on it and is rejected.")
    assert (later.lines, later.exceeds) == (2 * LINES, True)


def test_a_branch_switch_is_no_drift_and_a_rewritten_history_is_said(shop: GitFolder, home: RepositoryHome) -> None:
    first = shop.commit({"cart.py": module("cart")}, day=0)
    second = shop.commit({"prices.py": module("prices")}, day=1)
    published(home, "shop-1", dataset={"commit": second})
    shop.git("checkout", "-q", first)
    older = drift(shop, home)
    shop.git("checkout", "-q", "main")
    shop.git("commit", "-q", "--amend", "-m", "said otherwise", day=3)
    rewritten = drift(shop, home)

    assert (older.lines, older.exceeds) == (0, False)
    assert "older than the data of shop-1" in older.said
    assert (rewritten.lines, rewritten.exceeds) == (0, False)
    assert "a history that was rewritten" in rewritten.said


def test_a_rise_of_the_loss_counts_and_survives_the_record(shop: GitFolder, home: RepositoryHome) -> None:
    since = shop.commit({"cart.py": module("cart")})
    rise = loss_rise(before=losses(1.0), since=losses(1.6), to=since)
    assert rise is not None
    published(home, "shop-1", dataset={"commit": since}, **{RECORD: rise.to_json()})

    found = drift(shop, home)
    assert found.loss_rise == rise
    assert found.exceeds
    assert f"its loss is {rise.since:.2f}, before {rise.before:.2f}" in found.said
    assert json.loads(json.dumps(found.to_json()))["loss_rise"]["is_certain"]


@pytest.mark.parametrize("damage", [None, [], {"to": "x"}, {"rise_interval": [1]}])
def test_a_record_that_cannot_be_read_is_no_rise(shop: GitFolder, home: RepositoryHome, damage: object) -> None:
    since = shop.commit({"cart.py": module("cart")})
    published(home, "shop-1", dataset={"commit": since}, **{RECORD: damage})

    assert drift(shop, home).loss_rise is None


def test_a_rise_within_chance_is_not_certain() -> None:
    rise = loss_rise(before=losses(1.0, seed=1), since=losses(1.02, seed=2), to="c")

    assert rise is not None
    assert rise.low < rise.rise < rise.high
    assert not rise.is_certain


def test_a_fall_is_no_rise() -> None:
    rise = loss_rise(before=losses(1.6), since=losses(1.0), to="c")

    assert rise is not None
    assert rise.high < 0
    assert not rise.is_certain


def test_too_few_pairs_or_files_tell_nothing() -> None:
    many, few, of_one_file = losses(1.0), losses(9.0)[:19], losses(9.0, files=1)

    assert loss_rise(before=many, since=few, to="c") is None
    assert loss_rise(before=few, since=many, to="c") is None
    assert loss_rise(before=many, since=of_one_file, to="c") is None


def test_the_interval_of_the_rise_holds_the_truth_as_often_as_it_says() -> None:
    held = 0
    for seed in range(60):
        rise = loss_rise(before=losses(1.0, seed=2 * seed), since=losses(1.2, seed=2 * seed + 1), to="c")
        assert rise is not None
        held += rise.low <= 0.2 <= rise.high

    assert held >= 50  # of 60, where 57 are expected; bootstraps of 20 files are known to be a little narrow


def losses(mean: float, *, seed: int = 0, files: int = 20) -> list[Observation]:
    """Sixty pairs whose losses differ by file and by pair."""
    rng = random.Random(seed)
    of_file = [mean + rng.gauss(0, 0.2) for _ in range(files)]
    return [
        Observation(cluster=f"{number % files}.py", value=of_file[number % files] + rng.gauss(0, 0.2), weight=10)
        for number in range(60)
    ]
