"""The labels around a middle are compared with few words, those of the middle with all."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.tiny_model import tiny_model
from tests.support.training_child import some_examples

from acclimate_indexer.home import Home
from acclimate_training.batches import collated
from acclimate_training.encoding import Example, with_code_around
from acclimate_training.recipe import Recipe

pytestmark = pytest.mark.tensor
torch = pytest.importorskip("torch", reason="the runtime is not installed")
pytest.importorskip("peft", reason="the runtime is not installed")


@pytest.fixture
def model(tmp_path: Path) -> Any:
    from acclimate_training.trainer import load_base, with_new_adapter

    home = Home(data=tmp_path, cache=tmp_path, config=tmp_path).create()
    return with_new_adapter(load_base(tiny_model(home), "cpu").float(), Recipe(), 0)


@pytest.fixture
def examples() -> list[Example]:
    return [with_code_around(example, 0.3, markers=(3,)) for example in some_examples(6)]


def nats(model: Any, examples: list[Example], shortlist: Any) -> tuple[Any, Any]:
    from acclimate_training.evaluation.loss import labelled_nats

    return labelled_nats(model, collated(examples, 0), shortlist)


def test_a_list_of_all_words_changes_nothing(model: Any, examples: list[Example]) -> None:
    from acclimate_training.shortlist import Shortlist

    whole = Shortlist.of(model, examples)  # the tiny vocabulary is shorter than the commonest words
    found, weights = nats(model, examples, whole)
    expected, expected_weights = nats(model, examples, None)

    assert whole is not None
    assert len(whole.rows) == len(whole.place)
    torch.testing.assert_close(found, expected)
    assert (weights == expected_weights).all()


def test_the_middle_is_compared_with_all_words_and_what_is_around_with_the_lists(
    model: Any, examples: list[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    from acclimate_training import shortlist as module

    monkeypatch.setattr(module, "COMMONEST", 4)
    few = module.Shortlist.of(model, examples)
    assert few is not None
    found, weights = nats(model, examples, few)
    expected, _ = nats(model, examples, None)
    middle = weights == 1

    words = {example.prompt[at] for example in examples for at in example.around} | set(range(4))
    assert (few.place >= 0).nonzero().flatten().tolist() == sorted(words)
    torch.testing.assert_close(found[middle], expected[middle])
    assert (found[~middle] < expected[~middle]).all()  # fewer words share the probability


def test_gradients_flow_through_both(model: Any, examples: list[Example]) -> None:
    from acclimate_training.shortlist import Shortlist

    found, weights = nats(model, examples, Shortlist.of(model, examples))
    (found * weights).sum().backward()
    mine = [weight.grad.clone() for weight in model.parameters() if weight.grad is not None]
    model.zero_grad()
    expected, _ = nats(model, examples, None)
    (expected * weights).sum().backward()

    assert mine
    for ours, theirs in zip(mine, (each.grad for each in model.parameters() if each.grad is not None), strict=True):
        torch.testing.assert_close(ours, theirs)
    assert "forward" not in vars(model.get_output_embeddings())  # the head is its own again


def test_without_labels_around_or_with_reshaped_logits_there_is_none(model: Any, examples: list[Example]) -> None:
    from acclimate_training.shortlist import Shortlist

    assert Shortlist.of(model, [replace(example, around=()) for example in examples]) is None
    model.config.final_logit_softcapping = 30.0
    assert Shortlist.of(model, examples) is None
