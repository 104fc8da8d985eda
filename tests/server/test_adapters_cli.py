"""`acclimate adapters`: what it lists, and what becomes of an adapter by hand."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import MakeRepository
from tests.support.adapter_folder import publish, write_peft_folder
from tests.support.judged_reviews import review_record
from tests.support.tiny_model import TINY, write_manifest

from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel
from acclimate_indexer.repository import Repository
from acclimate_server.cli.main import main
from acclimate_training.adapter_files import WEIGHTS
from acclimate_training.registry import AdapterRegistry

DONE, USAGE, FORESEEN = 0, 2, 3
REVIEW_KEYS = ("review_verdict", "calibration")
METRICS = {"split": "test", "contenders": {"adapter": {"exact_match": 0.25, "loss": 0.8, "n": 80}}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    code: int
    out: str
    error: str

    @property
    def record(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return found


Adapters = Callable[..., Done]


@pytest.fixture
def repository(make_repository: MakeRepository, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_repository({"app.py": "x = 1\n"})
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def model(home: Home) -> LocalModel:
    home.model(TINY).mkdir(parents=True)
    return write_manifest(home.model(TINY), TINY)


@pytest.fixture
def registry(home: Home, repository: Path, model: LocalModel) -> AdapterRegistry:
    """Two adapters of the repository, the first in use."""
    registry = AdapterRegistry(home.for_repository(Repository.open(repository).common_directory))
    base = {"name": model.name, "identity": model.identity}
    for day in (1, 2):
        created = f"2026-05-0{day}T00:00:00+00:00"
        publish(registry, f"shop-{day}", created=created, base=base, metrics=METRICS, recipe={"rank": 8 * day})
    registry.set_live("shop-1")
    return registry


@pytest.fixture
def adapters(registry: AdapterRegistry, capsys: pytest.CaptureFixture[str]) -> Adapters:
    """Runs `acclimate adapters` in the repository."""

    def run(*words: str | Path) -> Done:
        code = main(["adapters", *map(str, words)])
        out, error = capsys.readouterr()
        assert "Traceback" not in error
        return Done(code=code, out=out, error=error)

    return run


def test_the_list_says_which_one_is_in_use_and_why(adapters: Adapters) -> None:
    table, record = adapters().out, adapters("list", "--json").record

    assert "shop-1" in table and "shop-2" in table and "lower" in table
    assert record["live"] == "shop-1"
    assert [(each["version"], each["tag"], each["state"], each["live"]) for each in record["adapters"]] == [
        ("shop-1", "v1", "trial", True),
        ("shop-2", "v2", "trial", False),
    ]


def test_one_is_shown_with_its_figures_and_its_history(adapters: Adapters, registry: AdapterRegistry) -> None:
    (registry.get("shop-1").folder / WEIGHTS).write_bytes(b"")
    shown = adapters("show").out  # the one in use
    record = adapters("show", "v2", "--json").record

    assert "shop-1 (v1)" in shown
    assert "is corrupt" in shown
    assert "0.25" in shown
    assert "History" in shown
    assert (record["version"], record["metrics"], record["problem"]) == ("shop-2", METRICS, "")
    assert (record["live"], record["history"]) == ("shop-1", [])


def test_how_one_reviews_is_shown_where_it_was_measured(adapters: Adapters, registry: AdapterRegistry) -> None:
    found = review_record()
    known = {"metrics": METRICS | {"review": found["review"]}, **{key: found[key] for key in REVIEW_KEYS}}
    registry.update(registry.get("shop-1"), known)
    measured, unmeasured = adapters("show", "v1").out, adapters("show", "v2").out
    record = adapters("show", "v1", "--json").record

    assert "1.00 [1.00, 1.00]" in measured and "Review comments: on." in measured
    assert "Reviews of held-out code" not in unmeasured
    assert "Review comments: off. Its reviews were not measured on held-out code yet" in unmeasured
    assert record["metrics"]["review"] == found["review"]
    assert {key: record[key] for key in REVIEW_KEYS} == {key: found[key] for key in REVIEW_KEYS}


def test_two_are_compared(adapters: Adapters) -> None:
    table, record = adapters("diff", "v1", "v2").out, adapters("diff", "v1", "v2", "--json").record

    assert "recipe: rank" in table
    assert record == {"from": "shop-1", "to": "shop-2", "recipe": {"rank": [8, 16]}, "live": "shop-1"}
    assert "do not differ" in adapters("diff", "v1", "v1").out


def test_the_pointer_moves_by_name_tag_or_beginning(adapters: Adapters) -> None:
    used = [adapters("use", word, "--json").record["live"] for word in ("v2", "none", "shop-1", "auto")]

    assert used == ["shop-2", None, "shop-1", "shop-2"]
    ambiguous = adapters("use", "sho")
    assert (ambiguous.code, "begins 2 versions" in ambiguous.error) == (FORESEEN, True)


def test_a_rollback_is_kept_with_its_reason_and_auto_does_not_undo_it(adapters: Adapters) -> None:
    adapters("use", "v2")
    done = adapters("rollback", "--reason", "It repeats itself.", "--json")
    auto = adapters("use", "auto", "--json").record
    history = adapters("show", "v2", "--json").record["history"]

    assert (done.code, done.record["live"], done.record["adapter"]["version"]) == (DONE, "shop-1", "shop-1")
    assert auto["live"] == "shop-1"
    assert auto["adapters"][1]["reason"] == "Withdrawn: It repeats itself."
    assert [(event["action"], event["reason"]) for event in history][-1] == ("rollback", "It repeats itself.")
    assert "the base model completes" in adapters("rollback", "--reason", "This one, too.").out


def test_a_promotion_by_hand_is_recorded_as_one(adapters: Adapters, registry: AdapterRegistry) -> None:
    done = adapters("promote", "v2", "--reason", "I reviewed it.", "--json")

    assert done.record["live"] == "shop-2"
    assert done.record["adapter"]["reason"] == "Promoted by hand: I reviewed it."
    assert registry.get("shop-2").record["forced"]


@pytest.mark.parametrize("words", [("promote", "v2"), ("rollback",)])
def test_a_decision_without_a_reason_is_asked_for_one(adapters: Adapters, words: tuple[str, ...]) -> None:
    done = adapters(*words)

    assert (done.code, "--reason" in done.error) == (USAGE, True)


@pytest.mark.parametrize(
    "words",
    [
        ("use",),
        ("diff", "v1"),
        ("tag", "v1"),
        ("export", "v1"),
        ("import",),
        ("delete",),
        ("list", "v1"),
        ("rollback", "v1"),
    ],
)
def test_too_few_or_too_many_words_are_usage(adapters: Adapters, words: tuple[str, ...]) -> None:
    done = adapters(*words)

    assert (done.code, f"acclimate adapters {words[0]}" in done.error) == (USAGE, True)


def test_one_that_was_rejected_can_be_used_and_it_is_said(adapters: Adapters, registry: AdapterRegistry) -> None:
    registry.update(registry.get("shop-2"), {"verdict": {"state": "rejected", "reason": "It was worse."}})
    done = adapters("use", "v2", "--json")

    assert done.record["live"] == "shop-2"
    assert "Note: it is rejected. It was worse." in done.error


def test_one_that_is_damaged_is_not_used_but_can_be_deleted(adapters: Adapters, registry: AdapterRegistry) -> None:
    (registry.get("shop-2").folder / WEIGHTS).write_bytes(b"")
    refused = adapters("use", "v2")
    (registry.get("shop-2").folder / "adapter.json").write_text("{", encoding="utf-8")
    listed = adapters("--json")
    deleted = adapters("delete", "v2", "--json")

    assert (refused.code, "is corrupt" in refused.error) == (FORESEEN, True)
    assert listed.record["damaged"] == ["shop-2"]
    assert "Cannot be read: shop-2" in listed.error
    assert deleted.record == {"deleted": "shop-2", "live": "shop-1"}


def test_what_is_in_use_is_deleted_by_force_only(adapters: Adapters) -> None:
    refused, forced = adapters("delete", "v1"), adapters("delete", "v1", "--force", "--json")

    assert (refused.code, "is in use" in refused.error) == (FORESEEN, True)
    assert (forced.code, forced.record["live"]) == (DONE, None)


def test_a_tag_is_given_and_taken_away(adapters: Adapters) -> None:
    given, taken = adapters("tag", "shop-2", "spring", "--json"), adapters("tag", "v1", "spring")
    shown = adapters("show", "spring", "--json")
    removed = adapters("tag", "spring", "none", "--json")

    assert (given.record["tag"], shown.record["version"], removed.record["tag"]) == ("spring", "shop-2", None)
    assert (taken.code, "is the tag of 'shop-2'" in taken.error) == (FORESEEN, True)


def test_an_adapter_goes_out_and_comes_back(adapters: Adapters, tmp_path: Path) -> None:
    out = adapters("export", "v2", tmp_path / "away", "--json")
    again = adapters("export", "v2", tmp_path / "away")
    back = adapters("import", tmp_path / "away", "--json")

    assert out.record["folder"] == str(tmp_path / "away")
    assert (again.code, "is not empty" in again.error) == (FORESEEN, True)
    assert back.record["adapter"]["state"] == "rejected"
    assert (back.record["adapter"]["tag"], back.record["live"]) == ("v3", "shop-1")


def test_a_strangers_adapter_comes_in_for_a_base_that_is_named(adapters: Adapters, tmp_path: Path) -> None:
    theirs = write_peft_folder(tmp_path / "theirs")
    unnamed, unknown = adapters("import", theirs), adapters("import", theirs, "--base", "nope")
    done = adapters("import", theirs, "--base", TINY, "--json")

    assert (unnamed.code, "--base NAME" in unnamed.error) == (FORESEEN, True)
    assert (unknown.code, "acclimate model fetch nope" in unknown.error) == (FORESEEN, True)
    assert (done.code, done.record["adapter"]["base"]) == (DONE, TINY)


def test_a_repository_without_adapters_says_how_to_make_one(
    home: Home, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = [main(["adapters"]), main(["adapters", "show"]), main(["adapters", "use", "auto"])]
    out, error = capsys.readouterr()

    assert codes == [DONE, FORESEEN, DONE]
    assert "acclimate adapt" in out and "acclimate adapt" in error
