"""What the stores hold about some questions, each answer judged once."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from acclimate_indexer.completion_cut import cut

from .calibration import JudgedAnswer, is_right
from .contenders import CONTENDERS, Contender, Model
from .intervals import Observation
from .metrics import Answer, assess
from .names import KnownNames
from .questions import Question
from .results import GenerationResult, LossResult, ResultStore

Columns = dict[str, list[Observation]]  # of each figure one value a question


@dataclass(kw_only=True)
class Measured:
    """The results of every model on the same questions.

    Attributes:
        stores: By model; a model that is not there was not measured.
        known: The names that exist, for the figure of invented ones; None leaves such figures out.
    """

    questions: Sequence[Question]
    stores: Mapping[Model, ResultStore]
    known: KnownNames | None = None
    _scores: dict[tuple[str, str], dict[str, float | None]] = field(default_factory=dict)

    @property
    def contenders(self) -> list[Contender]:
        """Those of which anything is known."""
        return [each for each in CONTENDERS if self.answered(each) or self.with_loss(each)]

    def answered(self, contender: Contender) -> list[Question]:
        """The questions that it has answered."""
        return [question for question in self.questions if self._answer(contender, question) is not None]

    def with_loss(self, contender: Contender) -> list[Question]:
        """The questions on which its loss is known."""
        return [question for question in self.questions if self.loss(contender, question) is not None]

    def loss(self, contender: Contender, question: Question) -> LossResult | None:
        store = self.stores.get(contender.model)
        return None if store is None else store.losses.get(question.asked(contender.form))

    def served(self, contender: Contender, question: Question) -> str | None:
        """The answer as the editor would show it; None if it was not asked for."""
        answer, pair = self._answer(contender, question), question.pair
        if answer is None:
            return None
        return cut(answer.text, language=pair.language, prefix=pair.prefix, suffix=pair.suffix)

    def generated(self, contender: Contender, question: Question) -> str | None:
        """The answer as the model wrote it; None if it was not asked for."""
        answer = self._answer(contender, question)
        return None if answer is None else answer.text

    def judged(self, contender: Contender) -> list[JudgedAnswer]:
        """Its answers that would be shown, with the confidence in each; those of which it is not known are left out."""
        found = []
        for question in self.answered(contender):
            answer, shown = self._answer(contender, question), self.served(contender, question)
            if answer is not None and answer.confidence is not None and shown:
                right = is_right(shown, question.pair.middle)
                found.append(JudgedAnswer(confidence=answer.confidence, is_right=right, path=question.pair.path))
        return found

    def scores(self, contender: Contender, question: Question) -> dict[str, float | None]:
        """What an answer is worth, by figure; the question must have been answered."""
        key = (contender.name, question.name)
        if key not in self._scores:
            self._scores[key] = self._assessed(contender, question)
        return self._scores[key]

    def columns(self, contender: Contender, questions: Sequence[Question]) -> Columns:
        """Its scores on questions that it has answered; a figure that a question cannot have is left out there."""
        found: Columns = {}
        for question in questions:
            for figure, value in self.scores(contender, question).items():
                if value is not None:
                    found.setdefault(figure, []).append(Observation(cluster=question.pair.path, value=value))
        return found

    def losses(self, contender: Contender, questions: Sequence[Question]) -> list[Observation]:
        """Its losses in nats a token, which weigh as many tokens as they are of."""
        losses = [(question, self.loss(contender, question)) for question in questions]
        return [
            Observation(cluster=question.pair.path, value=loss.nats / loss.tokens, weight=loss.tokens)
            for question, loss in losses
            if loss is not None
        ]

    def _answer(self, contender: Contender, question: Question) -> GenerationResult | None:
        store = self.stores.get(contender.model)
        return None if store is None else store.generations.get(question.asked(contender.form))

    def _assessed(self, contender: Contender, question: Question) -> dict[str, float | None]:
        given, pair = self._answer(contender, question), question.pair
        assert given is not None
        answer = Answer(
            language=pair.language,
            prefix=pair.prefix,
            middle=pair.middle,
            suffix=pair.suffix,
            generated=given.text,
            served=self.served(contender, question) or "",
            stopped=given.stopped,
        )
        return asdict(assess(answer, self.known)) | {
            "prompt_tokens": float(given.prompt_tokens) or None,
            "latency_ms": given.milliseconds or None,
        }
