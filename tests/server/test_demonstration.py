"""What `acclimate adapt` shows at its end: the table, what moved, and the server's own answers."""

import contextlib
import io
import re
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
from acclimate_server.cli.comparison import calibration_sentences, difference_sentences, show_comparison
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
        "adapter": {
            "base": {
                "loss": -0.5,
                "loss_interval": [-0.6, -0.4],
                "exact_match": 0.05,
                "exact_match_interval": [-0.01, 0.1],
                "n": 40,
            },
            "control": {"loss": -0.1, "loss_interval": [-0.2, 0.05], "n": 0, "loss_n": 60},
        }
    },
    "verdict": {
        "state": "trial",
        "reason": "Held-out loss is lower.",
        "checks": [
            {"name": "gain", "passed": False, "said": "Inconclusive."},
            {"name": "parity", "passed": None, "said": "Not compared."},
            {"name": "secrets", "passed": True, "said": "Told none."},
        ],
    },
    "notes": ["No engine was given."],
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


@pytest.mark.parametrize(("holds", "said"), [("no", "Inconclusive."), ("open", "Not compared."), ("yes", "Told none.")])
def test_the_checks_of_a_promotion_stand_below_the_verdict(holds: str, said: str) -> None:
    below = shown(RESULT).partition("Verdict: trial.")[2]

    assert re.search(rf"{holds}\W+{said}", below)


def test_notes_are_shown() -> None:
    assert "Note: No engine was given." in shown(RESULT)


def test_a_gain_that_may_be_chance_is_called_so() -> None:
    assert difference_sentences(RESULT) == [
        "Held-out loss, adapter less base: -0.500 (95% interval -0.600 to -0.400).",
        "Exact match, adapter less base: +0.050 (95% interval -0.010 to +0.100). "
        "The interval holds zero: on this many places that is no proven difference.",
        "Held-out loss, adapter less control: -0.100 (95% interval -0.200 to +0.050).",
    ]


@pytest.mark.parametrize(
    ("opponent", "exact", "words"),
    [
        ("base", 0.2, "Much of this is the format and where to stop, which a control learns as well."),
        ("control", 0.2, "That much is this repository, and not only how a hole is filled."),
        ("base", -0.2, "It fell: what the adapter learnt did not help to hit the very words."),
        ("control", -0.2, "It fell: what the adapter learnt did not help to hit the very words."),
    ],
)
def test_a_proven_difference_is_not_sold_as_more_than_it_is(opponent: str, exact: float, words: str) -> None:
    found = {"exact_match": exact, "exact_match_interval": [exact - 0.1, exact + 0.1], "n": 40}

    (sentence,) = difference_sentences({"differences": {"adapter": {opponent: found}}})

    assert sentence.endswith(words)


def test_what_was_not_generated_is_said() -> None:
    result = {"contenders": {"base": {}}, "differences": {"adapter": {"base": {"loss": -1, "n": 0}}}}

    assert difference_sentences(result) == [
        "Held-out loss, adapter less base: -1.000.",
        "Nothing was generated, so exact match was not measured: there was no engine, or no time.",
    ]
    assert difference_sentences({}) == []


def test_how_much_is_shown_while_typing_is_said_of_each() -> None:
    surer = {"confidence": 0.4, "answers": 60, "right": 45, "files": 60}
    every = {"confidence": 0.0, "answers": 150, "right": 50, "files": 90}
    found = {"base": {"steps": [{**every, "right": 0}]}, "adapter": {"steps": [surer, every]}}

    assert calibration_sentences({"calibration": {"completion": found}}) == [
        "Shown while typing (`completion.precision` 0.5), base: none of its answers: 150 were too seldom right.",
        "Shown while typing (`completion.precision` 0.5), adapter: 40% of its answers, and 75% of these were right "
        "(from a confidence of 0.4 on, n 150).",
    ]
    assert calibration_sentences({}) == []


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
    assert f"[[{acclimate_command()}]], [[serve]]" in words
    assert Path(words.partition("dofile([[")[2].partition("]]")[0]).is_file()
