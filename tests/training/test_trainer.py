"""The trainer on a tiny model: the loss, resuming, divergence."""

import math
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.support.tiny_model import tiny_model

from acclimate_indexer.errors import AdapterError, TrainingError
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel
from acclimate_training.encoding import IGNORED, Example, collated
from acclimate_training.recipe import Recipe
from acclimate_training.validation import ValidationPlan

pytestmark = pytest.mark.tensor
torch = pytest.importorskip("torch", reason="the runtime is not installed")
pytest.importorskip("peft", reason="the runtime is not installed")

RECIPE = Recipe(batch=4, micro_batch=2, layers="all")
MINUTES = 0.02
NOT_AT_ALL = ValidationPlan()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    folder = tmp_path_factory.mktemp("home")
    return tiny_model(Home(data=folder, cache=folder, config=folder))


@pytest.fixture
def examples() -> list[Example]:
    return [
        Example(
            prompt=tuple(3 + (7 * number + at) % 300 for at in range(5 + number % 9)),
            target=(*(5 + (number + at) % 40 for at in range(1 + number % 4)), 0),
        )
        for number in range(40)
    ]


def with_adapter(local: LocalModel, recipe: Recipe = RECIPE) -> Any:
    from acclimate_training.trainer import load_base, with_new_adapter

    base = load_base(local, "cpu").float()  # comparisons to the last digits, whatever this processor can do
    return with_new_adapter(base, recipe, seed=0)


def trained(
    model: Any,
    examples: list[Example],
    checkpoints: Path,
    *,
    recipe: Recipe = RECIPE,
    steps: int = 10,
    report: Callable[[Any], None] = lambda _step: None,
    at: ValidationPlan = NOT_AT_ALL,
    validation: Sequence[Example] = (),
) -> Any:
    from acclimate_training import checkpoints as kept
    from acclimate_training.trainer import train

    if kept.planned(checkpoints, "f") is None:
        kept.begin(checkpoints, "f", kept.Plan(steps=steps, validation=at))
    return train(
        model,
        examples,
        recipe=recipe,
        minutes=MINUTES,
        seed=0,
        fingerprint="f",
        checkpoints=checkpoints,
        pad_id=0,
        report=report,
        validation=validation,
    )


def weights(model: Any) -> dict[str, Any]:
    return {name: value.detach().clone() for name, value in model.named_parameters() if value.requires_grad}


def test_the_head_on_labels_alone_gives_the_plain_loss(local: LocalModel, examples: list[Example]) -> None:
    from acclimate_training.evaluation.loss import middle_nats

    model = with_adapter(local)
    batch = collated(examples[:6], pad_id=0)
    plain = model(**batch).loss
    nats, tokens = middle_nats(model, batch)

    assert tokens == int((batch["labels"] != IGNORED).sum())
    torch.testing.assert_close(nats / tokens, plain, rtol=1e-5, atol=1e-6)


def test_its_gradient_is_the_plain_one(local: LocalModel, examples: list[Example]) -> None:
    from acclimate_training.evaluation.loss import middle_nats

    model = with_adapter(local)
    batch = collated(examples[:6], pad_id=0)

    def gradients(loss: Any) -> dict[str, Any]:
        model.zero_grad()
        loss.backward()
        return {name: value.grad.clone() for name, value in model.named_parameters() if value.requires_grad}

    plain = gradients(model(**batch).loss)
    nats, tokens = middle_nats(model, batch)
    torch.testing.assert_close(gradients(nats / tokens), plain, rtol=1e-4, atol=1e-7)


def test_training_lowers_the_loss_and_touches_nothing_but_the_adapter(
    local: LocalModel, examples: list[Example], tmp_path: Path
) -> None:
    model = with_adapter(local)
    frozen = {name: value.clone() for name, value in model.named_parameters() if not value.requires_grad}
    losses: list[float] = []
    recipe = Recipe(batch=4, micro_batch=2, layers="all", learning_rate=1e-2)
    done = trained(model, examples, tmp_path / "c", recipe=recipe, report=lambda step: losses.append(step.loss))

    assert done.steps == len(losses) == 10
    assert done.tokens_per_second > 0
    assert losses[-1] < losses[0]
    for name, value in model.named_parameters():
        if name in frozen:
            assert torch.equal(value, frozen[name]), name
        assert value.requires_grad == ("lora" in name)


@pytest.mark.parametrize("micro_batch", [1, 2])
def test_micro_batches_change_nothing_but_speed(
    local: LocalModel, examples: list[Example], tmp_path: Path, micro_batch: int
) -> None:
    found = []
    for size in (micro_batch, 4):
        model = with_adapter(local)
        losses: list[float] = []
        recipe = Recipe(batch=4, micro_batch=size, layers="all")
        trained(model, examples[:4], tmp_path / str(size), recipe=recipe, steps=1, report=_losses_into(losses))
        found.append((losses, weights(model)))

    (losses_of_parts, parts), (losses_of_whole, whole) = found
    assert losses_of_parts == pytest.approx(losses_of_whole, rel=1e-5)
    torch.testing.assert_close(parts, whole, rtol=1e-3, atol=1e-6)


def _losses_into(losses: list[float]) -> Callable[[Any], None]:
    return lambda step: losses.append(step.loss)


def test_a_resumed_training_is_the_uninterrupted_one(
    local: LocalModel, examples: list[Example], tmp_path: Path
) -> None:
    whole = with_adapter(local)
    trained(whole, examples, tmp_path / "whole")

    class Interrupted(Exception):
        pass

    def interrupt(step: Any) -> None:
        if step.step == 7:
            raise Interrupted

    first = with_adapter(local)
    with pytest.raises(Interrupted):
        trained(first, examples, tmp_path / "parts", report=interrupt)
    newest = max((tmp_path / "parts").glob("checkpoint-*"), key=lambda path: int(path.name.partition("-")[2]))
    shutil.copytree(newest, tmp_path / "parts" / "checkpoint-9")
    (tmp_path / "parts" / "checkpoint-9" / "complete.json").unlink()  # a half-written one is not gone on from
    second = with_adapter(local)
    steps: list[int] = []
    done = trained(second, examples, tmp_path / "parts", report=lambda step: steps.append(step.step))

    assert steps == [7, 8, 9, 10]
    assert done.resumed_at == 6
    expected = weights(whole)
    for name, value in weights(second).items():
        torch.testing.assert_close(value, expected[name], rtol=0, atol=0)


def test_a_loss_that_is_no_number_ends_the_training_with_a_sentence(
    local: LocalModel, examples: list[Example], tmp_path: Path
) -> None:
    model = with_adapter(local)
    for name, value in model.named_parameters():
        if name.endswith("lora_B.default.weight"):
            value.data.fill_(math.nan)

    with pytest.raises(TrainingError, match="diverged: at step 1 of 10"):
        trained(model, examples, tmp_path / "c")


def test_an_adapter_survives_the_disk(local: LocalModel, examples: list[Example], tmp_path: Path) -> None:
    from acclimate_training.evaluation.loss import middle_nats
    from acclimate_training.trainer import load_base, save_adapter, with_saved_adapter

    model = with_adapter(local)
    trained(model, examples, tmp_path / "c", recipe=Recipe(batch=4, micro_batch=2, layers="upper_half"))
    save_adapter(model, tmp_path / "adapter", "tiny")
    again = with_saved_adapter(load_base(local, "cpu").float(), tmp_path / "adapter")
    batch = collated(examples[:3], pad_id=0)

    with torch.no_grad():
        torch.testing.assert_close(middle_nats(again, batch)[0], middle_nats(model.eval(), batch)[0])


def test_a_damaged_adapter_is_said_in_a_sentence(local: LocalModel, tmp_path: Path) -> None:
    from acclimate_training.trainer import load_base, with_saved_adapter

    with pytest.raises(AdapterError, match="cannot be loaded"):
        with_saved_adapter(load_base(local, "cpu"), tmp_path)
