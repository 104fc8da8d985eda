"""What two models hold of the same pieces of changed code: the base with rules and examples, and the adapter.

What they say is kept: a run goes on where the last one stopped. The first token of an answer says how likely a comment
is; only the likeliest are asked for it, as those alone could be shown within a budget of false alarms. The few
faulty pieces and the many clean ones take turns, each in an order that spreads them evenly over the history: whatever
beginning of either there was time for stands for all of its kind, by its weight.
"""

import asyncio
import hashlib
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import zip_longest
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
from acclimate_training.evaluation.generation import REQUESTS_AT_ONCE
from acclimate_training.evaluation.results import ResultStore, ReviewResult
from acclimate_training.evaluation.reviews.asking import is_open, opinion_of
from acclimate_training.evaluation.reviews.questions import ReviewQuestion
from acclimate_training.recipe import Recipe
from acclimate_training.reviewing.asking import Asker, Opinion
from acclimate_training.reviewing.hunks import Hunk, hunks_of
from acclimate_training.reviewing.prompts import ReviewPrompts

PURSUED_SHARE = 0.1  # of the pieces: more comments would break any budget, and each costs dozens of tokens
FIRST_SHARE = 0.7  # of the time, for the first tokens
TOLD_EVERY = 50  # answers

Todo = tuple[Model, ReviewQuestion]


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

    async def ask(self, questions: Sequence[ReviewQuestion], *, seconds: float, with_comments: bool = True) -> None:
        """The first token of every answer in turn, then what is said of the likeliest, while there is time.

        Raises:
            EngineError: They cannot be asked.
        """
        now = monotonic()
        first_seconds = FIRST_SHARE * seconds if with_comments else seconds
        await self._each(self._first, self._unasked(questions), now + first_seconds)
        if with_comments:
            await self._each(self._pursue, self._unpursued(questions), now + seconds)

    def _unasked(self, questions: Sequence[ReviewQuestion]) -> list[Todo]:
        return [
            (model, each)
            for each in questions
            for model, store in self.stores.items()
            if each.digest(model) not in store.reviews
        ]

    def _unpursued(self, questions: Sequence[ReviewQuestion]) -> list[Todo]:
        """The likeliest of each model first."""
        waiting = [
            [(model, each) for each in likeliest if self._is_open(each, model)]
            for model, likeliest in self.likeliest(questions).items()
        ]
        return [todo for together in zip_longest(*waiting) for todo in together if todo is not None]

    async def _first(self, model: Model, question: ReviewQuestion) -> None:
        chance = await self._asker(model).chance(question.prompt(model)(question.pair.hunk))
        self._keep(model, question, Opinion(chance=chance))

    async def _pursue(self, model: Model, question: ReviewQuestion) -> None:
        known = opinion_of(self.stores[model].reviews[question.digest(model)])
        prompt, hunk = question.prompt(model), question.pair.hunk
        self._keep(model, question, await self._asker(model).pursued(known, hunk, question.language, prompt))

    def _asker(self, model: Model) -> Asker:
        return Asker(client=self.client, model=self.names[model], stop_ids=self.builder.stop_ids)

    def _keep(self, model: Model, question: ReviewQuestion, opinion: Opinion) -> None:
        chance, said = opinion.chance, {} if opinion.said is None else asdict(opinion.said)
        self.stores[model].add_review(
            ReviewResult(
                example=question.digest(model),
                chance=chance.comment,
                decided=chance.decided,
                settled=opinion.settled,
                **said,
            )
        )

    async def _each(
        self, ask: Callable[[Model, ReviewQuestion], Awaitable[None]], waiting: Sequence[Todo], ends: float
    ) -> None:
        places, done = asyncio.Semaphore(REQUESTS_AT_ONCE), 0

        async def put(model: Model, question: ReviewQuestion) -> None:
            nonlocal done
            async with places:
                if monotonic() > ends:
                    return
                await ask(model, question)
            done += 1
            if done % TOLD_EVERY == 0:
                sys.stderr.write(f"reviews: {done} of {len(waiting)}\n")

        async with asyncio.TaskGroup() as group:
            for model, question in waiting:
                group.create_task(put(model, question))

    def likeliest(self, questions: Sequence[ReviewQuestion]) -> dict[Model, list[ReviewQuestion]]:
        """The tenth that each model is asked about to the end; of equals those that come first.

        It is a number and no least chance: a model may be certain of a comment on nearly everything.
        """
        asked = [each for each in questions if self.is_asked(each)]
        number = max(1, int(len(asked) * PURSUED_SHARE))
        return {model: sorted(asked, key=lambda each: -self.chance(each, model))[:number] for model in self.stores}

    def is_asked(self, question: ReviewQuestion) -> bool:
        """Whether at least the first token of every model's answer is known."""
        return all(question.digest(model) in store.reviews for model, store in self.stores.items())

    def finished(self, questions: Sequence[ReviewQuestion]) -> list[ReviewQuestion]:
        """Those that every model was asked about as far as it is to be."""
        still_open = {
            each.digest("base")
            for model, likeliest in self.likeliest(questions).items()
            for each in likeliest
            if self._is_open(each, model)
        }
        return [each for each in questions if self.is_asked(each) and each.digest("base") not in still_open]

    def _is_open(self, question: ReviewQuestion, model: Model) -> bool:
        return is_open(self.stores[model].reviews[question.digest(model)], least=0.0)

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
    weight: float = 1.0

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
            weight=self.weight,
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


def weighted(asked: Sequence[Piece], every: Sequence[Piece]) -> list[Piece]:
    """The asked with their weights: they stand for all that are faulty as they are, or as clean."""

    def numbers(some: Sequence[Piece]) -> Counter[bool]:
        return Counter(bool(piece.place.faulty) for piece in some)

    known, all_of_them = numbers(asked), numbers(every)
    weights = {is_faulty: all_of_them[is_faulty] / number for is_faulty, number in known.items()}
    return [replace(piece, weight=weights[bool(piece.place.faulty)]) for piece in asked]


def pieces(files: Sequence[ChangedFile], models: Models) -> list[Piece]:
    """What a model is asked about on save: the faulty and the clean in turn, each evenly spread."""
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
    found.sort(key=_spread)
    faulty = [piece for piece in found if piece.place.faulty]
    clean = [piece for piece in found if not piece.place.faulty]
    return [piece for pair in zip_longest(faulty, clean) for piece in pair if piece is not None]


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
