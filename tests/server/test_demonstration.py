"""What `acclimate adapt` shows at its end: the table, what moved, and the server's own answers."""

import contextlib
import io
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import MakeRepository
from tests.support.fake_engine import BASE, fake_engine
from tests.support.tiny_model import TINY, write_manifest, write_tokenizer

from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel
from acclimate_indexer.prompts import PromptBudget
from acclimate_indexer.repository import Repository
from acclimate_server.cli.comparison import difference_sentences, show_comparison
from acclimate_server.cli.context import Context
from acclimate_server.cli.demonstration import acclimate_command, demonstrate, editor_words
from acclimate_server.cli.terminal import Terminal
from acclimate_training.registry import AdapterRegistry

FIGURES = {"loss": 1.5, "loss_interval": [1.2, 1.8], "loss_n": 60, "exact_match": 0.1, "n": 40}
RESULT: dict[str, Any] = {
    "repository": "shop",
    "commit": "0123456789abcdef",
    "contenders": {"base": FIGURES, "adapter": {**FIGURES, "loss": 1.0, "loss_interval": [0.8, 1.3]}},
    "differences": {
        "loss": -0.5,
        "loss_interval": [-0.6, -0.4],
        "exact_match": 0.05,
        "exact_match_interval": [-0.01, 0.1],
    },
    "verdict": {"state": "trial", "reason": "Held-out loss is lower."},
    "model": {"name": "tiny", "variant": "base", "precision": "fp32"},
}


@pytest.fixture
def model(home: Home) -> LocalModel:
    home.model(TINY).mkdir(parents=True)
    write_tokenizer(home.model(TINY))
    return write_manifest(home.model(TINY), TINY)


def shown(result: dict[str, Any]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        show_comparison(result, Terminal(as_json=False))
    return out.getvalue()


def test_the_table_names_the_base_and_every_figure_with_its_interval() -> None:
    table = shown(RESULT)

    assert "shop at 0123456789: base is tiny, base, fp32" in table
    assert "1.000 [0.800, 1.300]" in table
    assert "40, loss 60" in table
    assert "Verdict: trial. Held-out loss is lower." in table


def test_a_gain_that_may_be_chance_is_called_so() -> None:
    assert "that is no proven gain" in difference_sentences(RESULT)[1]


def test_a_proven_gain_is_not_sold_as_knowledge_of_the_repository() -> None:
    differences = {"exact_match": 0.2, "exact_match_interval": [0.1, 0.3]}

    assert "learning the format" in difference_sentences({"differences": differences})[0]


def test_what_was_not_generated_is_said() -> None:
    assert "Nothing was generated" in difference_sentences({"contenders": {"base": {}}, "differences": {"loss": -1}})[1]


async def test_the_server_answers_without_and_with_the_adapter(
    home: Home, model: LocalModel, make_repository: MakeRepository
) -> None:
    repository = make_repository({"app.py": "x = 1\n"}, name="my shop")
    registry = AdapterRegistry(home.for_repository(Repository.open(repository).common_directory))
    partial = registry.partial("shop-1")
    (partial / "adapter_config.json").write_text("{}", encoding="utf-8")
    record = {"version": "shop-1", "verdict": {"state": "rejected", "reason": ""}, "repository": "shop"}
    record |= {"base": {"name": TINY, "identity": model.identity}, "prompt_budget": PromptBudget().to_json()}
    registry.publish(partial, record)
    example = {"path": "gone/app.py", "language": "python", "prefix": "# 😋\nx = ", "middle": "2", "suffix": "\n"}
    async with fake_engine() as engine:
        engine.pieces = ["2\n"]
        context = Context(home=home, flags={"engine.url": engine.url}, terminal=Terminal(as_json=True))
        examples = await demonstrate({"example": example, "adapter": "shop-1"}, repository, model, context)

        assert [asked["model"] for asked in engine.asked if asked["model"] != BASE] == ["shop-1"]
    assert [(each["contender"], each["adapter"], each["completion"]) for each in examples] == [
        ("base", None, "2"),
        ("adapter", "shop-1", "2"),
    ]
    assert {each["truth"] for each in examples} == {"2"}


def test_the_commands_for_editors_are_whole(tmp_path: Path) -> None:
    words = editor_words(tmp_path / "my shop")

    assert f"{acclimate_command()} serve" in words
    assert "[[python]]" in words
