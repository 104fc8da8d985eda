"""The prompt that tells the base what an adapter would have learnt."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.support.git_folder import GitFolder, module
from tests.support.tiny_model import TOKENS, write_tokenizer

from acclimate_indexer.dataset import mine
from acclimate_indexer.home import Home
from acclimate_indexer.mining.conventions.record import Conventions, Prevalence, Replacement
from acclimate_indexer.pairs import CompletionKind, CompletionPair, Snippet
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_training.evaluation.prompted import (
    CONVENTIONS_PATH,
    MAX_RULES,
    SHOWN_PAIRS,
    Prompts,
    conventions_file,
    shown_pairs,
)
from acclimate_training.evaluation.questions import questions


@pytest.fixture
def builder(tmp_path: Path) -> PromptBuilder:
    write_tokenizer(tmp_path)
    return PromptBuilder.load(tmp_path, TOKENS, PromptBudget(prefix=60, suffix=20, context=300))


def pair(
    path: str = "shop.py",
    *,
    language: str = "python",
    kind: CompletionKind = "completion",
    before: int = 1,
    context: tuple[Snippet, ...] = (),
) -> CompletionPair:
    return CompletionPair(
        kind=kind,
        language=language,
        path=path,
        commit="0" * 40,
        prefix="".join(f"line{number} = {number}\n" for number in range(before)) + "total = ",
        middle="a + b",
        suffix="\nafter0 = 0\nafter1 = 1\nafter2 = 2\nafter3 = 3\n",
        context=context,
        place="rest_of_line",
    )


def replacement(old: str, new: str) -> Replacement:
    return Replacement(
        old=old,
        new=new,
        kind="name",
        places=9,
        commits=3,
        files=4,
        evidence=(),
        last="2026-01-01",
        remaining=(),
        remaining_uses=0,
    )


def test_conventions_are_a_short_file() -> None:
    found = conventions_file(
        Conventions(
            replacements=(replacement("get_logger", "logger_of"),),
            prevalence=(Prevalence(role="python functions", rule="have annotations", count=90, of=100, exceptions=()),),
        )
    )

    assert found == Snippet(
        path=CONVENTIONS_PATH,
        text="# Conventions of this repository\n"
        "- Use logger_of instead of get_logger.\n"
        "- python functions: have annotations.",
    )


def test_without_conventions_there_is_no_file() -> None:
    assert conventions_file(Conventions()) is None


def test_only_the_best_supported_conventions_are_told() -> None:
    found = conventions_file(
        Conventions(replacements=tuple(replacement(f"old{number}", f"new{number}") for number in range(50)))
    )

    assert found is not None
    assert found.text.count("\n") == MAX_RULES
    assert "old11" in found.text
    assert "old12" not in found.text


def test_examples_are_the_first_of_their_language_and_kind_each_from_another_file() -> None:
    pairs = [
        *(pair("a.py"), pair("a.py"), pair("b.py"), pair("c.py"), pair("d.py")),
        pair("a.go", language="go"),
        pair("a.py", kind="documentation"),
    ]

    found = shown_pairs(pairs)

    assert {key: [each.path for each in some] for key, some in found.items()} == {
        ("python", "completion"): ["a.py", "b.py", "c.py"],
        ("go", "completion"): ["a.go"],
        ("python", "documentation"): ["a.py"],
    }


def test_an_example_is_a_middle_in_its_place() -> None:
    (found,) = shown_pairs([pair(before=20)])["python", "completion"]

    assert found.text == (
        "line15 = 15\nline16 = 16\nline17 = 17\nline18 = 18\nline19 = 19\ntotal = a + b\nafter0 = 0\nafter1 = 1\n"
    )


def prompts_of(builder: PromptBuilder, shown: Sequence[CompletionPair]) -> Prompts:
    return Prompts(
        builder=builder,
        roomier=builder.with_budget(PromptBudget(prefix=60, suffix=20, context=600)),
        repository="shop",
        conventions=Snippet(path=CONVENTIONS_PATH, text="- Use a."),
        shown=shown_pairs(shown),
    )


def test_an_example_is_never_of_the_file_that_is_asked(builder: PromptBuilder) -> None:
    prompts = prompts_of(builder, [pair("a.py"), pair("b.py"), pair("c.py")])

    assert [each.path for each in prompts.lesson(pair("b.py"))] == [CONVENTIONS_PATH, "a.py", "c.py"]
    assert [each.path for each in prompts.lesson(pair("x.py"))] == [CONVENTIONS_PATH, "a.py", "b.py"]
    assert [each.path for each in prompts.lesson(pair("x.go", language="go"))] == [CONVENTIONS_PATH]
    assert SHOWN_PAIRS == 2


def test_the_three_forms_of_a_question_add_to_one_another(builder: PromptBuilder) -> None:
    retrieved = (Snippet(path="tax.py", text="RATE = 3"),)
    prompts = prompts_of(builder, [pair("a.py")])

    (question,) = questions([pair("here.py", context=retrieved)], prompts, seed=0)

    plain, retrieval, prompted = (
        builder.decode(question.examples[form].prompt) for form in ("plain", "retrieval", "prompted")
    )
    assert "RATE" not in plain
    assert "RATE = 3" in retrieval
    assert "- Use a." not in retrieval
    assert (
        prompted.index("- Use a.") < prompted.index("a.py\n") < prompted.index("RATE = 3") < prompted.index("here.py\n")
    )
    assert len({question.asked(form) for form in ("plain", "retrieval", "prompted")}) == 3
    assert {example.target for example in question.examples.values()} == {question.examples["plain"].target}


def test_what_is_told_takes_no_room_from_what_is_retrieved(tmp_path: Path, home: Home, builder: PromptBuilder) -> None:
    shop = GitFolder.new(tmp_path / "shop")
    shop.commit({f"src/{name}.py": module(name) for name in ("till", "cart", "order", "stock", "shelf", "ware")})
    dataset = mine(shop.open(), home.for_repository(shop.path / ".git"))

    prompts = Prompts.of(dataset, builder, repository="shop")

    assert prompts.roomier.budget == PromptBudget(prefix=60, suffix=20, context=600)
    assert prompts.builder.budget == builder.budget
    assert ("python", "completion") in prompts.shown


def test_a_pair_that_stands_twice_is_asked_once(builder: PromptBuilder) -> None:
    prompts = prompts_of(builder, [])

    assert len(questions([pair("a.py"), pair("a.py"), pair("b.py")], prompts, seed=0)) == 2
    assert len(questions([pair(f"{number}.py") for number in range(9)], prompts, seed=0, at_most=4)) == 4
    assert questions([pair("a.py")], prompts, seed=0, at_most=0) == []
