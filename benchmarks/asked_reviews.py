"""What two models hold of the same pieces of changed code: the base with rules and examples, and the adapter.

They are asked as the evaluation of an adapter asks them, and what they say is kept: a run goes on where the last one
stopped. The pieces come in an order that spreads them evenly over the history, so that any beginning stands for all.
"""

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from benchmarks.held_out_history import ChangedFile
from benchmarks.line_scores import Place, Remark, Row

from acclimate_indexer.languages.language import Language
from acclimate_indexer.models import LocalModel
from acclimate_indexer.pairs import ReviewComment, ReviewPair
from acclimate_indexer.prompts import PromptBudget, PromptBuilder
from acclimate_training.adapter import Adapter
from acclimate_training.engine import EngineClient
from acclimate_training.evaluation.contenders import Model
from acclimate_training.evaluation.generation import Served
from acclimate_training.evaluation.results import ResultStore
from acclimate_training.evaluation.reviews.asking import ask_reviews, floor, is_open, opinion_of
from acclimate_training.evaluation.reviews.questions import ReviewQuestion
from acclimate_training.recipe import Recipe
from acclimate_training.reviewing.hunks import Hunk, hunks_of
from acclimate_training.reviewing.prompts import ReviewPrompts

AT_ONCE = 48  # hunks that are asked to the end before others are begun: half a minute to two


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The models of one repository, how they are asked, and what they said.

    Attributes:
        names: How the engine calls each.
    """

    client: EngineClient
    builder: PromptBuilder
    prompts: Mapping[Model, ReviewPrompts]
    names: Mapping[Model, str]
    stores: Mapping[Model, ResultStore]

    def with_adapter(self, name: str, prompts: ReviewPrompts) -> "Models":
        """The same and an adapter, which is asked as it was trained."""
        return replace(self, prompts={**self.prompts, "adapter": prompts}, names={**self.names, "adapter": name})

    def question(self, pair: ReviewPair, language: Language) -> ReviewQuestion:
        return ReviewQuestion(pair=pair, language=language, prompts=self.prompts)

    async def ask(self, questions: Sequence[ReviewQuestion], *, seconds: float) -> None:
        """Asks one after the other for as long as there is time.

        Raises:
            EngineError: They cannot be asked.
        """
        ends = monotonic() + seconds
        served: dict[Model, Served] = {
            model: Served(name=self.names[model], store=store) for model, store in self.stores.items()
        }
        for stop in range(AT_ONCE, len(questions) + AT_ONCE, AT_ONCE):
            left = ends - monotonic()
            if left <= 0:
                return
            asked = questions[:stop]
            await ask_reviews(
                self.client,
                asked,
                served,
                stop_ids=self.builder.stop_ids,
                seconds=left,
                report=lambda _done, _of, _seconds: None,
            )
            sys.stderr.write(f"reviews: {len(asked)} of {len(questions)} pieces\n")

    def floors(self, questions: Sequence[ReviewQuestion]) -> dict[Model, float]:
        """The chance from which on each was asked to the end."""
        return {model: floor(questions, model, store) for model, store in self.stores.items()}

    def finished(self, questions: Sequence[ReviewQuestion], floors: Mapping[Model, float]) -> list[ReviewQuestion]:
        """Those that every model was asked about to the end."""

        def is_finished(question: ReviewQuestion, model: Model) -> bool:
            known = self.stores[model].reviews.get(question.digest(model))
            return known is not None and not is_open(known, floors[model])

        return [each for each in questions if all(is_finished(each, model) for model in self.stores)]

    def comment(self, question: ReviewQuestion, model: Model) -> tuple[ReviewComment, float] | None:
        """What a model has to say that may be shown, and how sure it is."""
        opinion = opinion_of(self.stores[model].reviews[question.digest(model)])
        found = opinion.comment(question.pair.hunk, question.language)
        return None if found is None else (found, opinion.confidence)

    def chance(self, question: ReviewQuestion, model: Model) -> float:
        """Of a comment, by the first token alone."""
        return self.stores[model].reviews[question.digest(model)].chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A hunk of a changed file, and its question."""

    file: ChangedFile
    hunk: Hunk
    question: ReviewQuestion

    @property
    def place(self) -> Place:
        lines = frozenset(line for line in self.file.lines if self.hunk.is_changed(line))
        place = self.file.place
        return Place(
            path=place.path,
            commit=place.commit,
            lines=lines,
            faulty=place.faulty & lines,
            is_late=place.is_late,
        )

    def row(self, models: Models, model: Model) -> Row:
        """The comment, if it is on what was changed: nothing else is shown."""
        said = models.comment(self.question, model)
        if said is None:
            return self.place, []
        comment, confidence = said
        first = self.hunk.place.first + comment.line - 1
        last = first + comment.lines - 1
        if not any(self.hunk.is_changed(line) for line in range(first, last + 1)):
            return self.place, []
        return self.place, [Remark(first=first, last=last, confidence=confidence)]


def pieces(files: Sequence[ChangedFile], models: Models) -> list[Piece]:
    """What a model is asked about on save, evenly spread."""
    found = []
    for file in files:
        for hunk in hunks_of(file.target, models.builder):
            changed = {line for line in file.faulty if hunk.is_changed(line)}
            comment = _faulty(min(changed) - hunk.place.first + 1) if changed else None
            pair = ReviewPair(
                language=file.target.source.language.name,
                path=file.target.path,
                commit=file.commit,
                hunk=hunk.place.text,
                comment=comment,
                source="saved",
            )
            found.append(Piece(file=file, hunk=hunk, question=models.question(pair, file.target.source.language)))
    return sorted(found, key=_spread)


def builder_of(model: LocalModel, adapter: Adapter | None) -> PromptBuilder:
    """With the budget of the adapter, else of one that would be trained here."""
    budget: PromptBudget = Recipe.for_device("cpu").budget if adapter is None else adapter.prompt_budget
    return PromptBuilder.load(model.folder, model.fim, budget)


def stores_of(folder: Path, model: LocalModel, adapter: Adapter | None) -> dict[Model, ResultStore]:
    """Where what the models said is kept."""
    stores: dict[Model, ResultStore] = {"base": ResultStore(folder, model_identity=model.identity)}
    if adapter is not None:
        stores["adapter"] = ResultStore(folder, model_identity=model.identity, adapter=adapter.version)
    return stores


def _faulty(line: int) -> ReviewComment:
    """What says that something is wrong, and no more: only the place is compared."""
    return ReviewComment(line=max(1, line), severity="warning", message="", suggestion="")


def _spread(piece: Piece) -> bytes:
    key = f"{piece.file.commit} {piece.file.target.path} {piece.hunk.place.first}"
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()
