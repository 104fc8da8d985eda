"""The benchmarks of the trainer run end to end; what they find with a tiny model means nothing."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.tiny_model import TINY, tiny_model

from acclimate_indexer.errors import TrainingError
from acclimate_indexer.home import Home
from acclimate_indexer.models import local_model
from acclimate_training.recipe import Recipe

pytestmark = pytest.mark.tensor


@pytest.fixture(autouse=True)
def small(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCLIMATE_TEST_MODEL", str(tiny_model(home).folder))
    monkeypatch.setenv("ACCLIMATE_BENCH_PAIRS", "20")
    monkeypatch.setenv("ACCLIMATE_BENCH_HELD_OUT", "4")
    monkeypatch.setenv("ACCLIMATE_ABLATION_SECONDS", "0.2")
    monkeypatch.delenv("ACCLIMATE_TRL", raising=False)


def test_trainers_learn_the_same_tokens_in_turns() -> None:
    from benchmarks.training import HEADLINES, ROUNDS, main

    found = main([])

    source = found["sources"]["standard library"]
    assert all(isinstance(found[name], float) for name in HEADLINES)
    assert len(source["tokens_over_plain_rounds"]) == ROUNDS - 1
    low, high = source["loss_difference_interval"]
    assert low <= source["loss_difference"] <= high
    assert source["ours"]["loss"] != source["base_loss"] != source["plain"]["loss"]


def test_only_trl_may_fail() -> None:
    from benchmarks.contest import Outcome, Round
    from benchmarks.held_out import PairLoss
    from benchmarks.training import figures

    def outcome(seconds: float, peak_bytes: int, nats: float) -> Outcome:
        rounds = [Round(tokens=100, seconds=seconds, processor_seconds=2 * seconds, peak_bytes=peak_bytes)] * 3
        losses = [PairLoss(file=file, nats=nats, tokens=3, end_nats=1.0) for file in "abc"]
        return Outcome(rounds=rounds, losses={"before": losses, "after": losses})

    ours, plain, broken = outcome(1.0, 50, 2.0), outcome(4.0, 100, 6.0), Outcome(failure="no room")

    found = figures({"ours": ours, "plain": plain, "trl": broken}, [])

    assert (found["tokens_over_plain"], found["memory_over_plain"], found["loss_difference"]) == (4.0, 0.5, -1.0)
    assert found["loss_difference_without_end"] == pytest.approx(-4 / 3)
    assert found["trl"] == "no room"
    assert figures({"ours": ours, "plain": plain}, [])["trl"] == "not installed"
    with pytest.raises(TrainingError, match="no room"):
        figures({"ours": ours, "plain": broken}, [])


def test_an_ablation_changes_one_field_at_a_time() -> None:
    from benchmarks.ablation import variants

    default = Recipe.for_device("cpu")
    changed = [variant.changes for variant in variants(default)]

    assert max(map(len, changed)) == 1
    assert changed.count({}) == len(["base", "primer", "default", "seed 1"])
    assert {name for each in changed for name in each} == {
        "around_weight",
        "layers",
        "retrieval_share",
        "budget",
        "learning_rate",
        "batch",
    }
    assert all(getattr(default, name) != value for each in changed for name, value in each.items())


def test_an_ablation_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    from benchmarks.ablated import Variant
    from benchmarks.ablation import main

    def chosen(default: Recipe) -> list[Variant]:
        budget = replace(default.budget, prefix=64)
        return [Variant(name="primer"), Variant(name="default"), Variant(name="short", changes={"budget": budget})]

    output = tmp_path / "results" / "ablation.jsonl"
    main([], output, chosen)
    lines = output.read_text(encoding="utf-8").splitlines()
    output.write_text("\n".join(lines[:-1]) + "\n" + lines[-1][:40], encoding="utf-8")  # killed while it wrote

    found = main([], output, chosen)["standard library"]

    after = output.read_text(encoding="utf-8").splitlines()
    assert after[:2] == lines[:2]
    assert json.loads(after[-1])["name"] == "short"
    assert list(found) == ["primer", "default", "short"]
    (primer,) = (output.parent / ".primers").iterdir()  # one shape
    assert (primer / "adapter_model.safetensors").is_file()
    assert [found[name]["steps"] > 0 for name in found] == [False, True, True]
    assert {"difference_retrieval_interval", "loss_own_prompt_without_end"} <= set(found["short"])
    assert output.with_suffix(".md").read_text(encoding="utf-8").count("\n| ") == len(found) + 2


def test_the_check_of_gpus_trains_and_says_where_there_is_none(home: Home, tmp_path: Path) -> None:
    from benchmarks.gpu import Check, main

    from acclimate_training.devices import installed_gpus

    check = Check.of(local_model(home, TINY), "cpu", tmp_path, pairs=20, steps=5)
    found = check.trained("alone")

    assert found["steps"] == 5
    assert found["last_loss"] > 0
    assert (tmp_path / "alone" / "adapter" / "adapter_model.safetensors").is_file()
    if not installed_gpus():
        assert main([]) == {"skipped": "no GPU answers on this machine"}
