"""Pairs as ids and labels, and the order in which they are trained on."""

from pathlib import Path

import pytest
from tests.support.tiny_model import TOKENS, write_tokenizer

from acclimate_indexer.pairs import CompletionPair, Snippet
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_training.encoding import IGNORED, Example, encoded, schedule, training_examples


@pytest.fixture
def builder(tmp_path: Path) -> PromptBuilder:
    write_tokenizer(tmp_path)
    return PromptBuilder.load(tmp_path, TOKENS, PromptBudget(prefix=40, suffix=20, context=60))


def pair(middle: str = "a + b") -> CompletionPair:
    return CompletionPair(
        kind="completion",
        language="python",
        path="shop.py",
        commit="0" * 40,
        prefix="def total(a, b):\n    return ",
        middle=middle,
        suffix="\n",
        context=(Snippet(path="tax.py", text="RATE = 3"),),
        place="rest_of_line",
    )


def test_only_the_middle_and_its_end_carry_labels(builder: PromptBuilder) -> None:
    example = encoded(pair(), builder, repository="shop")

    labelled = [label for label in example.labels if label != IGNORED]
    assert len(example.labels) == example.length
    assert builder.decode(labelled) == "a + b"
    assert labelled[-1] == builder.end_of_text_id
    assert example.labels[: len(example.prompt)] == (IGNORED,) * len(example.prompt)


def test_too_long_middles_are_left_out(builder: PromptBuilder) -> None:
    pairs = [pair(), pair("x" * 200)]

    examples = training_examples(pairs, builder, repository="shop", max_target_tokens=30)

    assert examples == [encoded(pairs[0], builder, repository="shop")]


def an_example(number: int) -> Example:
    return Example(prompt=(number,) * (number + 1), target=(1,))


def test_every_pair_comes_once_before_any_comes_twice() -> None:
    examples = [an_example(number) for number in range(8)]

    ordered = schedule(examples, steps=4, batch=4, micro_batch=2, seed=0)

    assert len(ordered) == 16
    assert sorted(ordered, key=lambda each: each.length) == sorted(2 * examples, key=lambda each: each.length)
    assert ordered == schedule(examples, steps=4, batch=4, micro_batch=2, seed=0)
    assert ordered != schedule(examples, steps=4, batch=4, micro_batch=2, seed=1)


def test_a_micro_batch_holds_pairs_of_similar_length() -> None:
    examples = [an_example(number) for number in range(64)]

    ordered = schedule(examples, steps=8, batch=8, micro_batch=4, seed=0)

    groups = [ordered[at : at + 4] for at in range(0, 64, 4)]
    assert all(max(e.length for e in group) - min(e.length for e in group) <= 3 for group in groups)
