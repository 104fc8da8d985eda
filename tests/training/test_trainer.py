"""The trainer on a tiny model: the loss, resuming, divergence."""

import math
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.support.tiny_model import tiny_model

from acclimate_indexer.errors import AdapterError, DiskFull, TrainingError
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel
from acclimate_training.batches import collated
from acclimate_training.encoding import IGNORED, Example
from acclimate_training.recipe import Recipe
from acclimate_training.validation import PATIENCE, ValidationPlan

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

    _interrupted(local, examples, tmp_path / "parts", after=7)
    newest = max((tmp_path / "parts").glob("checkpoint-*"), key=lambda path: int(path.name.partition("-")[2]))
    shutil.copytree(newest, tmp_path / "parts" / "checkpoint-9")
    (tmp_path / "parts" / "checkpoint-9" / "complete.json").unlink()  # a half-written one is not gone on from
    second = with_adapter(local)
    steps: list[int] = []
    done = trained(second, examples, tmp_path / "parts", report=lambda step: steps.append(step.step))

    assert steps == [7, 8, 9, 10]
    assert done.resumed_at == 6
    _assert_same(weights(second), weights(whole))


class _Interrupted(Exception):
    pass


def _interrupted(local: LocalModel, examples: list[Example], folder: Path, *, after: int, **settings: Any) -> None:
    def interrupt(step: Any) -> None:
        if step.step == after:
            raise _Interrupted

    with pytest.raises(_Interrupted):
        trained(with_adapter(local, settings.get("recipe", RECIPE)), examples, folder, report=interrupt, **settings)


def _assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found.keys() == expected.keys()
    for name, value in found.items():
        torch.testing.assert_close(value, expected[name], rtol=0, atol=0)


def _validation(model: Any, held_out: list[Example]) -> float:
    from acclimate_training.best_weights import validation_loss

    return validation_loss(model, held_out, pad_id=0, rows=4)


def _out_of_memory_above(model: Any, *, rows: int) -> None:
    def run_out(_module: Any, _given: Any, named: dict[str, Any]) -> None:
        if len(named["input_ids"]) > rows:
            raise torch.OutOfMemoryError("CUDA out of memory (a test)")

    model.base_model.model.model.register_forward_pre_hook(run_out, with_kwargs=True)


def test_a_loss_that_is_no_number_ends_the_training_with_a_sentence(
    local: LocalModel, examples: list[Example], tmp_path: Path
) -> None:
    model = with_adapter(local)
    for name, value in model.named_parameters():
        if name.endswith("lora_B.default.weight"):
            value.data.fill_(math.nan)

    with pytest.raises(TrainingError, match="diverged: at step 1 of 10"):
        trained(model, examples, tmp_path / "c")


@pytest.mark.parametrize("name", ["optimizer.pt", "trainer_state.json"])
def test_a_full_disk_is_a_sentence_and_what_was_whole_is_gone_on_from(
    local: LocalModel, examples: list[Example], tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "c"

    def fill_the_disk(step: Any) -> None:
        if step.step == 3:
            (folder / "checkpoint-4").mkdir()
            (folder / "checkpoint-4" / name).symlink_to("/dev/full")

    with pytest.raises(DiskFull, match="Free some space"):
        trained(with_adapter(local), examples, folder, report=fill_the_disk)
    steps: list[int] = []
    done = trained(with_adapter(local), examples, folder, report=lambda step: steps.append(step.step))

    assert done.resumed_at == 2
    assert steps == list(range(3, 11))


def test_a_damaged_checkpoint_is_said_and_the_one_before_gives_the_same_weights(
    local: LocalModel, examples: list[Example], tmp_path: Path
) -> None:
    whole = with_adapter(local)
    trained(whole, examples, tmp_path / "whole")
    _interrupted(local, examples, tmp_path / "parts", after=7)
    with (tmp_path / "parts" / "checkpoint-6" / "optimizer.pt").open("r+b") as file:
        file.seek(2000)
        file.write(b"damage")
    second = with_adapter(local)
    said: list[str | None] = []
    done = trained(second, examples, tmp_path / "parts", report=lambda step: said.append(step.message))

    assert done.resumed_at == 4
    assert said[0] == " ".join(done.notes)
    assert done.notes[0] == "The checkpoint of step 6 is damaged and was not used."
    _assert_same(weights(second), weights(whole))


def test_dropout_and_validation_resume_exactly_too(local: LocalModel, examples: list[Example], tmp_path: Path) -> None:
    recipe = Recipe(batch=4, micro_batch=2, layers="all", dropout=0.3, learning_rate=1e-2)
    at = ValidationPlan(steps=(2, 4, 6, 8, 10), pairs=9)
    whole = with_adapter(local, recipe)
    expected = trained(whole, examples[:30], tmp_path / "whole", recipe=recipe, at=at, validation=examples[30:])
    unmeasured = trained(with_adapter(local, recipe), examples[:30], tmp_path / "plain", recipe=recipe)
    parts = tmp_path / "parts"
    _interrupted(local, examples[:30], parts, after=7, recipe=recipe, at=at, validation=examples[30:])
    second = with_adapter(local, recipe)
    done = trained(second, examples[:30], parts, recipe=recipe, at=at, validation=examples[30:])

    assert done.resumed_at == 6
    assert done.curve == expected.curve
    assert [point.step for point in done.curve if point.validation is not None] == [2, 4, 6, 8, 10]
    assert done.best_step == expected.best_step
    _assert_same(weights(second), weights(whole))
    assert [point.training for point in unmeasured.curve] == [point.training for point in done.curve]


def test_a_training_that_gets_worse_ends_early_and_keeps_its_best_weights(
    local: LocalModel, examples: list[Example], tmp_path: Path
) -> None:
    """What is held out is learnt at first and contradicted later: the rate is absurd."""
    recipe = Recipe(batch=4, micro_batch=2, layers="all", learning_rate=0.3, warmup_share=0.0, clip=100.0)
    at = ValidationPlan(steps=tuple(range(1, 21)), pairs=12)
    held_out = [Example(prompt=example.prompt[::-1], target=(*example.target[:-1], 9, 0)) for example in examples[:12]]
    model = with_adapter(local, recipe)
    done = trained(model, examples, tmp_path / "c", recipe=recipe, steps=20, at=at, validation=held_out)
    measured = {point.step: point.validation for point in done.curve}
    kept = _validation(model, held_out)
    again = with_adapter(local, recipe)  # killed when the training was over but its adapter was not yet there
    second = trained(again, examples, tmp_path / "c", recipe=recipe, steps=20, at=at, validation=held_out)

    assert done.best_step is not None
    assert done.stopped_at == done.best_step + PATIENCE < done.steps == 20
    assert measured[done.best_step] == min(measured.values()) == pytest.approx(kept, rel=1e-6)
    assert (second.stopped_at, second.best_step) == (done.stopped_at, done.best_step)
    assert second.curve == done.curve
    _assert_same(weights(again), weights(model))


def test_best_weights_that_cannot_be_read_are_said(local: LocalModel, examples: list[Example], tmp_path: Path) -> None:
    folder = tmp_path / "c"

    def damage(step: Any) -> None:
        for best in folder.glob("best-*.safetensors"):
            best.write_bytes(b"damage")

    at = ValidationPlan(steps=(2, 4), pairs=9)
    done = trained(with_adapter(local), examples, folder, report=damage, at=at, validation=examples[:9])

    assert done.best_step is None
    assert "cannot be read; those of the last step are kept" in done.notes[-1]


def test_short_memory_means_fewer_rows_at_a_time_and_the_same_result(
    local: LocalModel, examples: list[Example], tmp_path: Path
) -> None:
    recipe = Recipe(batch=8, micro_batch=8, layers="all", learning_rate=1e-2)
    whole, short = with_adapter(local, recipe), with_adapter(local, recipe)
    expected = trained(whole, examples, tmp_path / "whole", recipe=recipe)
    _out_of_memory_above(short, rows=3)
    said: list[str | None] = []
    done = trained(short, examples, tmp_path / "short", recipe=recipe, report=lambda step: said.append(step.message))

    assert [note.partition(" rows")[0] for note in done.notes] == [
        "Memory ran out; from here on 4",
        "Memory ran out; from here on 2",
    ]
    assert said[0] == " ".join(done.notes)
    assert not any(said[1:])
    assert [point.step for point in done.curve] == list(range(1, 11))
    for point, other in zip(done.curve, expected.curve, strict=True):
        assert point.training == pytest.approx(other.training, rel=1e-3)
    torch.testing.assert_close(weights(short), weights(whole), rtol=2e-2, atol=2e-4)


def test_memory_that_runs_out_in_the_backward_pass_leaves_no_half_gradients(
    local: LocalModel, examples: list[Example], tmp_path: Path
) -> None:
    recipe = Recipe(batch=8, micro_batch=4, layers="all")
    whole, short = with_adapter(local, recipe), with_adapter(local, recipe)
    trained(whole, examples, tmp_path / "whole", recipe=recipe, steps=1)
    calls = []

    def run_out(_module: Any, gradient: tuple[Any, ...], _output: Any) -> None:
        calls.append(len(gradient[0]))
        if len(calls) == 2:  # the second micro-batch of the step: one is in the gradients already
            raise torch.OutOfMemoryError("CUDA out of memory (a test)")

    short.base_model.model.model.layers[1].register_full_backward_hook(run_out)
    trained(short, examples, tmp_path / "short", recipe=recipe, steps=1)

    assert calls == [4, 4, 2, 2, 2, 2]
    torch.testing.assert_close(weights(short), weights(whole), rtol=1e-3, atol=1e-6)


def test_when_one_row_does_not_fit_blocks_are_computed_twice_and_then_it_is_said(
    local: LocalModel, examples: list[Example], tmp_path: Path
) -> None:
    recipe = Recipe(batch=4, micro_batch=1, layers="upper_half")
    model = with_adapter(local, recipe)
    _out_of_memory_above(model, rows=0)

    with pytest.raises(TrainingError, match="does not hold a single pair"):
        trained(model, examples, tmp_path / "c", recipe=recipe)

    assert model.is_gradient_checkpointing


def test_another_error_is_not_taken_for_short_memory(
    local: LocalModel, examples: list[Example], tmp_path: Path
) -> None:
    model = with_adapter(local)

    def fail(*_: Any) -> None:
        raise RuntimeError("shapes do not match")

    model.register_forward_pre_hook(fail)

    with pytest.raises(RuntimeError, match="shapes do not match"):
        trained(model, examples, tmp_path / "c")


@pytest.mark.parametrize("layers", ["all", "upper_half"])
def test_blocks_computed_twice_give_the_same_gradients_and_spare_the_lower_half(
    local: LocalModel, examples: list[Example], layers: Any
) -> None:
    from acclimate_training.evaluation.loss import middle_nats
    from acclimate_training.fitting import Room

    recipe = Recipe(batch=4, micro_batch=2, layers=layers)
    batch = collated(examples[:6], pad_id=0)
    found, backward = [], []
    for checkpointing in (False, True):
        model = with_adapter(local, recipe).train()
        Room(model, rows=2, checkpointing=checkpointing)
        lowest = model.base_model.model.model.layers[0]
        lowest.mlp.register_forward_hook(lambda _module, _given, out: backward.append(out.requires_grad))
        middle_nats(model, batch)[0].backward()
        found.append({name: value.grad for name, value in model.named_parameters() if value.requires_grad})

    torch.testing.assert_close(found[1], found[0], rtol=1e-5, atol=1e-7)
    assert set(backward) == {layers == "all"}


def test_an_odd_gradient_leaves_weights_and_moments_as_they_were(
    local: LocalModel, examples: list[Example], tmp_path: Path
) -> None:
    model = with_adapter(local)
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}

    def look(step: Any) -> None:
        if step.step == 11:
            before.update(weights(model))
        if step.step == 12:
            after.update(weights(model))

    def explode(gradient: Any) -> Any:
        return gradient * 1e4 if len(before) and not len(after) else gradient

    for value in model.parameters():
        if value.requires_grad:
            value.register_hook(explode)
    done = trained(model, examples, tmp_path / "c", steps=14, report=look)

    assert done.skipped == 1
    assert done.stopped_at == 14
    _assert_same(after, before)


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
