"""What a training is fed: every kind with its share from the front, the most useful first."""

from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import pytest
from tests.support.tiny_model import TOKENS, write_tokenizer

from acclimate_indexer.pairs import CompletionKind, CompletionPair, ReviewComment, ReviewPair
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_training.encoding import Example, encoded, encoded_review
from acclimate_training.mix import kinds_trained, lessons, mixed
from acclimate_training.recipe import ExampleKind, Recipe

SHARES: Mapping[ExampleKind, float] = {"completion": 0.75, "documentation": 0.1, "review": 0.1, "general": 0.05}


def examples(kind: ExampleKind, count: int) -> list[Example]:
    return [Example(prompt=(number,), target=(1,), kind=kind) for number in range(count)]


def counted(
    count: int, found: Mapping[ExampleKind, list[Example]], shares: Mapping[ExampleKind, float]
) -> Counter[str]:
    return Counter(example.kind for example in islice(mixed(found, shares), count))


@pytest.mark.parametrize("count", [20, 40, 100, 400])
def test_every_beginning_holds_every_kind_in_its_share(count: int) -> None:
    found: dict[ExampleKind, list[Example]] = {kind: examples(kind, 1000) for kind in SHARES}

    assert counted(count, found, SHARES) == {kind: round(share * count) for kind, share in SHARES.items()}


def test_the_first_is_a_completion_and_each_kind_keeps_its_order() -> None:
    found: dict[ExampleKind, list[Example]] = {kind: examples(kind, 50) for kind in SHARES}

    ordered = list(mixed(found, SHARES))

    assert ordered[0].kind == "completion"
    assert len(ordered) == 200
    for kind in SHARES:
        assert [each for each in ordered if each.kind == kind] == found[kind]


def test_where_a_kind_has_no_more_the_others_fill_its_places_in_their_proportions() -> None:
    found: dict[ExampleKind, list[Example]] = {
        "completion": examples("completion", 2000),
        "documentation": examples("documentation", 2000),
    }

    assert counted(850, found, SHARES) == {"completion": 750, "documentation": 100}


def test_a_kind_without_a_share_is_left_out() -> None:
    found: dict[ExampleKind, list[Example]] = {
        "completion": examples("completion", 5),
        "review": examples("review", 5),
    }

    assert counted(99, found, {"completion": 1.0, "review": 0.0}) == {"completion": 5}


def test_a_pair_that_is_seen_twice_counts_once() -> None:
    some = [*examples("completion", 3), *examples("completion", 2), Example(prompt=(9,), target=(1,), kind="review")]

    assert kinds_trained(some) == {"completion": 3, "review": 1}


@pytest.fixture
def builder(tmp_path: Path) -> PromptBuilder:
    write_tokenizer(tmp_path)
    return PromptBuilder.load(tmp_path, TOKENS, PromptBudget())


def pair(number: int, kind: CompletionKind = "completion", middle: str = "a + b") -> CompletionPair:
    return CompletionPair(
        kind=kind,
        language="python",
        path=f"shop_{number}.py",
        commit="0" * 40,
        prefix=f"def total_{number}(a, b):\n    return ",
        middle=middle,
        suffix="\n",
        place="rest_of_line",
    )


def review(number: int, message: str = "Off by one.") -> ReviewPair:
    comment = ReviewComment(line=1, severity="warning", message=message, suggestion="x = 1")
    return ReviewPair(
        language="python", path=f"{number}.py", commit="", hunk=f"x = {number}\n", comment=comment, source="fix"
    )


def test_lessons_are_of_all_kinds_and_no_more_than_asked_for(builder: PromptBuilder) -> None:
    general = [pair(number) for number in range(100, 200)]
    pairs: Mapping[ExampleKind, list[CompletionPair]] = {
        "completion": [pair(number) for number in range(100)],
        "documentation": [pair(number, "documentation") for number in range(200, 300)],
        "general": general,
    }
    reviews = [review(number) for number in range(100)]

    found = lessons(pairs, reviews, builder, Recipe(), repository="shop", at_most=40)

    assert Counter(example.kind for example in found) == {
        "completion": 30,
        "documentation": 4,
        "review": 4,
        "general": 2,
    }
    assert next(each for each in found if each.kind == "review") == encoded_review(
        reviews[0], builder, repository="shop"
    )


def test_answers_that_are_too_long_are_left_out_of_every_kind(builder: PromptBuilder) -> None:
    recipe = Recipe(max_target_tokens=60)
    pairs: Mapping[ExampleKind, list[CompletionPair]] = {"completion": [pair(0, middle="x" * 200), pair(1)]}

    found = lessons(pairs, [review(0, "word " * 90), review(1)], builder, recipe, repository="shop", at_most=9)

    assert [example.prompt for example in found if example.kind == "completion"] == [
        encoded(pair(1), builder, repository="shop").prompt
    ]
    assert all(len(example.target) <= 60 for example in found)
    assert not [example for example in found if example.kind == "review"]
