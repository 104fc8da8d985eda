"""Pairs as ids and labels, and the order in which they are trained on."""

from pathlib import Path

import pytest
from tests.support.tiny_model import TOKENS, write_tokenizer

from acclimate_indexer.pairs import CompletionPair, ReviewComment, ReviewPair, Snippet
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_indexer.review_answer import parsed_answer
from acclimate_training.batches import LENGTH_STEP, collated, trimmed
from acclimate_training.encoding import (
    IGNORED,
    Example,
    encoded,
    encoded_review,
    schedule,
    training_examples,
    with_code_around,
)


@pytest.fixture
def builder(tmp_path: Path) -> PromptBuilder:
    write_tokenizer(tmp_path)
    return PromptBuilder.load(tmp_path, TOKENS, PromptBudget(prefix=60, suffix=20, context=60))


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
    assert len(example.labels) == len(example.weights) == example.length
    assert builder.decode(labelled) == " a + b"  # the prompt held the space back
    assert labelled[-1] == builder.end_of_text_id
    assert example.labels[: len(example.prompt)] == (IGNORED,) * len(example.prompt)
    assert example.weights == (0.0,) * len(example.prompt) + (1.0,) * len(example.target)


def test_the_code_around_may_be_learnt_with_a_smaller_weight(builder: PromptBuilder) -> None:
    plain = encoded(pair(), builder, repository="shop")

    example = with_code_around(plain, 0.1, markers=builder.stop_ids)

    assert example.labels[0] == IGNORED
    for token, label, weight in zip(example.prompt[1:], example.labels[1:], example.weights[1:], strict=False):
        is_marker = token in builder.stop_ids
        assert label == (IGNORED if is_marker else token)
        assert weight == (0.0 if is_marker else 0.1)
    assert example.labels[len(example.prompt) :] == example.target
    assert example.weights[len(example.prompt) :] == (1.0,) * len(example.target)
    assert (example.prompt, example.target) == (plain.prompt, plain.target)


def test_without_a_weight_nothing_around_is_learnt(builder: PromptBuilder) -> None:
    plain = encoded(pair(), builder, repository="shop")

    assert with_code_around(plain, 0.0, markers=builder.stop_ids) is plain


def test_a_question_is_named_by_what_is_asked_and_not_by_what_is_learnt(builder: PromptBuilder) -> None:
    plain = encoded(pair(), builder, repository="shop")
    others = [
        encoded(pair("a - b"), builder, repository="shop"),
        encoded(pair(), builder, repository="stall"),
        encoded(pair(), builder, repository="shop", context=pair().context),
    ]

    assert with_code_around(plain, 0.3, markers=builder.stop_ids).digest() == plain.digest()
    assert len({plain.digest(), *(other.digest() for other in others)}) == 4


def test_too_long_middles_are_left_out(builder: PromptBuilder) -> None:
    pairs = [pair(), pair("x" * 200)]

    examples = training_examples(pairs, builder, repository="shop", max_target_tokens=30)

    assert examples == [encoded(pairs[0], builder, repository="shop")]


def with_context(builder: PromptBuilder, share: float) -> list[bool]:
    """For each of 400 pairs, all with retrieved code, whether its prompt keeps it."""
    pairs = [pair(f"a + b{number}") for number in range(400)]
    examples = training_examples(pairs, builder, repository="shop", max_target_tokens=99, retrieval_share=share)
    return ["RATE" in builder.decode(example.prompt) for example in examples]


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0, 0), (0.125, 70, 130), (0.25, 160, 240), (0.5, 400, 400)])
def test_a_share_of_the_pairs_keeps_the_retrieved_code(
    builder: PromptBuilder, share: float, least: int, most: int
) -> None:
    assert least <= sum(with_context(builder, share)) <= most


def test_a_pair_with_a_larger_share_keeps_what_it_had_with_a_smaller_one(builder: PromptBuilder) -> None:
    few, many = with_context(builder, 0.1), with_context(builder, 0.3)

    assert all(more or not less for less, more in zip(few, many, strict=True))
    assert few == with_context(builder, 0.1)


def test_a_training_example_says_what_it_counts_as(builder: PromptBuilder) -> None:
    own = training_examples([pair()], builder, repository="shop", max_target_tokens=99, around_weight=0.1)
    general = training_examples([pair()], builder, repository="shop", max_target_tokens=99, kind="general")

    assert [each.kind for each in (*own, *general)] == ["completion", "general"]
    assert own[0].around_weight == 0.1
    assert general[0].around == ()


@pytest.mark.parametrize("line", [1, None])
def test_a_review_is_a_hunk_and_its_answer(builder: PromptBuilder, line: int | None) -> None:
    comment = ReviewComment(line=1, severity="warning", message="Wrong.", suggestion="x = 2")
    hunk = ReviewPair(
        language="python",
        path="shop.py",
        commit="",
        hunk="x = 1\n",
        comment=comment if line else None,
        source="fix",
    )

    example = encoded_review(hunk, builder, repository="shop")

    assert example.kind == "review"
    assert example.prompt == builder.review_prompt("x = 1\n", path="shop.py", repository="shop")
    assert example.target[-1] == builder.end_of_text_id
    assert parsed_answer(builder.decode(example.target), line_count=1) == hunk.comment
    assert set(example.weights[: len(example.prompt)]) == {0.0}


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


def test_a_short_training_takes_the_most_useful_first() -> None:
    examples = [an_example(number) for number in range(100)]

    ordered = schedule(examples, steps=5, batch=4, micro_batch=1, seed=0)

    assert {each.prompt[0] for each in ordered} == set(range(20))
    assert [each.prompt[0] for each in ordered] != list(range(20))


def test_the_last_round_of_a_training_is_of_the_most_useful() -> None:
    examples = [an_example(number) for number in range(10)]

    ordered = schedule(examples, steps=13, batch=1, micro_batch=1, seed=0)

    seen = [each.prompt[0] for each in ordered]
    assert sorted(seen) == sorted([*range(10), 0, 1, 2])


@pytest.mark.tensor
def test_a_batch_is_padded_and_its_padding_is_not_learnt() -> None:
    pytest.importorskip("torch", reason="the runtime is not installed")
    short = Example(prompt=(5, 6), target=(7,), around=(1,), around_weight=0.5)
    long = Example(prompt=(1, 2, 3), target=(8, 9))
    padding = LENGTH_STEP - 5

    batch = collated([short, long], pad_id=0)

    assert batch["input_ids"].tolist() == [[5, 6, 7, 0, 0] + [0] * padding, [1, 2, 3, 8, 9] + [0] * padding]
    assert batch["labels"].tolist() == [
        [IGNORED, 6, 7, IGNORED, IGNORED] + [IGNORED] * padding,
        [IGNORED, IGNORED, IGNORED, 8, 9] + [IGNORED] * padding,
    ]
    assert batch["weights"][:, :5].tolist() == [[0.0, 0.5, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0, 1.0]]


@pytest.mark.tensor
def test_a_part_of_a_batch_keeps_no_padding_of_longer_rows() -> None:
    pytest.importorskip("torch", reason="the runtime is not installed")
    short = Example(prompt=(5, 6), target=(7,))
    batch = collated([short, Example(prompt=(1,) * LENGTH_STEP, target=(2,))], pad_id=0)

    part = trimmed({name: tensor[:1] for name, tensor in batch.items()})

    assert batch["input_ids"].shape == (2, 2 * LENGTH_STEP)
    assert part["input_ids"].shape == (1, LENGTH_STEP)
