"""What is left to gain by a training, told from what prompts alone reach."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.tiny_model import TOKENS, write_tokenizer

from acclimate_indexer.mining.conventions.record import Conventions
from acclimate_indexer.pairs import CompletionPair, Snippet
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_indexer.python_library import PythonLibrary
from acclimate_indexer.vocabulary import Vocabulary
from acclimate_training.advice import advice, unseen_names
from acclimate_training.evaluation.contenders import BASE, BASE_RETRIEVAL, WITHOUT_TRAINING
from acclimate_training.evaluation.measured import Measured
from acclimate_training.evaluation.names import KnownNames
from acclimate_training.evaluation.prompted import Prompts
from acclimate_training.evaluation.questions import Question, questions
from acclimate_training.evaluation.results import GenerationResult, ResultStore

KNOWN = KnownNames(
    vocabulary=Vocabulary(words=frozenset({"open_till", "shop", "print"})),
    conventions=Conventions(),
    standard=PythonLibrary(words=frozenset({"print"})),
    installed=PythonLibrary(),
)


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> PromptBuilder:
    folder = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(folder)
    return PromptBuilder.load(folder, TOKENS, PromptBudget(prefix=80, suffix=20, context=40))


Asks = Callable[..., Question]


@pytest.fixture
def question(builder: PromptBuilder) -> Asks:
    """A held-out place as it is put to the contenders; `context` is what was retrieved for it."""
    prompts = Prompts(builder=builder, roomier=builder, repository="shop", conventions=None, shown={})

    def asked(
        number: int, middle: str, context: tuple[Snippet, ...] = (), before: str = "def sell(shop):\n    x = "
    ) -> Question:
        pair = CompletionPair(
            kind="completion",
            language="python",
            path=f"src/{number}.py",
            commit="0" * 40,
            prefix=before,
            middle=middle,
            suffix="\n",
            place="rest_of_line",
            context=context,
        )
        (found,) = questions([pair], prompts, seed=0)
        return found

    return asked


def answered(folder: Path, questions: list[Question], answers: dict[str, list[str]]) -> Measured:
    store = ResultStore(folder, model_identity="m@0")
    for contender in WITHOUT_TRAINING:
        for asked, text in zip(questions, answers[contender.name], strict=True):
            store.add_generation(GenerationResult(example=asked.asked(contender.form), text=text, stopped=True))
    return Measured(questions=questions, stores={"base": store})


def test_few_answers_are_no_advice(tmp_path: Path, question: Asks, builder: PromptBuilder) -> None:
    asked = [question(number, "1") for number in range(5)]

    assert (
        advice(answered(tmp_path, asked, dict.fromkeys((c.name for c in WITHOUT_TRAINING), ["1"] * 5)), KNOWN, builder)
        is None
    )


def test_names_that_no_prompt_shows_are_what_training_can_add(
    tmp_path: Path, question: Asks, builder: PromptBuilder
) -> None:
    asked = [question(number, "open_till(shop)") for number in range(20)]
    answers = dict.fromkeys((each.name for each in WITHOUT_TRAINING), ["print(shop)"] * 20)

    found = advice(answered(tmp_path, asked, answers), KNOWN, builder)

    assert found is not None
    assert (found.hit, found.format_missed, found.names_missed) == (0.0, 0.0, 1.0)
    assert found.is_worthwhile
    assert found.said.endswith("Training has something to gain: `acclimate adapt`.")


def test_where_retrieval_hits_nearly_all_it_is_enough(tmp_path: Path, question: Asks, builder: PromptBuilder) -> None:
    asked = [question(number, "print(shop)", context=(Snippet(path="a.py", text="b = 1"),)) for number in range(20)]
    answers = dict.fromkeys(("base+retrieval", "prompted"), ["print(shop)"] * 20) | {"base": ["0"] * 20}

    found = advice(answered(tmp_path, asked, answers), KNOWN, builder)

    assert found is not None
    assert (found.best, found.hit, found.is_worthwhile) == ("base+retrieval", 1.0, False)
    assert found.said.endswith("Little is left to gain: retrieval is enough here.")


def test_a_right_beginning_that_goes_on_is_a_matter_of_format(
    tmp_path: Path, question: Asks, builder: PromptBuilder
) -> None:
    asked = [question(number, "1") for number in range(20)]
    answers = dict.fromkeys((each.name for each in WITHOUT_TRAINING), ["1 + shop"] * 20)

    found = advice(answered(tmp_path, asked, answers), KNOWN, builder)

    assert found is not None
    assert (found.hit, found.format_missed) == (0.0, 1.0)


def test_a_name_that_retrieval_shows_is_not_unseen(question: Asks, builder: PromptBuilder) -> None:
    shown = question(1, "open_till(shop)", context=(Snippet(path="a.py", text="def open_till(shop): ..."),))

    assert unseen_names(shown, BASE, KNOWN, builder) == ["open_till"]
    assert unseen_names(shown, BASE_RETRIEVAL, KNOWN, builder) == []


def test_a_name_that_the_prompt_has_no_room_for_is_unseen(question: Asks, builder: PromptBuilder) -> None:
    far = question(1, "open_till(shop)", before="open_till = None\n" + "x = 1\n" * 60 + "y = ")
    near = question(2, "open_till(shop)", before="open_till = None\ny = ")

    assert unseen_names(far, BASE, KNOWN, builder) == ["open_till"]
    assert unseen_names(near, BASE, KNOWN, builder) == []
