"""What ours is held against: the loop that everybody writes first, and TRL's trainer as it comes.

Both start from the same frozen base in the same precision, with the same rank on all linear layers, and take four pairs
at a time in random order. Where they leave something to the user it is what their documentation proposes. In favour of
the plain loop its end-of-text token is learnt: with the padding token as end, as is common, it would be left out.
"""

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from benchmarks.contestant import TRL_VARIABLE
from benchmarks.turns import Turns
from peft import LoraConfig, get_peft_model
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from acclimate_indexer.models import LocalModel
from acclimate_training.encoding import IGNORED, Example
from acclimate_training.recipe import Recipe
from acclimate_training.trainer import load_base

MICRO_BATCH = 4
LEARNING_RATE = 2e-4  # what peft's and TRL's documentation take for adapters


def train_plain(local: LocalModel, examples: Sequence[Example], recipe: Recipe, turns: Turns, folder: Path) -> Any:
    """transformers' Trainer with peft: the model's own loss over the whole vocabulary at every position."""
    base = load_base(local, _device())
    model = get_peft_model(base, _adapter(recipe))
    options = _options(base, folder) | {"lr_scheduler_type": "cosine", "warmup_steps": 0.05}
    trainer = _counting(Trainer)(
        model=model,
        args=TrainingArguments(**options, remove_unused_columns=False),
        train_dataset=[[*example.prompt, *example.target] for example in examples],
        data_collator=lambda rows: _padded(rows),
        callbacks=[_Step(turns)],
    )
    return _trained(trainer, turns)


def train_with_trl(local: LocalModel, examples: Sequence[Example], recipe: Recipe, turns: Turns, folder: Path) -> Any:
    """TRL's SFTTrainer: loss on the answer, as it takes it for prompts with answers, and blocks computed twice."""
    if find_spec("trl") is None:
        sys.path.append(os.environ[TRL_VARIABLE])  # last: the runtime's own packages come first
    from datasets import Dataset
    from datasets.table import InMemoryTable
    from transformers import AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    base = load_base(local, _device())
    rows = InMemoryTable.from_pydict(
        {
            "input_ids": [[*example.prompt, *example.target] for example in examples],
            "labels": [[*[IGNORED] * len(example.prompt), *example.target] for example in examples],
        }
    )
    trainer = _counting(SFTTrainer)(
        model=base,
        peft_config=_adapter(recipe),
        args=SFTConfig(**_options(base, folder), max_length=None),
        # named, since making a name of a table's content fails with pyarrow 24 to 26 and dill 0.4.1
        train_dataset=Dataset(rows, fingerprint="benchmark"),
        processing_class=AutoTokenizer.from_pretrained(local.folder, local_files_only=True),
        callbacks=[_Step(turns)],
    )
    return _trained(trainer, turns)


def _adapter(recipe: Recipe) -> Any:
    return LoraConfig(task_type="CAUSAL_LM", r=recipe.rank, lora_alpha=recipe.alpha, target_modules="all-linear")


def _options(base: Any, folder: Path) -> dict[str, Any]:
    return {
        "output_dir": str(folder),
        "num_train_epochs": 1,
        "per_device_train_batch_size": MICRO_BATCH,
        "learning_rate": LEARNING_RATE,
        "bf16": base.dtype == torch.bfloat16,
        "use_cpu": _device() == "cpu",
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": _device() == "cuda",
    }


def _device() -> Any:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _padded(rows: Sequence[Sequence[int]]) -> dict[str, torch.Tensor]:
    """Labels are the ids; only padding has none."""
    longest = max(map(len, rows))
    padding = [longest - len(row) for row in rows]
    each = list(zip(rows, padding, strict=True))
    return {
        "input_ids": torch.tensor([[*row, *[0] * pad] for row, pad in each]),
        "attention_mask": torch.tensor([[1] * len(row) + [0] * pad for row, pad in each]),
        "labels": torch.tensor([[*row, *[IGNORED] * pad] for row, pad in each]),
    }


def _trained(trainer: Any, turns: Turns) -> Any:
    """The trained model, as it was before the trainer wrapped its forward pass."""
    trainer.remove_callback(PrinterCallback)
    trainer.turns = turns
    turns.ready()
    trainer.train()
    turns.end()
    return trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)


def _counting(trainer: type[Any]) -> type[Any]:
    """The trainer, counting the tokens that go through it."""

    class Counting(trainer):  # type: ignore[misc]  # a class that is only known when it runs
        turns: Turns

        def training_step(self, model: Any, inputs: dict[str, torch.Tensor], *rest: Any) -> Any:
            self.turns.count(int(inputs["attention_mask"].sum()))
            return super().training_step(model, inputs, *rest)

    return Counting


class _Step(TrainerCallback):  # type: ignore[misc]  # transformers is not there where types are checked
    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    def on_step_end(self, _args: Any, _state: Any, _control: Any, **_: Any) -> None:
        self._turns.step_done()
