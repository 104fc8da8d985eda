"""The table of contenders: who is compared with whom, on which pairs, and what is left out."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from acclimate_indexer.mining.conventions.record import Conventions
from acclimate_indexer.pairs import Age, CompletionPair
from acclimate_indexer.python_library import PythonLibrary
from acclimate_indexer.vocabulary import Vocabulary
from acclimate_training.encoding import Example
from acclimate_training.evaluation.calibration import calibrations_of
from acclimate_training.evaluation.contenders import (
    ADAPTER,
    ADAPTER_RETRIEVAL,
    BASE,
    BASE_RETRIEVAL,
    CONTENDERS,
    CONTROL,
    OPPONENTS,
    PROMPTED,
    WITHOUT_TRAINING,
    Contender,
    Form,
    Model,
    named,
)
from acclimate_training.evaluation.heldout import HeldOut
from acclimate_training.evaluation.measured import Measured
from acclimate_training.evaluation.names import KnownNames
from acclimate_training.evaluation.questions import Question
from acclimate_training.evaluation.requests import in_order
from acclimate_training.evaluation.results import GenerationResult, LossResult, ResultStore
from acclimate_training.evaluation.table import COMPARED, table

pytest.importorskip("numpy", reason="the runtime brings it")

FORMS: tuple[Form, ...] = ("plain", "retrieval", "prompted")
MODELS: tuple[Model, ...] = ("base", "control", "adapter")
RIGHT, WRONG = "a + b", "c"

Stores = Mapping[Model, ResultStore]


def question(
    number: int, *, files: int = 100, place: str = "rest_of_line", age: Age = "old_file", middle: str = RIGHT
) -> Question:
    pair = CompletionPair(
        kind="completion",
        language="python",
        path=f"{number % files}.py",
        commit="0" * 40,
        prefix=f"def total_{number}(a, b):\n    return ",
        middle=middle,
        suffix="\n",
        place=place,
        age=age,
    )
    examples: dict[Form, Example] = {form: Example(prompt=(number, at), target=(1,)) for at, form in enumerate(FORMS)}
    return Question(pair=pair, examples=examples)


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return {
        model: ResultStore(tmp_path, model_identity="m@0", adapter=None if model == "base" else f"{model}-1")
        for model in MODELS
    }


def answer(
    stores: Stores,
    contender: Contender,
    asked: Question,
    text: str,
    *,
    stopped: bool = True,
    confidence: float | None = None,
) -> None:
    stores[contender.model].add_generation(
        GenerationResult(
            example=asked.asked(contender.form),
            text=text,
            stopped=stopped,
            prompt_tokens=90,
            milliseconds=120.0,
            confidence=confidence,
        )
    )


def lose(stores: Stores, contender: Contender, asked: Question, nats: float, *, tokens: int = 2) -> None:
    stores[contender.model].add_loss(LossResult(example=asked.asked(contender.form), nats=nats, tokens=tokens))


def tabled(questions: list[Question], stores: Stores) -> dict[str, Any]:
    return table(Measured(questions=questions, stores=stores), seed=0)


def test_the_seven_contenders_are_in_one_order_and_two_need_training_here() -> None:
    names = [contender.name for contender in CONTENDERS]

    assert names == [
        "base",
        "base+retrieval",
        "prompted",
        "control",
        "control+retrieval",
        "adapter",
        "adapter+retrieval",
    ]
    assert [contender.name for contender in OPPONENTS] == names[:5]
    assert [contender.name for contender in WITHOUT_TRAINING] == names[:3]
    assert named("control+retrieval").model == "control"


def test_a_row_is_over_all_its_pairs_and_a_difference_over_those_of_both(stores: Stores) -> None:
    questions = [question(number) for number in range(10)]
    for asked in questions:
        lose(stores, BASE, asked, 4.0)
        answer(stores, BASE, asked, WRONG, stopped=False)
    for asked in questions[:6]:
        lose(stores, ADAPTER, asked, 1.0)
        answer(stores, ADAPTER, asked, RIGHT)

    found = tabled(questions, stores)

    base, adapter, less = (
        found["contenders"]["base"],
        found["contenders"]["adapter"],
        found["differences"]["adapter"]["base"],
    )
    assert (base["n"], base["loss_n"], base["loss"], base["exact_match"], base["stop_rate"]) == (10, 10, 2.0, 0.0, 0.0)
    assert (adapter["n"], adapter["loss_n"], adapter["exact_match"], adapter["exact_match_raw"]) == (6, 6, 1.0, 1.0)
    assert (adapter["prompt_tokens"], adapter["latency_ms"]) == (90, 120)
    assert (less["n"], less["loss_n"], less["loss"], less["loss_interval"]) == (6, 6, -1.5, [-1.5, -1.5])
    assert less["exact_match"] == 1.0
    assert less["mcnemar_p"] == pytest.approx(2 / 2**6, abs=1e-4)


def test_who_was_not_measured_is_not_in_the_table(stores: Stores) -> None:
    questions = [question(1)]
    lose(stores, ADAPTER, questions[0], 1.0)

    found = tabled(questions, stores)

    assert found["contenders"] == {
        "adapter": {"loss": 0.5, "loss_interval": [0.5, 0.5], "n": 0, "loss_n": 1},
    }
    assert found["differences"] == {"adapter": {}}
    assert found["power_points"] is None
    assert tabled(questions, {})["contenders"] == {}


def test_every_candidate_meets_every_opponent_and_the_opponents_meet_the_base(stores: Stores) -> None:
    questions = [question(number) for number in range(3)]
    for contender in CONTENDERS:
        for asked in questions:
            answer(stores, contender, asked, RIGHT)

    found = tabled(questions, stores)["differences"]

    opponents = [contender.name for contender in OPPONENTS]
    assert {name: list(others) for name, others in found.items()} == {
        "adapter": opponents,
        "adapter+retrieval": opponents,
        "base+retrieval": ["base"],
        "prompted": ["base", "base+retrieval"],
        "control": ["base", "base+retrieval"],
        "control+retrieval": ["base", "base+retrieval"],
    }
    for others in found.values():
        for figures in others.values():
            assert {f"{figure}_interval" for figure in COMPARED if figure in figures} <= figures.keys()
            assert figures["n"] == 3


def test_a_loss_weighs_as_many_tokens_as_it_is_of(stores: Stores) -> None:
    questions = [question(number) for number in range(2)]
    lose(stores, BASE, questions[0], 9.0, tokens=9)
    lose(stores, BASE, questions[1], 5.0, tokens=1)
    lose(stores, ADAPTER, questions[0], 4.5, tokens=9)
    lose(stores, ADAPTER, questions[1], 5.0, tokens=1)

    found = tabled(questions, stores)

    assert found["contenders"]["base"]["loss"] == 1.4
    assert found["differences"]["adapter"]["base"]["loss"] == -0.45


def test_lengths_are_compared_by_their_median(stores: Stores) -> None:
    questions = [question(number) for number in range(5)]
    for asked, text in zip(questions, [RIGHT, RIGHT, RIGHT, RIGHT, RIGHT * 100], strict=True):
        answer(stores, ADAPTER, asked, text)

    found = tabled(questions, stores)["contenders"]["adapter"]

    assert found["length_ratio"] == 1.0
    assert found["length_ratio_interval"][0] == 1.0


def test_a_figure_that_a_pair_cannot_have_leaves_that_pair_out(stores: Stores) -> None:
    known = question(1)
    unknown = Question(pair=replace(known.pair, language="cobol", path="x.cob"), examples=question(2).examples)
    for asked in (known, unknown):
        answer(stores, BASE, asked, RIGHT)
        answer(stores, ADAPTER, asked, WRONG)

    found = tabled([known, unknown], stores)

    assert found["contenders"]["base"]["parse_share"] == 1.0
    assert "invented_names" not in found["contenders"]["base"]
    assert found["differences"]["adapter"]["base"]["parse_share"] == 0.0
    assert found["differences"]["adapter"]["base"]["exact_match"] == -1.0


def test_strata_are_the_languages_places_and_ages_that_there_are(stores: Stores) -> None:
    questions = [
        question(number, place="block" if number % 2 else "body", age="new_file" if number < 4 else "old_file")
        for number in range(8)
    ]
    for number, asked in enumerate(questions):
        answer(stores, BASE, asked, WRONG)
        answer(stores, ADAPTER, asked, RIGHT if number < 4 else WRONG)

    found = tabled(questions, stores)

    assert {name: list(values) for name, values in found["strata"].items()} == {
        "language": ["python"],
        "place": ["block", "body"],
        "age": ["new_file", "old_file"],
        "needs": [],
    }
    assert found["strata"]["age"]["new_file"]["adapter"]["exact_match"] == 1.0
    assert found["strata"]["age"]["new_file"]["adapter"]["n"] == 4
    assert found["strata_differences"]["age old_file"]["adapter"]["base"]["exact_match"] == 0.0
    assert found["strata_differences"]["place block"]["adapter"]["base"]["n"] == 4


def test_what_the_middles_need_is_a_stratum_where_names_are_known(stores: Stores) -> None:
    known = KnownNames(
        vocabulary=Vocabulary(words=frozenset({"rate"})),
        conventions=Conventions(),
        standard=PythonLibrary(),
        installed=PythonLibrary(),
    )
    questions = [question(0), question(1, middle="rate"), question(2, middle="unheard_of")]
    for asked in questions:
        answer(stores, BASE, asked, RIGHT)
        answer(stores, ADAPTER, asked, asked.pair.middle)

    found = table(Measured(questions=questions, stores=stores, known=known), seed=0)

    exact = {name: rows["base"]["exact_match"] for name, rows in found["strata"]["needs"].items()}
    assert exact == {"file": 1.0, "new": 0.0, "repository": 0.0}
    assert found["strata_differences"]["needs repository"]["adapter"]["base"]["exact_match"] == 1.0


def test_a_difference_of_loss_is_taken_apart_by_how_far_away_the_answer_is(stores: Stores) -> None:
    """By the average of both, so that neither gains by what it found hard."""
    nats = {0: (2.0, 1.0), 1: (1.0, 2.0), 2: (5.0, 9.0), 3: (2.0, 5.0), 4: (30.0, 46.0), 5: (19.0, 21.0)}
    questions = [question(number) for number in nats]
    for number, (adapter, control) in nats.items():
        lose(stores, ADAPTER, questions[number], adapter, tokens=4)
        lose(stores, CONTROL, questions[number], control, tokens=4)

    found = tabled(questions, stores)["loss_by_reach"]

    assert list(found) == ["control"]
    assert {name: (each["loss_n"], each["loss"], each["share"]) for name, each in found["control"].items()} == {
        "near": (2, 0.0, 0.0),
        "far": (2, -0.875, 0.28),
        "out of reach": (2, -2.25, 0.72),
    }
    assert found["control"]["out of reach"]["loss_interval"] == [-4.0, -0.5]


def test_pairs_without_an_age_are_no_stratum(stores: Stores) -> None:
    questions = [question(number, age="") for number in range(3)]
    for asked in questions:
        answer(stores, BASE, asked, RIGHT)

    assert tabled(questions, stores)["strata"]["age"] == {}


def test_power_is_of_adapter_and_control_and_of_the_base_while_there_is_none(stores: Stores) -> None:
    questions = [question(number) for number in range(40)]
    for number, asked in enumerate(questions):
        answer(stores, BASE, asked, WRONG)
        answer(stores, ADAPTER, asked, RIGHT if number % 4 == 0 else WRONG)
    against_base = tabled(questions, stores)["power_points"]
    for asked in questions:
        answer(stores, CONTROL, asked, WRONG)
    for asked in questions[:4]:
        answer(stores, CONTROL, asked, RIGHT)

    assert 10 < against_base < 40
    assert tabled(questions, stores)["power_points"] != against_base


def test_a_table_is_the_same_again(stores: Stores) -> None:
    questions = [question(number, files=3) for number in range(12)]
    for number, asked in enumerate(questions):
        answer(stores, BASE, asked, RIGHT if number % 3 else WRONG)
        answer(stores, ADAPTER, asked, RIGHT if number % 2 else WRONG)

    assert tabled(questions, stores) == tabled(list(reversed(questions)), stores)


def test_wherever_asking_is_left_a_tier_has_answered_the_same_pairs() -> None:
    questions = [question(number) for number in range(5)]

    requests = in_order(questions, CONTENDERS, block=2)

    names = [(request.contender.name, int(request.question.pair.path[:-3])) for request in requests]
    assert len(set(names)) == len(names) == 5 * 7
    assert names[:6] == [(name, pair) for pair in (0, 1) for name in ("base", "control", "adapter")]
    assert names[12:14] == [("prompted", 0), ("prompted", 1)]
    assert {pair for _, pair in names[:14]} == {0, 1}
    assert in_order(questions, ()) == []


def held(questions: list[Question], stores: Stores, **others: Any) -> HeldOut:
    given: dict[str, Any] = {"split": "test", "documentation": [], "validation": [], "seed": 0} | others
    return HeldOut(questions=questions, stores=stores, **given)


def test_each_contender_that_is_served_has_a_calibration_of_its_own(stores: Stores) -> None:
    questions = [question(number) for number in range(60)]
    for number, asked in enumerate(questions):
        answer(stores, BASE, asked, RIGHT if number < 20 else WRONG, confidence=0.8 if number < 20 else 0.1)
        answer(stores, ADAPTER, asked, f"{RIGHT}\nreturn" if number < 40 else WRONG, confidence=0.9 - number / 100)
        answer(stores, CONTROL, asked, RIGHT, confidence=0.9)
        if number < 40:
            answer(stores, ADAPTER_RETRIEVAL, asked, RIGHT, confidence=0.9)

    found = calibrations_of({"calibration": {"completion": held(questions, stores).calibrations()}})

    assert {name: each.n for name, each in found.items()} == {"base": 60, "adapter": 60}
    assert found["base"].threshold(0.9) == 0.8
    assert found["adapter"].probability(0.7) == 1.0
    assert found["adapter"].probability(0.4) == 0.0


def test_answers_without_a_confidence_or_a_text_calibrate_nothing(stores: Stores) -> None:
    questions = [question(number) for number in range(120)]
    for number, asked in enumerate(questions):
        if number < 60:
            answer(stores, BASE, asked, RIGHT, confidence=0.8)
        else:
            answer(stores, BASE, asked, "" if number % 2 else RIGHT)

    assert held(questions, stores).calibrations()["base"]["n"] == 60


def test_losses_are_measured_with_short_prompts_first_then_the_choice_is_made(stores: Stores) -> None:
    questions = [question(number) for number in range(100)]
    validation = [question(number) for number in range(200, 210)]

    requests = held(questions, stores, validation=validation).loss_requests

    forms = [request.contender.form for request in requests]
    assert len(requests) == 100 * 7 + 10 * 3
    first = 80 * 7 + 10 * 3
    assert {each.question.name for each in requests[first:]} == {each.name for each in questions[80:]}
    assert set(forms[: 80 * 3]) == {"plain"}
    chosen = requests[80 * 3 : 80 * 3 + 30]
    assert {request.question.name for request in chosen} == {each.name for each in validation}
    assert {request.contender.name for request in chosen} == {"base", "adapter", "adapter+retrieval"}


def test_without_a_control_nobody_is_asked_in_its_name(stores: Stores) -> None:
    present: Stores = {model: stores[model] for model in ("base", "adapter")}
    found = held([question(number) for number in range(8)], present, documentation=[question(50)])

    asked = [request.contender.model for request in [*found.generation_requests, *found.loss_requests]]

    assert set(asked) == {"base", "adapter"}
    assert found.table()["not_measured"] == [contender.name for contender in CONTENDERS]


def test_documentation_is_asked_a_fourth_as_often_and_among_the_completions(stores: Stores) -> None:
    questions = [question(number) for number in range(80)]
    documentation = [question(number) for number in range(100, 150)]
    names = {each.name for each in documentation}

    requests = held(questions, stores, documentation=documentation).generation_requests

    places = [at for at, request in enumerate(requests) if request.question.name in names]
    assert len(places) == 20 * 7
    assert places[0] == 60 * 7
    assert len(requests) == 100 * 7


@pytest.mark.parametrize(
    ("with_retrieval", "chosen"), [(1.0, "adapter+retrieval"), (3.0, "adapter"), (2.0, "adapter"), (None, None)]
)
def test_the_candidate_is_chosen_on_the_validation_part(
    stores: Stores, with_retrieval: float | None, chosen: str | None
) -> None:
    validation = [question(number) for number in range(5)]
    for asked in validation:
        lose(stores, ADAPTER, asked, 2.0)
        if with_retrieval is not None:
            lose(stores, ADAPTER_RETRIEVAL, asked, with_retrieval)

    found = held([], stores, validation=validation)

    assert found.chosen_candidate() == chosen


@pytest.mark.parametrize("answered", [BASE_RETRIEVAL, PROMPTED])
def test_what_is_missing_is_named(stores: Stores, answered: Contender) -> None:
    questions = [question(number) for number in range(2)]
    answer(stores, answered, questions[0], RIGHT)

    found = held(questions, stores).table()

    assert found["split"] == "test"
    assert found["not_measured"] == [each.name for each in CONTENDERS if each != answered]
    assert found["available"] == 2


def test_the_example_to_show_is_the_first_on_which_the_answers_differ(stores: Stores) -> None:
    questions = [question(number) for number in range(3)]
    answers: list[Callable[[int], str]] = [lambda _: WRONG, lambda number: RIGHT if number else WRONG]
    for number, asked in enumerate(questions):
        for contender, says in zip((BASE, ADAPTER), answers, strict=True):
            answer(stores, contender, asked, says(number))

    shown = held(questions, stores).shown_example()
    assert shown is not None
    assert (shown["path"], shown["served"]) == ("1.py", {"base": WRONG, "adapter": RIGHT})
    unanswered = held([question(9)], stores).shown_example()
    assert unanswered is not None
    assert (unanswered["path"], unanswered["served"]) == ("9.py", {})
    assert held([], stores).shown_example() is None
