"""The held-out pairs of one data set, who is asked them, and what is known of the answers already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from acclimate_indexer.dataset import Dataset
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.models import LocalModel
from acclimate_indexer.pairs import CompletionKind, Split
from acclimate_indexer.prompts import PromptBuilder

from .calibration import Calibration
from .contenders import ADAPTER, ADAPTER_RETRIEVAL, BASE, CANDIDATES, CONTENDERS, SERVED, Contender, Model
from .measured import Measured
from .names import KnownNames
from .prompted import Prompts
from .questions import Question, questions
from .requests import Request, in_order
from .results import ResultStore
from .table import difference, table
from .unfinished import AVAILABLE

LOSS_PAIRS = 80  # about a second each on a processor, for the three models; mostly their loss is told apart by then
VALIDATION_PAIRS = 50  # to choose between two prompts of one adapter, and to compare engine and trainer
DOCUMENTATION_EVERY = 4  # so many times fewer documentation pairs are asked than completions


class Asked(Protocol):
    """What decides the questions and how they are put: the setting of a training, or what its adapter tells of it."""

    @property
    def repository(self) -> str: ...
    @property
    def dataset(self) -> Dataset: ...
    @property
    def model(self) -> LocalModel: ...
    @property
    def builder(self) -> PromptBuilder: ...
    @property
    def seed(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """One adapter and its opponents on one data set's held-out pairs.

    Attributes:
        split: `test`, or `validation` where a repository is too young or too small to have a test part.
        questions: The completions, in the order in which they are asked; `documentation`: the doc-comments likewise.
        validation: On which it is chosen how the adapter is asked; no figure of the table rests on them.
        stores: By model; there is none for a control that was not trained.
    """

    split: Split
    questions: Sequence[Question]
    documentation: Sequence[Question]
    validation: Sequence[Question]
    stores: Mapping[Model, ResultStore]
    seed: int
    known: KnownNames | None = None

    @property
    def contenders(self) -> list[Contender]:
        """Those whose model is there."""
        return [contender for contender in CONTENDERS if contender.model in self.stores]

    @property
    def loss_requests(self) -> list[Request]:
        """Some pairs in short prompts, the choice on the validation part, these pairs in long prompts, the rest."""
        some, rest = self.questions[:LOSS_PAIRS], self.questions[LOSS_PAIRS:]
        every = in_order(some, self.contenders, block=max(1, len(some)))
        short = [request for request in every if request.contender.form == "plain"]
        long = [request for request in every if request.contender.form != "plain"]
        watched = [contender for contender in (BASE, *CANDIDATES) if contender.model in self.stores]
        choice = in_order(self.validation, watched, block=max(1, len(self.validation)))
        return [*short, *choice, *long, *in_order(rest, self.contenders)]

    @property
    def generation_requests(self) -> list[Request]:
        """Completions of the first pairs, then documentation, then the other completions."""
        shown = max(1, len(self.questions) // DOCUMENTATION_EVERY)
        every = in_order(self.questions, self.contenders)
        some = len(in_order(self.questions[: 3 * shown], self.contenders))
        documentation = in_order(self.documentation[:shown], self.contenders)
        return [*every[:some], *documentation, *every[some:]]

    def measured(self) -> Measured:
        return Measured(questions=self.questions, stores=self.stores, known=self.known)

    def measured_documentation(self) -> Measured:
        return Measured(questions=self.documentation, stores=self.stores, known=self.known)

    def table(self) -> dict[str, Any]:
        """The figures so far, and who is not yet measured."""
        found = table(self.measured(), seed=self.seed)
        missing = [each.name for each in CONTENDERS if not found["contenders"].get(each.name, {}).get("n")]
        return found | {"split": self.split, "not_measured": missing, AVAILABLE: len(self.questions)}

    def calibrations(self) -> dict[str, Any]:
        """How far the confidence of each contender that is served can be trusted, as a record has it."""
        measured = self.measured()
        found = {each.name: Calibration.of(measured.judged(each)) for each in SERVED}
        return {name: each.to_json() for name, each in found.items() if each is not None}

    def chosen_candidate(self) -> str | None:
        """Whether the adapter's loss is lower with retrieval or without, on the validation part; None if not known."""
        measured = Measured(questions=self.validation, stores=self.stores)
        found = difference(measured, ADAPTER_RETRIEVAL, ADAPTER, seed=self.seed)
        if "loss" not in found:
            return None
        return ADAPTER_RETRIEVAL.name if found["loss"] < 0 else ADAPTER.name

    def shown_example(self) -> dict[str, Any] | None:
        """A pair to show, with the answers of base and adapter: the first that differs, whoever is right."""
        if not self.questions:
            return None
        measured = self.measured()

        def served(question: Question) -> dict[str, str]:
            texts = {each.name: measured.served(each, question) for each in (BASE, ADAPTER)}
            return {name: text for name, text in texts.items() if text is not None}

        differing = (each for each in self.questions if len(set(served(each).values())) > 1)
        question = next(differing, self.questions[0])
        return question.pair.to_json() | {"served": served(question)}


def held_out(
    setting: Asked,
    home: RepositoryHome,
    *,
    versions: Mapping[Model, str | None],
    known: KnownNames | None = None,
    at_most: int | None = None,
) -> HeldOut:
    """The held-out pairs of the setting's data set.

    Args:
        versions: Under which name each model's results are kept; None for the base.
        at_most: Of the completions; None for all that the data set holds.
    """
    dataset, seed = setting.dataset, setting.seed
    split: Split = "test" if next(iter(dataset.pairs("test")), None) is not None else "validation"
    prompts = Prompts.of(dataset, setting.builder, repository=setting.repository)

    def asked(part: Split, kind: CompletionKind, most: int | None = None) -> list[Question]:
        return questions(dataset.pairs(part, kind), prompts, seed=seed, at_most=most)

    return HeldOut(
        split=split,
        questions=asked(split, "completion", at_most),
        documentation=asked(split, "documentation"),
        validation=asked("validation", "completion", VALIDATION_PAIRS) if split == "test" else [],
        stores={
            model: ResultStore(home.evaluations, model_identity=setting.model.identity, adapter=version)
            for model, version in versions.items()
        },
        seed=seed,
        known=known,
    )
