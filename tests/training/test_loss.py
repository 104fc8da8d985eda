"""The loss on held-out pairs: every contender's own, although all are one model with its adapters changed."""

from pathlib import Path
from typing import Any

import pytest
from tests.support.tiny_model import tiny_model
from tests.support.training_child import some_examples

from acclimate_indexer.home import Home
from acclimate_indexer.pairs import CompletionPair
from acclimate_training.evaluation.contenders import ADAPTER, BASE, CONTROL, CONTROL_RETRIEVAL, Model
from acclimate_training.evaluation.questions import Question
from acclimate_training.evaluation.requests import Request, in_order
from acclimate_training.evaluation.results import ResultStore
from acclimate_training.recipe import Recipe

pytestmark = pytest.mark.tensor
torch = pytest.importorskip("torch", reason="the runtime is not installed")
pytest.importorskip("peft", reason="the runtime is not installed")


def adapted(folder: Path) -> Any:
    """A base with an adapter and a control that have learnt something, each another thing."""
    from acclimate_training.trainer import load_base, with_new_adapter

    home = Home(data=folder, cache=folder, config=folder).create()
    model = with_new_adapter(load_base(tiny_model(home), "cpu").float(), Recipe(), 0)
    model.add_adapter("control", model.peft_config["default"])
    generator = torch.Generator().manual_seed(1)
    for name, weights in model.named_parameters():
        if "lora_B" in name:
            weights.data = torch.randn(weights.shape, generator=generator) * 0.1
    return model


def asked() -> list[Request]:
    pair = CompletionPair(
        kind="completion",
        language="python",
        path="a.py",
        commit="",
        prefix="",
        middle="x",
        suffix="",
        place="rest_of_line",
    )
    examples = some_examples(6)
    questions = [
        Question(pair=pair, examples={"plain": plain, "retrieval": longer, "prompted": longer})
        for plain, longer in zip(examples[::2], examples[1::2], strict=True)
    ]
    return in_order(questions, (BASE, CONTROL, ADAPTER, CONTROL_RETRIEVAL))


def losses(model: Any, requests: list[Request], folder: Path) -> dict[tuple[Model, str], float]:
    from acclimate_training.evaluation.loss import measure_losses

    names: tuple[Model, ...] = ("base", "control", "adapter")
    stores = {name: ResultStore(folder, model_identity="m@0", adapter=name) for name in names}
    measure_losses(model, requests, stores, pad_id=0, seconds=60.0, report=lambda *_: None)
    return {(model, name): found.nats for model in names for name, found in stores[model].losses.items()}


def test_every_contender_has_its_own_loss(tmp_path: Path) -> None:
    model, requests = adapted(tmp_path), asked()

    together = losses(model, requests, tmp_path / "together")
    alone: dict[tuple[Model, str], float] = {}
    for number, request in enumerate(requests):
        alone |= losses(model, [request], tmp_path / str(number))

    assert len(together) == len(requests) == 3 * 4
    assert together == alone
    assert len(set(together.values())) == len(together)  # no contender is taken for another
